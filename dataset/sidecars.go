package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"unicode/utf8"
)

// readSidecars yields the photos in and below a folder with the captions of the
// .txt beside each, and each .txt that has no photo, under its name without
// extension. Names that begin with a dot are left out.
func readSidecars(fsys fs.FS) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) { walkSidecars(fsys, ".", yield) }
}

// walkSidecars tells whether to go on.
func walkSidecars(fsys fs.FS, dir string, yield func(Record, error) bool) bool {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		yield(Record{}, err)
		return false
	}
	photos, sidecars := make(map[string]bool), make(map[string]string)
	for _, e := range entries {
		switch stem := stem(e.Name()); {
		case e.IsDir():
		case isPhoto(e.Name()):
			photos[stem] = true
		case isSidecar(e.Name()):
			sidecars[stem] = path.Join(dir, e.Name())
		}
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if e.IsDir() {
			if !walkSidecars(fsys, name, yield) {
				return false
			}
			continue
		}
		image := name
		if isSidecar(name) && !photos[stem(e.Name())] {
			image = strings.TrimSuffix(name, path.Ext(name))
		} else if !isPhoto(name) {
			continue
		}
		captions, err := readCaptions(fsys, sidecars[stem(e.Name())])
		if !yield(Record{Image: image, Captions: captions}, err) || err != nil {
			return false
		}
	}
	return true
}

// readCaptions reads a sidecar; without a name it has no captions.
func readCaptions(fsys fs.FS, name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	captions, err := captionLines(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return captions, nil
}

// captionLines reads a caption a line.
func captionLines(r io.Reader) ([]string, error) {
	text, err := io.ReadAll(io.LimitReader(skipBOM(r), maxLine+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxLine:
		return nil, fmt.Errorf("longer than %d bytes", maxLine)
	case !utf8.Valid(text):
		return nil, errors.New("not UTF-8")
	}
	var captions []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			captions = append(captions, line)
		}
	}
	return captions, nil
}

func stem(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

func isSidecar(name string) bool { return strings.EqualFold(path.Ext(name), ".txt") }

func isPhoto(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff":
		return true
	}
	return false
}
