package dataset_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
)

// TestMalformed holds that an error names the file, the place and the field.
func TestMalformed(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, test := range []struct {
		name   string
		format dataset.Format
		text   string
		want   string
	}{
		{"no captions at all", dataset.COCO, `{"info": {}}`, `fields "images" and "annotations" are missing`},
		{"an image without id", dataset.COCO, `{"images": [{"id": 1}, {"file_name": "a"}]}`, `images[1]: field "id" is missing`},
		{"an image twice", dataset.COCO, `{"images": [{"id": 1}, {"id": 1}]}`, `images[1]: image 1 comes twice`},
		{"a fractional id", dataset.COCO, `{"images": [{"id": 1.5}]}`, `images[0]: field "id": unexpected 1.5`},
		{"instances", dataset.COCO, `{"annotations": [{"image_id": 1, "bbox": []}]}`, `annotations[0]: field "caption" is missing`},
		{"no image_id", dataset.COCO, `{"annotations": [{"id": 1, "caption": "a"}]}`, `annotations[0]: field "image_id" is missing`},
		{"an image not listed", dataset.COCO, `{"annotations": [{"image_id": 7, "caption": "a"}], "images": []}`, `annotations[0]: field "image_id": no image is 7`},
		{"a number for a caption", dataset.COCO, `{"annotations": [{"image_id": 7, "caption": 3}]}`, `annotations[0]: field "caption": unexpected number`},
		{"annotations that are no list", dataset.COCO, `{"annotations": {}}`, `annotations[0]: after byte 14: "{", not "["`},
		{"an array for an object", dataset.COCO, `[]`, `after byte 0: "[", not "{"`},
		{"cut off", dataset.COCO, `{"annotations": [{"image_id": 7, "cap`, `annotations[0]: the file ends within its JSON`},
		{"cut off between elements", dataset.COCO, `{"annotations": [`, `annotations[0]: the file ends within its JSON`},
		{"cut off after elements", dataset.COCO, `{"annotations": [{"image_id": 7, "caption": "a"}`, `annotations[1]: the file ends within its JSON`},
		{"more after the end", dataset.COCO, `{"images": []} {}`, `after byte 14: more, though the JSON ends`},
		{"a long element", dataset.COCO, `{"images": [{"id": 1, "url": "` + long + `"}]}`, `images[0]: after byte 12: a value longer than 1048576 bytes`},
		{"not UTF-8", dataset.COCO, "{\"info\": \"caf\xe9\"}", `at byte 13: not UTF-8`},
		{"cut off in a character", dataset.COCO, "{\"info\": \"caf\xc3", `at byte 13: not UTF-8`},

		{"no images", dataset.Karpathy, `{"dataset": "coco"}`, `field "images" is missing`},
		{"no filename", dataset.Karpathy, `{"images": [{"split": "val"}]}`, `images[0]: field "filename" is missing`},
		{"no split", dataset.Karpathy, `{"images": [{"filename": "a"}]}`, `images[0]: field "split" is missing`},
		{"no raw", dataset.Karpathy, `{"images": [{"filename": "a", "split": "val", "sentences": [{}]}]}`, `images[0]: sentences[0]: field "raw" is missing`},
		{"a list for raw", dataset.Karpathy, `{"images": [{"sentences": [{"raw": []}]}]}`, `images[0]: field "sentences.raw": unexpected array`},

		{"no image", dataset.List, `[{"image": "a", "caption": "b"}, {"caption": "a dog"}]`, `[1]: field "image" is missing, and so is "image_id"`},
		{"no caption", dataset.List, `[{"image_id": 1}]`, `[0]: field "caption" is missing, and so is "captions"`},
		{"a string in the list", dataset.List, `["a dog"]`, `[0]: unexpected string`},
		{"an object for a caption", dataset.List, `[{"image_id": 1, "caption": {}}]`, `[0]: field "caption": unexpected object`},
		{"true for an id", dataset.List, `[{"image_id": true, "caption": ""}]`, `[0]: field "image_id": unexpected true`},
		{"no comma", dataset.List, `[{"image_id": 1, "caption": ""} {}]`, `[1]: after byte 32: expected comma after array element`},

		{"systems without a choice", dataset.Map, `{"magic": {"a": "b"}}`, `"magic": a map within the map: name it, as FILE.json#NAME`},
		{"a number", dataset.Map, `{"a": 3}`, `"a": unexpected 3, not a caption`},
		{"lists in a list", dataset.Map, `{"a": ["b", ["c"]]}`, `"a": unexpected "[" among captions`},
		{"no name", dataset.Map, `{"": "b"}`, `"": an image without a name`},
		{"a long list", dataset.Map, `{"a": ["` + long[:1<<19] + `", "` + long[:1<<19] + `"]}`, `"a": after byte 1: a value longer than 1048576 bytes`},

		{"no object", dataset.JSONL, "{\"image\": \"a\", \"caption\": \"b\"}\n\n[]", `line 3: unexpected array`},
		{"no image in a line", dataset.JSONL, `{"caption": "b"}`, `line 1: field "image" is missing, and so is "image_id"`},
		{"a long line", dataset.JSONL, "\n" + long, `line 2: longer than 1048576 bytes`},
		{"a line not UTF-8", dataset.JSONL, "{\"image\": \"caf\xe9\"}", `line 1: not UTF-8`},

		{"no number", dataset.Flickr, "a.jpg#0\tA dog.\nb.jpg\tA cat.", `line 2: "b.jpg" is not a photo's name, # and a number`},
		{"no number", dataset.FlickrCSV, "image_name| comment_number| comment\nb.jpg| A cat.", `line 2: "b.jpg| A cat." is not a photo's name, a bar and a number`},
		{"a heading in the middle", dataset.FlickrCSV, "a.jpg| 0| A.\nimage_name| comment_number| comment", `line 2: "image_name| comment_number| comment" is not a photo's name, a bar and a number`},
		{"labels", dataset.Conceptual, "a dog\thttp://a\tdog", `line 1: 3 fields, not a caption and an address`},
		{"an unknown format", "xml", "<a/>", `format "xml" is none of [coco karpathy list map jsonl flickr flickr-csv conceptual shards sidecars]`},
	} {
		path := write(t, "captions", test.text)
		_, err := references(dataset.File{Path: path, Format: test.format})
		if want := path + ": " + test.want; message(err) != want && !strings.HasPrefix(message(err), want+": ") {
			t.Errorf("%s, %s:\ngot  %v\nwant %s", test.format, test.name, err, want)
		}
	}
}

