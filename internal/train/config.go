package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// configFile is beside the checkpoints what run.json will be in the model folder.
const configFile = "config.json"

// errOtherRun tells that a checkpoint is of another configuration.
var errOtherRun = errors.New("belongs to a run with another configuration: choose another folder or remove it")

func (p Plan) digest() string {
	digest := sha256.Sum256(p.Config)
	return hex.EncodeToString(digest[:])
}

func (p Plan) writeConfig() error {
	path := filepath.Join(p.Dir, configFile)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, p.Config) {
		return nil
	}
	_ = os.Remove(path) // cut off by a kill, or of a run without checkpoints
	if err := writeSynced(path, p.Config); err != nil {
		return fmt.Errorf("train: %w", err)
	}
	return nil
}

// explain adds to errOtherRun the first field in which the configurations differ.
func (p Plan) explain(err error) error {
	if !errors.Is(err, errOtherRun) {
		return err
	}
	var there, here any
	old, e := os.ReadFile(filepath.Join(p.Dir, configFile))
	if errors.Join(e, json.Unmarshal(old, &there), json.Unmarshal(p.Config, &here)) != nil {
		return err // it differs, and that is enough
	}
	if field, a, b := difference("", there, here); field != "" {
		return fmt.Errorf("%w (%s is %.80s there, %.80s here)", err, field, a, b)
	}
	return err
}

// difference finds the first field, in the order of names, that two JSON values do not
// share, and what it is in each; no field where they are equal.
func difference(path string, a, b any) (field, inA, inB string) {
	x, isMap := a.(map[string]any)
	y, areMaps := b.(map[string]any)
	if !isMap || !areMaps {
		inA, inB = text(a), text(b)
		if inA == inB {
			return "", "", ""
		}
		return path, inA, inB
	}
	names := slices.Concat(slices.Collect(maps.Keys(x)), slices.Collect(maps.Keys(y)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		below := name
		if path != "" {
			below = path + "." + name
		}
		if field, inA, inB = difference(below, x[name], y[name]); field != "" {
			return field, inA, inB
		}
	}
	return "", "", ""
}

// text is v in JSON, or that it is not there.
func text(v any) string {
	if v == nil {
		return "absent"
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}
