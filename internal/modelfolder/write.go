package modelfolder

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// Write writes m to the folder dir, which then opens. At any moment dir holds
// either what it held before or all of m; a crash can at most leave a sibling
// behind whose name begins with dir's and ".tmp-" or ".old-". An existing model
// folder is replaced whole, an empty folder is filled, and anything else is refused
// (see [Writable]).
func Write(dir string, m Model) error {
	dir = filepath.Clean(dir)
	if err := Writable(dir); err != nil {
		return err
	}
	if err := m.validate(); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	temporary := dir + ".tmp-" + rand.Text()
	if err := os.Mkdir(temporary, 0o777); err != nil {
		return err
	}
	err := fill(temporary, m)
	if err == nil {
		err = replace(dir, temporary)
	}
	if err != nil {
		_ = os.RemoveAll(temporary) // the first error is the one that helps
	}
	return err
}

// Writable tells whether Write may write to dir: it must not exist, be empty, or be
// a model folder that holds nothing besides. It is for asking before a long
// training.
func Writable(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: exists and is not a folder", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return err
	}
	// {} is a configuration of no version, and anybody's file.
	if c, err := readConfig(os.DirFS(dir)); err != nil || c.Version == 0 {
		return fmt.Errorf("%s: exists and is not a model folder; choose another or remove it", dir)
	}
	for _, e := range entries {
		if !slices.Contains([]string{configFile, tensorsFile, memoryFile, runFile, clipTokenizer, gptTokenizer, robertaTokenizer}, e.Name()) {
			return fmt.Errorf("%s: holds %q besides a model; choose another folder or move it away", dir, e.Name())
		}
	}
	return nil
}

// fill writes the files of m, config.json last: without it no folder opens.
func fill(dir string, m Model) error {
	config, err := json.MarshalIndent(m.Config, "", "  ")
	if err != nil {
		return err
	}
	for name, t := range map[string]*tokenizer.BPE{
		clipTokenizer: m.CLIPTokenizer, gptTokenizer: m.GPTTokenizer, robertaTokenizer: m.RoBERTaTokenizer,
	} {
		if t == nil {
			continue
		}
		if err := t.Save(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if m.Run != nil {
		if err := os.WriteFile(filepath.Join(dir, runFile), m.Run, 0o666); err != nil {
			return err
		}
	}
	if m.Memory != nil {
		if err := weights.WriteSafetensors(filepath.Join(dir, memoryFile), m.Memory.tensors(), nil); err != nil {
			return err
		}
	}
	if err := weights.WriteSafetensors(filepath.Join(dir, tensorsFile), m.Tensors, nil); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), append(config, '\n'), 0o666); err != nil {
		return err
	}
	return syncAll(dir)
}

// syncAll puts every file below dir, and the folders that name them, on disk.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return syncFile(path, os.O_RDONLY)
		}
		return syncFile(path, os.O_RDWR)
	})
}

// syncFile puts a file or folder on disk. Windows cannot sync folders, and need
// not.
func syncFile(path string, flag int) error {
	if flag == os.O_RDONLY && runtime.GOOS == "windows" {
		return nil
	}
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}

// replace renames the folder next to dir, whose old folder moves aside first,
// because no rename replaces a folder that holds something.
func replace(dir, next string) error {
	old := dir + ".old-" + rand.Text()
	err := os.Rename(dir, old)
	replaced := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(next, dir); err != nil {
		if replaced {
			_ = os.Rename(old, dir) // else it stays under the name that Write tells of
		}
		return err
	}
	if err := syncFile(filepath.Dir(dir), os.O_RDONLY); err != nil {
		return err
	}
	return os.RemoveAll(old)
}