// TestMissingFile holds that the path is named once.
func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing")
	for _, format := range []dataset.Format{dataset.COCO, dataset.Shards} {
		_, err := references(dataset.File{Path: path, Format: format})
		if !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v", format, err)
		}
	}
	if _, err := dataset.Open(path, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open: %v", err)
	}
}

func TestSystems(t *testing.T) {
	path := write(t, "systems.json", `{"one": {"a": "b"}, "two": {"a": 3}}`)
	for system, want := range map[string]string{
		"three": `no "three" among ["one" "two"]`,
		"two":   `"two": "a": unexpected 3, not a caption`,
	} {
		_, err := results(dataset.File{Path: path + "#" + system, Format: dataset.Map})
		if want := path + "#" + system + ": " + want; message(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := results(dataset.File{Path: path + "#one", Format: dataset.List}); err == nil {
		t.Error("a list with systems is read")
	}
}

func TestOpenRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "the file is empty",
		"\n \n":                 "the file is empty",
		"a dog":                 `begins with "a dog", which is none of the formats`,
		"a dog\ta cat":          `begins with "a dog\ta cat", which is none of the formats`,
		`{"images": [`:          "the file ends within its JSON",
		"{\"a\xff\": \"A dog\"": "at byte 3: not UTF-8",
	} {
		path := write(t, "captions", text)
		if _, err := dataset.Open(path, ""); !strings.HasPrefix(message(err), path+": "+want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestMalformedShards(t *testing.T) {
	for _, test := range []struct {
		name, content, want string
	}{
		{"a.txt", "caf\xe9", `entry "a.txt": not UTF-8`},
		{"a.json", `{"caption": 3}`, `entry "a.json": field "caption": unexpected number`},
		{"a.json", `{"caption": "a"`, `entry "a.json": the file ends within its JSON`},
		{"a.txt", strings.Repeat("x", 1<<20+1), `entry "a.txt": longer than 1048576 bytes`},
	} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "0.tar"), pack(t, test.name, test.content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := references(dataset.File{Path: folder, Format: dataset.Shards})
		if want := folder + ": 0.tar: " + test.want; message(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	empty := t.TempDir()
	if _, err := references(dataset.File{Path: empty, Format: dataset.Shards}); message(err) != empty+": no tar archives" {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestMalformedSidecar(t *testing.T) {
	path := write(t, "a.txt", "caf\xe9")
	folder := filepath.Dir(path)
	_, err := references(dataset.File{Path: folder, Format: dataset.Sidecars})
	if want := folder + ": a.txt: not UTF-8"; message(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
