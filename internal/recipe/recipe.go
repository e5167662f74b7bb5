// Package recipe goes from a configuration file to a trained model folder: it reads
// the data, trains tokenizers, runs a method and writes the model.
package recipe

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// Data is where photos with captions lie.
type Data struct {
	Captions string `json:"captions"` // JSONL of {"image", "captions", "split"}
	Photos   string `json:"photos"`   // a tar archive or a folder
	Split    string `json:"split"`    // the records that are learned from
}

// open reads the captions and opens the photos; close them after use.
func (d Data) open() (records []dataset.Record, photos dataset.Photos, close func() error, err error) {
	if records, err = dataset.LoadJSONL(d.Captions, d.Split); err != nil {
		return nil, nil, nil, err
	}
	info, err := os.Stat(d.Photos)
	if err != nil {
		return nil, nil, nil, err
	}
	if info.IsDir() {
		return records, dataset.Folder(d.Photos), func() error { return nil }, nil
	}
	archive, err := dataset.OpenTar(d.Photos)
	if err != nil {
		return nil, nil, nil, err
	}
	return records, archive, archive.Close, nil
}

// Pace is how often a run writes something down.
type Pace struct {
	SaveEvery int `json:"save_every"` // updates between checkpoints
	LogEvery  int `json:"log_every"`  // updates between lines of the log
}

// ReadConfig reads a configuration file into config. Relative paths in it are taken
// as the process sees them. A field that config lacks is an error.
func ReadConfig(path string, config any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(config); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// plan lays out a run whose checkpoints and log lie beside the model folder out, in
// out.run; batch is the number of its examples an update.
func plan(out string, pace Pace, updates, batch int, config any) (train.Plan, error) {
	data, err := json.Marshal(config)
	if err != nil {
		return train.Plan{}, fmt.Errorf("configuration: %w", err)
	}
	digest := sha256.Sum256(data)
	return train.Plan{
		Dir: filepath.Clean(out) + ".run", Run: hex.EncodeToString(digest[:]),
		Updates: updates, SaveEvery: pace.SaveEvery, LogEvery: pace.LogEvery, Examples: batch,
	}, nil
}

// Run is where and on what a recipe runs. Nothing in it changes what is learned, but
// that engines differ in the last bits.
type Run struct {
	Engine compute.Backend
	Out    string // the model folder to write; checkpoints and logs lie beside it, in Out.run
	Cache  string // folder of embeddings, which recipes share
	Report func(train.Progress)
}

// export returns the trained variables below scopes, averaged where averages were
// taken.
func export(store *model.Store, dtype weights.DType, scopes ...string) (list []weights.Tensor, err error) {
	err = train.WithAverage(store, func() error {
		list, err = weights.Export(store, dtype, scopes...)
		return err
	})
	return list, err
}

// newStore returns an empty store whose variables will be drawn from seed.
func newStore(seed int64) *model.Store {
	store := model.NewStore()
	store.SetParam("/"+nn.SeedParam, seed)
	return store
}
