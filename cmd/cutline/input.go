package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stdinName stands for the standard input, as in other tools.
const stdinName = "-"

// inputFlags say which photos a verb reads.
type inputFlags struct {
	Files     []string `arg:"" optional:"" name:"file" help:"Photos: JPEG, PNG, GIF, WebP, BMP or TIFF. - reads one photo from stdin."`
	Recursive bool     `short:"r" help:"Go into folders, for files with the endings of those formats."`
	FilesFrom string   `placeholder:"FILE" help:"Read names of photos from FILE (- is stdin), one a line or with NUL after each."`
}

// input is a photo to read, or why there is none under that name.
type input struct {
	name string
	err  error
}

// single tells whether the command line names one photo and can name no more.
func (f *inputFlags) single(inputs []input) bool {
	return len(f.Files) == 1 && f.FilesFrom == "" && len(inputs) == 1 && inputs[0].name == f.Files[0]
}

// list returns the inputs in the order of the command line, those of the list
// last. What is wrong with one of them is in it; an error is a wrong usage or an
// unreadable list.
func (f *inputFlags) list(stdin io.Reader) ([]input, error) {
	names := slices.Clone(f.Files)
	if f.FilesFrom != "" {
		listed, err := readNames(f.FilesFrom, stdin)
		if err != nil {
			return nil, err
		}
		names = append(names, listed...)
	}
	if len(f.Files) == 0 && f.FilesFrom == "" {
		return nil, &usageError{"no photos given", "name files, or - for a photo on stdin"}
	}
	readers := 0
	var inputs []input
	for _, name := range names {
		if name == stdinName {
			readers++
		}
		inputs = append(inputs, f.expand(name)...)
	}
	if f.FilesFrom == stdinName {
		readers++
	}
	if readers > 1 {
		return nil, &usageError{"stdin can be read once: give one -", ""}
	}
	return inputs, nil
}

// expand returns the inputs that a name stands for: itself, or the photos of
// a folder.
func (f *inputFlags) expand(name string) []input {
	if name == stdinName {
		return []input{{name: name}}
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return []input{{name, err}}
	case !info.IsDir():
		return []input{{name: name}}
	case !f.Recursive:
		return []input{{name, errors.New("is a folder; --recursive goes into folders")}}
	}
	return walk(name)
}

// walk returns the photos of a folder and of those in it, in lexical order.
// Hidden ones are left out: they are thumbnails and droppings of other programs.
func walk(folder string) []input {
	var inputs []input
	// The function below returns no errors but SkipDir, so neither does WalkDir.
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && path != folder
		switch {
		case err != nil:
			inputs = append(inputs, input{path, err})
		case entry.IsDir() && hidden:
			return filepath.SkipDir
		case !entry.IsDir() && !hidden && hasPhotoEnding(path):
			inputs = append(inputs, input{name: path})
		}
		return nil
	})
	if len(inputs) == 0 {
		return []input{{folder, errors.New("no photos in this folder")}}
	}
	return inputs
}

// hasPhotoEnding tells whether a file in a folder is meant to be a photo.
func hasPhotoEnding(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff":
		return true
	}
	return false
}

// readNames reads a list of names. One NUL in it makes NUL the separator, as
// `find -print0` writes; else lines are names.
func readNames(list string, stdin io.Reader) ([]string, error) {
	var data []byte
	var err error
	if list == stdinName {
		data, err = io.ReadAll(stdin)
	} else {
		data, err = os.ReadFile(list)
	}
	if err != nil {
		return nil, err
	}
	separator := "\n"
	if bytes.IndexByte(data, 0) >= 0 {
		separator = "\x00"
	}
	var names []string
	for name := range strings.SplitSeq(string(data), separator) {
		if separator == "\n" {
			name = strings.TrimSuffix(name, "\r")
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}
