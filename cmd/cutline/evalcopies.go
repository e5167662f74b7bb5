package main

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/cutline-go/cutline/dataset"
)

// corpus yields the captions that copies are looked for among. Nothing tells a plain
// text by what it begins with, so that is what a .txt file is that is nothing else.
func corpus(path, format string) (iter.Seq2[string, error], error) {
	if format == "text" {
		return nonEmpty(path, textCaptions(path)), nil
	}
	file, err := captionFile(path, format)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && filepath.Ext(path) == ".txt" {
		return nonEmpty(path, textCaptions(path)), nil
	}
	return nonEmpty(path, fileCaptions(file)), err
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

// textCaptions yields the lines of a file.
func textCaptions(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield("", err)
			return
		}
		defer file.Close()
		for line, err := range dataset.ReadText(file) {
			if err != nil {
				err = fmt.Errorf("%s: %w", path, err)
			}
			if !yield(line, err) {
				return
			}
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
