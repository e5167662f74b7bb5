package dataset

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cutline-go/cutline/internal/spill"
)

// Open is the file of that path, a pipe among others, and of that format; where none is
// named, what it begins with tells. A file that is not closed takes memory and disk.
func Open(path string, format Format) (File, error) {
	f := File{Path: path, Format: format}
	name, system := splitSystem(path)
	info, err := os.Stat(name)
	if err != nil {
		return f, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		if f.copied, err = copied(name); err != nil {
			return f, err
		}
	}
	switch {
	case format != "":
	case info.IsDir():
		f.Format, err = detectFolder(name)
	case system != "":
		f.Format = Map
	default:
		f.Format, err = f.detect(name)
	}
	return f, err
}

// copied keeps what can be read but once.
func copied(name string) (*spill.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	kept := new(spill.File)
	if _, err := io.Copy(kept, file); err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	return kept, nil
}

func (f File) detect(name string) (Format, error) {
	file, err := f.open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	format, err := detect(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return format, nil
}

func detectFolder(path string) (Format, error) {
	shards, err := shardNames(path)
	if err != nil {
		return "", err
	}
	if len(shards) > 0 {
		return Shards, nil
	}
	return Sidecars, nil
}

func detect(file io.ReadSeeker) (Format, error) {
	if isTar(file) {
		return Shards, nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	line, err := firstLine(skipBOM(file))
	if err != nil {
		return "", err
	}
	switch line[0] {
	case '[':
		return List, nil
	case '{':
		if isEntry(line) {
			return JSONL, nil
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
		return detectObject(newJSONStream(skipBOM(file)))
	}
	return detectLine(line)
}

// isTar tells whether a tar archive begins here; photos have no such checksum.
func isTar(r io.Reader) bool {
	_, err := tar.NewReader(r).Next()
	return err == nil
}

// firstLine returns the first line that is not empty, without the white space
// around it; of a very long line, its beginning.
func firstLine(r io.Reader) ([]byte, error) {
	reader := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := reader.ReadSlice('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// detectObject tells Karpathy's and COCO's objects from a map by their keys.
func detectObject(s *jsonStream) (Format, error) {
	for key, err := range s.object() {
		if err != nil {
			return "", err
		}
		switch key {
		case "images", "annotations":
			return detectImages(s)
		case "info", "licenses", "type", "categories", "dataset":
			if err := s.skip(); err != nil {
				return "", err
			}
		default:
			return Map, nil
		}
	}
	return Map, nil
}

// detectImages tells by the first element of "images" or "annotations".
func detectImages(s *jsonStream) (Format, error) {
	for _, err := range s.array() {
		if err != nil {
			return "", err
		}
		var first struct {
			Sentences json.RawMessage `json:"sentences"`
		}
		if err := s.decode(&first); err != nil {
			return "", err
		}
		if first.Sentences != nil {
			return Karpathy, nil
		}
		break
	}
	return COCO, nil
}

func detectLine(line []byte) (Format, error) {
	if _, err := parseFlickr(1, line); err == nil {
		return Flickr, nil
	}
	if _, err := parseFlickrCSV(1, line); err == nil {
		return FlickrCSV, nil
	}
	if r, err := parseConceptual(1, line); err == nil && strings.Contains(r.ID, "://") {
		return Conceptual, nil
	}
	return "", fmt.Errorf("begins with %.40q, which is none of the formats %s", line, formats())
}

// shardNames lists the tar archives in a folder.
func shardNames(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && strings.EqualFold(filepath.Ext(e.Name()), ".tar") {
			names = append(names, filepath.Join(folder, e.Name()))
		}
	}
	return names, nil
}
