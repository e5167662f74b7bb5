package train

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/weights"
)

// A checkpoint is a folder checkpoint-N, N the number of updates done, with every
// float32 variable of the store, the optimiser's moments and the averages of weights
// included, and state.json.
// It is written beside its place, synced and renamed, so that a run killed at any
// moment finds the old one or the whole new one.
const (
	checkpointPrefix = "checkpoint-"
	tensorsFile      = "tensors.safetensors"
	stateFile        = "state.json"
	kept             = 2 // beside the best of these; the newest could be damaged by the disk
)

// state closes a checkpoint: the tensors are valid only if they have this digest.
type state struct {
	Updates int    `json:"updates"`
	SHA256  string `json:"sha256"`
	// Run is the digest of the resolved configuration: another run's checkpoint is
	// not resumed.
	Run string `json:"run"`

	Trend     trend     `json:"trend,omitzero"`    // of the number that may not rise
	Collapse  trend     `json:"collapse,omitzero"` // of the one that may not fall
	Selection selection `json:"selection,omitzero"`
}

func checkpointPath(dir string, updates int) string {
	return filepath.Join(dir, checkpointPrefix+strconv.Itoa(updates))
}

// saveCheckpoint writes the variables of store and the state of a run into dir, and
// removes the checkpoints that are no longer needed.
func saveCheckpoint(dir string, store *model.Store, run string, s state) (err error) {
	temporary, err := os.MkdirTemp(dir, ".checkpoint-")
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(temporary) // what went wrong first is what helps
			err = fmt.Errorf("train: checkpoint: %w", err)
		}
	}()
	list, err := weights.Export(store, weights.F32, topScopes(store)...)
	if err != nil {
		return err
	}
	path := filepath.Join(temporary, tensorsFile)
	if err := weights.WriteSafetensors(path, list, nil); err != nil {
		return err
	}
	s.Run = run
	if s.SHA256, err = fileDigest(path); err != nil {
		return err
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := writeSynced(filepath.Join(temporary, stateFile), data); err != nil {
		return err
	}
	final := checkpointPath(dir, s.Updates)
	if err := os.RemoveAll(final); err != nil { // a damaged one of the same number
		return err
	}
	if err := os.Rename(temporary, final); err != nil {
		return err
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	return prune(dir)
}

// topScopes lists the first components of the variables' paths.
func topScopes(store *model.Store) []string {
	var scopes []string
	for v := range store.IterVariables() {
		top, _, below := strings.Cut(strings.TrimPrefix(v.Path(), "/"), "/")
		if below && !slices.Contains(scopes, top) {
			scopes = append(scopes, top)
		}
	}
	return scopes
}

// loadCheckpoint gives store the newest valid checkpoint of the run in dir and
// returns its state, which has no updates where there is none.
func loadCheckpoint(dir string, store *model.Store, run string) (state, error) {
	numbers, err := checkpoints(dir)
	if err != nil {
		return state{}, err
	}
	for _, number := range slices.Backward(numbers) {
		folder := checkpointPath(dir, number)
		s, err := verify(folder)
		if err != nil {
			continue // half-removed or damaged: an older one is as good a start
		}
		if s.Run != run {
			return state{}, fmt.Errorf("train: %s %w", folder, errOtherRun)
		}
		if best := s.Selection.Best; best > 0 && best != number {
			if _, err := verify(checkpointPath(dir, best)); err != nil {
				continue // what it would choose in the end is damaged
			}
		}
		return s, restore(filepath.Join(folder, tensorsFile), store)
	}
	return state{}, nil
}

// checkpoints lists the numbers of the checkpoints in dir, ascending.
func checkpoints(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	var numbers []int
	for _, entry := range entries {
		if rest, ok := strings.CutPrefix(entry.Name(), checkpointPrefix); ok {
			if n, err := strconv.Atoi(rest); err == nil && n > 0 {
				numbers = append(numbers, n)
			}
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func readState(folder string) (s state, err error) {
	data, err := os.ReadFile(filepath.Join(folder, stateFile))
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	return s, err
}

// verify reads the state of a checkpoint and checks its tensors against it.
func verify(folder string) (state, error) {
	s, err := readState(folder)
	if err != nil {
		return s, err
	}
	digest, err := fileDigest(filepath.Join(folder, tensorsFile))
	if err == nil && digest != s.SHA256 {
		err = errors.New("the tensors were changed")
	}
	return s, err
}

// restore creates or sets the variables of store that the file holds.
func restore(path string, store *model.Store) error {
	file, err := weights.Open(path)
	if err != nil {
		return fmt.Errorf("train: %w", err)
	}
	defer file.Close()
	for _, t := range file.Tensors() {
		values, err := t.Float32()
		if err != nil {
			return fmt.Errorf("train: %s: %w", path, err)
		}
		value := tensors.FromFlatDataAndDimensions(values, t.Shape...)
		name := weights.VariablePath(t.Name)
		if v := store.GetVariable(name); v != nil {
			err = v.SetValue(value)
		} else {
			_, err = store.CreateVariable(name, value)
		}
		if err != nil {
			return fmt.Errorf("train: %s: %w", path, err)
		}
	}
	return nil
}

// prune removes all but the newest checkpoints and those that they hold for the best,
// and what killed runs left behind.
func prune(dir string) error {
	numbers, err := checkpoints(dir)
	if err != nil {
		return err
	}
	older := max(0, len(numbers)-kept)
	var best []int
	for _, number := range numbers[older:] {
		if s, err := readState(checkpointPath(dir, number)); err == nil { // a damaged one needs nothing
			best = append(best, s.Selection.Best)
		}
	}
	for _, number := range numbers[:older] {
		if slices.Contains(best, number) {
			continue
		}
		if err := os.RemoveAll(checkpointPath(dir, number)); err != nil {
			return err
		}
	}
	leftovers, err := filepath.Glob(filepath.Join(dir, ".checkpoint-*"))
	if err != nil {
		return err
	}
	for _, leftover := range leftovers {
		if err := os.RemoveAll(leftover); err != nil {
			return err
		}
	}
	return nil
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func writeSynced(path string, data []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
