package dataset_test

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cutline-go/cutline/dataset"
)

// pack makes an archive of one file.
func pack(t testing.TB, name, content string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// fuzzFormat feeds bytes to both readers of a format, beginning with the fixtures,
// and holds that they end with one error of one line, or give images with names.
func fuzzFormat(f *testing.F, format dataset.Format, fixtures ...string) {
	for _, name := range fixtures {
		text, err := os.ReadFile(fixture(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	path := filepath.Join(f.TempDir(), "captions")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		file := dataset.File{Path: path, Format: format}
		records, err := references(file)
		checkError(t, path, err)
		for _, r := range records {
			if r.Image == "" {
				t.Errorf("a record without an image: %+v", r)
			}
			if format != dataset.Shards && !utf8.ValidString(r.Image+strings.Join(r.Captions, "")) {
				t.Errorf("a record that is not UTF-8: %+q", r)
			}
		}
		_, err = results(file)
		checkError(t, path, err)
		_, err = dataset.Open(path, "")
		checkError(t, path, err)
	})
}

func checkError(t *testing.T, path string, err error) {
	t.Helper()
	if err != nil && (!strings.HasPrefix(err.Error(), path+": ") || strings.Contains(err.Error(), "\n")) {
		t.Errorf("the error does not begin with the file, or takes several lines: %q", err)
	}
}

func FuzzCOCO(f *testing.F) {
	fuzzFormat(f, dataset.COCO, "captions_val2014.json", "nocaps_val.json")
}

func FuzzKarpathy(f *testing.F) {
	fuzzFormat(f, dataset.Karpathy, "dataset_coco.json", "dataset_flickr30k.json")
}

func FuzzList(f *testing.F) {
	fuzzFormat(f, dataset.List, "captions_results.json", "magic_result.json", "train_caption.json")
}

func FuzzMap(f *testing.F) {
	fuzzFormat(f, dataset.Map, "candidates.json", "references.json", "systems.json")
}

func FuzzJSONL(f *testing.F) { fuzzFormat(f, dataset.JSONL, "captions.jsonl", "cutline.jsonl") }

func FuzzFlickr(f *testing.F) { fuzzFormat(f, dataset.Flickr, "results_20130124.token") }

func FuzzFlickrCSV(f *testing.F) { fuzzFormat(f, dataset.FlickrCSV, "results.csv") }

func FuzzConceptual(f *testing.F) { fuzzFormat(f, dataset.Conceptual, "conceptual.tsv") }

func FuzzShards(f *testing.F) {
	fuzzFormat(f, dataset.Shards, filepath.Join("shards", "000.tar"), filepath.Join("shards", "001.tar"))
}
