package main

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"

	"github.com/cutline-go/cutline/dataset"
)

// corpus yields the captions that copies are looked for among, until the file is closed.
// Nothing tells a plain text by what it begins with, so that is what a .txt file is that
// is nothing else.
func corpus(path, format string) (iter.Seq2[string, error], dataset.File, error) {
	file, err := captionFile(path, format)
	captions := fileCaptions(file)
	undetected := err != nil && !errors.Is(err, fs.ErrNotExist) && filepath.Ext(path) == ".txt"
	if undetected || err == nil && format == "text" {
		captions, err = file.Lines(), nil
	}
	return nonEmpty(path, captions), file, err
}

// nonEmpty fails where there are no captions.
func nonEmpty[T any](path string, captions iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		empty := true
		for caption, err := range captions {
			empty = false
			if !yield(caption, err) {
				return
			}
		}
		if empty {
			var none T
			yield(none, fmt.Errorf("%s: no captions", path))
		}
	}
}

// fileCaptions yields all captions of all images.
func fileCaptions(file dataset.File) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for record, err := range file.References() {
			if err != nil {
				yield("", err)
				return
			}
			for _, caption := range record.Captions {
				if !yield(caption, nil) {
					return
				}
			}
		}
	}
}
