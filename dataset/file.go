package dataset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"

	"github.com/cutline-go/cutline/internal/spill"
)

// File is a file or folder of captions, in any of the formats.
type File struct {
	// Path names it. Where a JSON file maps the names of systems to maps of
	// captions, FILE.json#SYSTEM is one of the systems.
	Path   string
	Format Format // see [Detect]

	// RestvalIsTrain counts Karpathy's split restval as train, as nearly everyone
	// who trains on COCO does: 113,287 photos instead of 82,783.
	RestvalIsTrain bool

	copied *spill.File // of what can be read but once
}

// Close frees what [Open] may have copied.
func (f File) Close() error {
	if f.copied == nil {
		return nil
	}
	return f.copied.Close()
}

// open opens the file of that name, which is the one that Path says, or lies in the
// folder that it says.
func (f File) open(name string) (io.ReadSeekCloser, error) {
	if f.copied != nil {
		return again{io.NewSectionReader(f.copied, 0, f.copied.Size())}, nil
	}
	return os.Open(name)
}

// again reads what was copied, as often as it takes.
type again struct{ *io.SectionReader }

func (again) Close() error { return nil }

// Lines yields the lines of the file, whatever its format, without white space around
// them and without empty ones.
func (f File) Lines() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		file, err := f.open(f.Path)
		if err != nil {
			yield("", err)
			return
		}
		defer file.Close()
		for line, err := range ReadText(file) {
			if err != nil {
				err = fmt.Errorf("%s: %w", f.Path, err)
			}
			if !yield(line, err) {
				return
			}
		}
	}
}

// References yields the images of the file with what people said of them. An
// image without captions is yielded, too. An error names the file, the line or the
// element, and the field; it ends the sequence.
//
// COCO, Flickr and List files spread an image's captions over the file; beyond 4 MiB
// they are gathered in a temporary file, with some 40 bytes of each image in memory.
// Of the others one record is held at a time.
func (f File) References() iter.Seq2[Record, error] {
	if f.Format == List {
		return f.named(gather(f.read(parseReference)))
	}
	return f.named(f.read(parseReference))
}

// Results yields the images of the file with the one caption that it has for each, or
// none. Several are an error. Lists and JSONL may hold references beside the result, as
// MAGIC's do.
func (f File) Results() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range f.named(f.read(parseResult)) {
			if err == nil && len(r.Captions) > 1 {
				r, err = Record{}, fmt.Errorf("%s: image %q has %d captions, but a result is one", f.Path, r.Image, len(r.Captions))
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Sets yields the images of the file with all captions that a system gave to each, from
// wherever in the file they are.
func (f File) Sets() iter.Seq2[Record, error] { return f.named(gather(f.read(parseSet))) }

// named puts the path before errors that do not begin with it.
func (f File) named(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r, err := range records {
			if missing, ok := errors.AsType[*fs.PathError](err); err != nil && (!ok || !strings.HasPrefix(missing.Path, f.Path)) {
				err = fmt.Errorf("%s: %w", f.Path, err)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// read yields the file's records. The formats whose objects say which of their
// captions is whose are read with parse.
func (f File) read(parse func(object []byte) (Record, error)) iter.Seq2[Record, error] {
	switch f.Format {
	case Shards:
		return readShards(f.Path, f.open)
	case Sidecars:
		return readSidecars(os.DirFS(f.Path))
	}
	return func(yield func(Record, error) bool) {
		path, system := splitSystem(f.Path)
		if system != "" && f.Format != Map {
			yield(Record{}, fmt.Errorf("only a file of format %s has systems", Map))
			return
		}
		file, err := f.open(path)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer file.Close()
		f.decode(skipBOM(file), system, parse)(yield)
	}
}

func (f File) decode(r io.Reader, system string, parse func([]byte) (Record, error)) iter.Seq2[Record, error] {
	switch f.Format {
	case COCO:
		return readCOCO(r)
	case Karpathy:
		return readKarpathy(r, f.RestvalIsTrain)
	case List:
		return readList(r, parse)
	case Map:
		return readMap(r, system)
	case JSONL:
		return parseLines(r, func(_ int, line []byte) (Record, error) { return parse(line) })
	case Flickr:
		return gather(parseLines(r, parseFlickr))
	case FlickrCSV:
		return gather(parseLines(r, parseFlickrCSV))
	case Conceptual:
		return parseLines(r, parseConceptual)
	}
	return failed(fmt.Errorf("format %q is none of %s", f.Format, formats()))
}

// splitSystem splits FILE#SYSTEM, unless there is a file of the whole name.
func splitSystem(path string) (file, system string) {
	i := strings.LastIndexByte(path, '#')
	if i < 0 {
		return path, ""
	}
	if _, err := os.Lstat(path); err == nil {
		return path, ""
	}
	return path[:i], path[i+1:]
}

// failed is a sequence that ends before it begins.
func failed(err error) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) { yield(Record{}, err) }
}
