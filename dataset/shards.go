package dataset

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"strings"
)

// readShards yields the samples of a webdataset archive, or of those in a folder.
func readShards(name string, open opener) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		info, err := os.Stat(name)
		names := []string{name}
		if err == nil && info.IsDir() {
			names, err = shardNames(name)
		}
		if err == nil && len(names) == 0 {
			err = errors.New("no tar archives")
		}
		if err != nil {
			yield(Record{}, err)
			return
		}
		for _, name := range names {
			for r, err := range readShard(name, open) {
				if err != nil && info.IsDir() {
					err = fmt.Errorf("%s: %w", path.Base(name), err)
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

type opener func(name string) (io.ReadSeekCloser, error)

func readShard(name string, open opener) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		file, err := open(name)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer file.Close()
		readSamples(file)(yield)
	}
}

// sample is what webdataset keeps under one key: neighbours in the archive.
type sample struct {
	key, photo string
	text, meta []string // the captions of .txt and of .json
}

// record prefers the text, which img2dataset writes into both files.
func (s sample) record() Record {
	r := Record{Image: s.photo, Captions: s.text}
	if r.Image == "" {
		r.Image = s.key
	}
	if s.text == nil {
		r.Captions = s.meta
	}
	return r
}

func readSamples(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		archive := tar.NewReader(r)
		var current sample
		for {
			header, err := nextMember(archive)
			if errors.Is(err, io.EOF) {
				if current.key != "" {
					yield(current.record(), nil)
				}
				return
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			key, extension := splitMember(header.Name)
			if key != current.key {
				if current.key != "" && !yield(current.record(), nil) {
					return
				}
				current = sample{key: key}
			}
			if err := current.add(header.Name, extension, archive); err != nil {
				yield(Record{}, fmt.Errorf("entry %.80q: %w", header.Name, err))
				return
			}
		}
	}
}

// nextMember returns the next file that is not hidden, such as macOS's "._" files.
func nextMember(archive *tar.Reader) (*tar.Header, error) {
	for {
		header, err := archive.Next()
		if err != nil {
			return nil, err
		}
		switch hidden := strings.HasPrefix(path.Base(header.Name), "."); {
		case header.Typeflag == tar.TypeDir, header.Typeflag == tar.TypeXGlobalHeader, hidden:
		case header.Typeflag != tar.TypeReg:
			return nil, fmt.Errorf("entry %.80q: not a regular file", header.Name)
		default:
			return header, nil
		}
	}
}

// splitMember splits at the first dot of the file's name, as webdataset does.
func splitMember(name string) (key, extension string) {
	folder, base := path.Split(name)
	base, extension, _ = strings.Cut(base, ".")
	return folder + base, extension
}

// add takes a file of the sample.
func (s *sample) add(name, extension string, content io.Reader) (err error) {
	switch {
	case extension == "txt":
		s.text, err = captionLines(content)
	case extension == "json":
		s.meta, err = captionsOf(content)
	case s.photo == "" && isPhoto("."+extension):
		s.photo = name
	}
	return err
}

// captionsOf reads the captions of a sample's .json, which may hold anything beside
// them.
func captionsOf(content io.Reader) ([]string, error) {
	s := newJSONStream(skipBOM(content))
	var meta struct {
		Captions texts `json:"captions"`
		Caption  texts `json:"caption"`
	}
	if err := s.decode(&meta); err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	if meta.Captions.given {
		return meta.Captions.list, nil
	}
	return meta.Caption.list, nil
}
