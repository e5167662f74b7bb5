package recipe

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/imageproc"
)

// shownPhotos prepares photos for an encoder, view by view.
type shownPhotos struct {
	source     dataset.Photos
	records    []dataset.Record
	preprocess imageproc.Config
	views      views

	decoded *imageproc.RGB // the record of the last row
	record  int
}

// row returns row i of what is to be embedded, a function of i alone.
func (s *shownPhotos) row(i int) ([]float32, error) {
	record, view := i/s.views.Count, i%s.views.Count
	if s.decoded == nil || s.record != record {
		var err error
		if s.decoded, err = batches.Decode(s.source, s.records[record].Image); err != nil {
			return nil, err
		}
		s.record = record
	}
	photo := s.decoded
	if view > 0 {
		rng := rand.New(rand.NewPCG(uint64(s.views.Seed), uint64(i)))
		photo = s.views.Augment.Apply(photo, s.preprocess.Size, rng)
	}
	return s.preprocess.Tensor(photo), nil
}

// fingerprint tells the photos of the records from others: by the content of an
// archive, by the sizes and times of the files in a folder, which may be many
// gigabytes.
func (d Data) fingerprint(records []dataset.Record) (string, error) {
	info, err := os.Stat(d.Photos)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return checksum(d.Photos)
	}
	h := sha256.New()
	for _, r := range records {
		info, err := fs.Stat(os.DirFS(d.Photos), r.Image)
		if err != nil {
			return "", fmt.Errorf("%s: %w", filepath.Join(d.Photos, r.Image), err)
		}
		fmt.Fprintf(h, "%q %d %d\n", r.Image, info.Size(), info.ModTime().UnixNano())
	}
	return sum(h), nil
}
