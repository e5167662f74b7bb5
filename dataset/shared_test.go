package dataset_test

import (
	"io"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/golden"
)

// TestFlickr8k reads the whole of Flickr8k: the captions of its official splits, and a
// photo for each record.
func TestFlickr8k(t *testing.T) {
	captions := golden.Shared(t, "data", "flickr8k", "captions.jsonl")
	for split, want := range map[string]int{"train": 6000, "val": 1000, "test": 1000, "": 8000} {
		records, err := dataset.LoadJSONL(captions, split)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) != want {
			t.Errorf("split %q: %d records, want %d", split, len(records), want)
		}
		for _, r := range records {
			if len(r.Captions) != 5 {
				t.Errorf("%s has %d captions", r.Image, len(r.Captions))
			}
		}
		if split != "" {
			checkPhotos(t, golden.Shared(t, "data", "flickr8k", "images_"+split+".tar"), records)
		}
	}
}

// checkPhotos holds that the archive has the records' photos and no other.
func checkPhotos(t *testing.T, path string, records []dataset.Record) {
	t.Helper()
	photos, err := dataset.OpenTar(path)
	if err != nil {
		t.Fatal(err)
	}
	defer photos.Close()
	if got := len(photos.Names()); got != len(records) {
		t.Errorf("%s: %d photos for %d records", path, got, len(records))
	}
	for _, r := range records {
		file, err := photos.Open(r.Image)
		if err != nil {
			t.Fatal(err)
		}
		begin := make([]byte, 2)
		if _, err := io.ReadFull(file, begin); err != nil || string(begin) != "\xff\xd8" {
			t.Errorf("%s begins with %x, %v: not a JPEG", r.Image, begin, err)
		}
		_ = file.Close()
	}
}

func TestCorpora(t *testing.T) {
	for name, want := range map[string]int{
		"flickr30k_train_captions_no_flickr8k.txt": 110_027,
		"coco_val2017_captions_no_cocomini.txt":    23_396,
	} {
		lines, err := dataset.LoadText(golden.Shared(t, "data", "text", name))
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != want {
			t.Errorf("%s: %d lines, want %d", name, len(lines), want)
		}
		for _, line := range lines {
			if strings.TrimSpace(line) != line || line == "" {
				t.Fatalf("%s: line %q is not trimmed", name, line)
			}
			checkSentence(t, line)
		}
	}
}
