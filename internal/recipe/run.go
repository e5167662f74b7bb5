package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/cutline-go/cutline/internal/train"
)

// runJSON describes a finished run: its resolved configuration, how it ended, the data
// it read, and the versions of what ran, from which it can be run again. labelled tells
// whether what it was judged by are photos with captions.
func runJSON(config any, o train.Outcome, labelled bool, data ...string) ([]byte, error) {
	checksums := make(map[string]string)
	for _, path := range data {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			continue // a folder of photos has no one checksum
		}
		sum, err := checksum(path)
		if err != nil {
			return nil, err
		}
		checksums[filepath.Base(path)] = sum
	}
	modules, revision := versions()
	out, err := json.MarshalIndent(struct {
		Configuration any               `json:"configuration"`
		Outcome       outcome           `json:"outcome"`
		SHA256        map[string]string `json:"sha256"`
		Revision      string            `json:"revision,omitempty"`
		Go            string            `json:"go"`
		Modules       map[string]string `json:"modules,omitempty"`
	}{config, outcome{o, labelled && o.By != ""}, checksums, revision, runtime.Version(), modules}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("run.json: %w", err)
	}
	return append(out, '\n'), nil
}

// outcome is how a run ended, and whether labelled data chose its weights.
type outcome struct {
	train.Outcome
	Labelled bool `json:"chosen_by_labelled_data"`
}

func checksum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// versions lists the modules that the program was built from, and its revision
// where it was built in a checkout.
func versions() (modules map[string]string, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, ""
	}
	modules = make(map[string]string)
	for _, m := range info.Deps {
		modules[m.Path] = m.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return modules, revision
}
