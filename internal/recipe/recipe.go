// Package recipe goes from a configuration file to a trained model folder: it reads
// the data, trains tokenizers, runs a method and writes the model.
package recipe

import (
	"errors"
	"os"
	"slices"

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

// files are the paths that d names.
func (d Data) files() []string {
	return slices.DeleteFunc([]string{d.Captions, d.Photos}, func(path string) bool { return path == "" })
}

// open reads the captions and opens the photos; close them after use.
func (d Data) open() (records []dataset.Record, photos dataset.Photos, close func() error, err error) {
	if d.Captions == "" || d.Photos == "" {
		return nil, nil, nil, errors.New("data names no captions or no photos")
	}
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
