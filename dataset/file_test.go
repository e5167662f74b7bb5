package dataset_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
)

// references reads all references of a file.
func references(f dataset.File) (records []dataset.Record, err error) {
	for r, err := range f.References() {
		if err != nil {
			return records, err
		}
		records = append(records, r)
	}
	return records, nil
}

// results reads all results of a file.
func results(f dataset.File) (list []dataset.Record, err error) {
	for r, err := range f.Results() {
		if err != nil {
			return list, err
		}
		list = append(list, r)
	}
	return list, nil
}

// detected is the file of testdata/formats in the format that it is found to be in.
func detected(t *testing.T, path string) dataset.File {
	t.Helper()
	file, err := dataset.Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func fixture(name string) string { return filepath.Join("testdata", "formats", name) }

func TestReferences(t *testing.T) {
	for _, test := range []struct {
		file   string
		format dataset.Format
		want   []dataset.Record
	}{
		{"captions_val2014.json", dataset.COCO, []dataset.Record{
			{Image: "COCO_val2014_000000000042.jpg", ID: "42", Captions: []string{"A dog under a shoe rack."}},
			{Image: "COCO_val2014_000000391895.jpg", ID: "391895", Captions: []string{"A man on a moped.", "A rider on a dirt road.\n"}},
			{Image: "COCO_val2014_000000000073.jpg", ID: "73"},
		}},
		{"nocaps_val.json", dataset.COCO, []dataset.Record{
			{Image: "0013ea2087020901.jpg", ID: "0", Domain: "in-domain", Captions: []string{"A baby stands by a house.", "A small child outdoors."}},
			{Image: "001464cd03d0a8ee", ID: "2", Domain: "out-domain", Captions: []string{"An accordion on a chair."}},
			{Image: "0015c7c0f3ed4f5c.jpg", ID: "1", Domain: "near-domain", Captions: []string{"A lobster beside a whisk."}},
		}},
		{"dataset_coco.json", dataset.Karpathy, []dataset.Record{
			{Image: "val2014/COCO_val2014_000000391895.jpg", ID: "391895", Split: "test", Captions: []string{"A man.", "A moped."}},
			{Image: "val2014/COCO_val2014_000000000042.jpg", ID: "42", Split: "restval", Captions: []string{"A dog."}},
			{Image: "train2014/COCO_train2014_000000000009.jpg", ID: "9", Split: "train", Captions: []string{"Food."}},
		}},
		{"dataset_flickr30k.json", dataset.Karpathy, []dataset.Record{
			{Image: "1000092795.jpg", Split: "val", Captions: []string{"Two men."}},
		}},
		{"magic_result.json", dataset.List, []dataset.Record{
			{Image: "COCO_val2014_000000391895.jpg", Split: "test", Captions: []string{"A man.", "A moped."}},
		}},
		{"train_caption.json", dataset.List, []dataset.Record{
			{Image: "522418", ID: "522418", Captions: []string{"A woman cutting a cake.", "A woman in a net."}},
			{Image: "184613", ID: "184613", Captions: []string{"A child with an umbrella."}},
		}},
		{"references.json", dataset.Map, []dataset.Record{
			{Image: "image1", Captions: []string{"two cats", "a grey cat"}},
			{Image: "image2", Captions: []string{"a dog in ear muffs"}},
			{Image: "image3"}, {Image: "image4"},
		}},
		{"systems.json#two", dataset.Map, []dataset.Record{
			{Image: "a.jpg", Captions: []string{"A cat."}}, {Image: "b.jpg", Captions: []string{"A hen."}},
		}},
		{"captions.jsonl", dataset.JSONL, []dataset.Record{
			{Image: "a.jpg", Split: "val", Captions: []string{"A dog.", "A pup."}}, {Image: "b.jpg", Captions: []string{}},
		}},
		{"results_20130124.token", dataset.Flickr, []dataset.Record{
			{Image: "1000092795.jpg", Captions: []string{"Two young guys .", `Two men " outside .`, "Two friends ."}},
			{Image: "10002456.jpg", Captions: []string{"Several men | at work ."}},
		}},
		{"results.csv", dataset.FlickrCSV, []dataset.Record{
			{Image: "1000092795.jpg", Captions: []string{"Two young guys .", "Two men | outside ."}},
			{Image: "2199200615.jpg", Captions: []string{"A dog runs across the grass ."}},
		}},
		{"conceptual.tsv", dataset.Conceptual, []dataset.Record{
			{Image: "00000000.jpg", ID: "http://example.org/1.jpg", Captions: []string{`author : a life in "photography`}},
			{Image: "00000002.jpg", ID: "https://example.org/b?x=1#2", Captions: []string{`a hen " in the yard`}},
		}},
		{"shards", dataset.Shards, []dataset.Record{
			{Image: "0001.jpg", Captions: []string{"A dog.", "A pup."}},
			{Image: "0002.jpg", Captions: []string{"A cat."}},
			{Image: "0003.png"},
			{Image: "sub/0004", Captions: []string{"A hen."}},
		}},
		{"shards/001.tar", dataset.Shards, []dataset.Record{
			{Image: "0003.png"}, {Image: "sub/0004", Captions: []string{"A hen."}},
		}},
		{"sidecars", dataset.Sidecars, []dataset.Record{
			{Image: "a.jpg", Captions: []string{"A dog.", "A pup."}},
			{Image: "c.webp"},
			{Image: "lone", Captions: []string{"A hen."}},
			{Image: "sub/b.PNG", Captions: []string{"A cat."}},
		}},
	} {
		f := detected(t, fixture(test.file))
		if f.Format != test.format {
			t.Errorf("%s: format %s, want %s", test.file, f.Format, test.format)
		}
		got, err := references(f)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", test.file, err, got, test.want)
		}
	}
}

// TestRestval holds that the one split changes, and changes where it is asked for.
func TestRestval(t *testing.T) {
	f := detected(t, fixture("dataset_coco.json"))
	f.RestvalIsTrain = true
	got, err := references(f)
	if err != nil {
		t.Fatal(err)
	}
	var splits []string
	for _, r := range got {
		splits = append(splits, r.Split)
	}
	if want := []string{"test", "train", "train"}; !reflect.DeepEqual(splits, want) {
		t.Errorf("splits %v, want %v", splits, want)
	}
}

func TestResults(t *testing.T) {
	for file, want := range map[string][]dataset.Record{
		"captions_results.json": {{Image: "391895", ID: "391895", Captions: []string{"a man on a moped"}}, {Image: "42", ID: "42", Captions: []string{""}}},
		"magic_result.json":     {{Image: "COCO_val2014_000000391895.jpg", Split: "test", Captions: []string{"A view of a traffic light."}}},
		"train_caption.json": { // twice the same image: a Pairing counts it
			{Image: "522418", ID: "522418", Captions: []string{"A woman cutting a cake."}},
			{Image: "184613", ID: "184613", Captions: []string{"A child with an umbrella."}},
			{Image: "522418", ID: "522418", Captions: []string{"A woman in a net."}},
		},
		"candidates.json":  {{Image: "image1", Captions: []string{"an orange cat"}}, {Image: "image2", Captions: []string{"a dog"}}},
		"systems.json#one": {{Image: "a.jpg", Captions: []string{"A dog."}}},
		"cutline.jsonl":    {{Image: "photos/a.jpg", Captions: []string{"A dog runs."}}, {Image: "b.jpg", Captions: []string{"A cat."}}},
		"nocaps_val.json":  nil,
		"shards/001.tar":   {{Image: "0003.png"}, {Image: "sub/0004", Captions: []string{"A hen."}}},
	} {
		got, err := results(detected(t, fixture(file)))
		if want == nil {
			if err == nil || !strings.HasSuffix(err.Error(), "has 2 captions, but a result is one") {
				t.Errorf("%s: %+v, %v; want an error about several captions", file, got, err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", file, err, got, want)
		}
	}
}

// TestSets holds that all captions of an image are one set, be they listed together or
// all over the file, and that what a system said is preferred to what people said.
func TestSets(t *testing.T) {
	for file, want := range map[string]string{
		"train_caption.json": "522418: A woman cutting a cake.|A woman in a net. 184613: A child with an umbrella. ",
		"magic_result.json":  "COCO_val2014_000000391895.jpg: A view of a traffic light. ",
		"systems.json#two":   "a.jpg: A cat. b.jpg: A hen. ",
		"n-best.jsonl":       "a.jpg: A dog runs.|A dog. b.jpg: A cat.|A hen. ",
	} {
		got := ""
		for r, err := range detected(t, fixture(file)).Sets() {
			if err != nil {
				t.Fatal(err)
			}
			got += r.Image + ": " + strings.Join(r.Captions, "|") + " "
		}
		if got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

// TestByteOrderMark reads every fixture as a Windows editor saves it.
func TestByteOrderMark(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("testdata", "formats"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() || e.Name() == "systems.json" {
			continue
		}
		text, err := os.ReadFile(fixture(e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		marked := write(t, e.Name(), "\uFEFF"+strings.ReplaceAll(string(text), "\n", "\r\n"))
		got, err := references(detected(t, marked))
		want, _ := references(detected(t, fixture(e.Name())))
		if err != nil || len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", e.Name(), err, got, want)
		}
	}
}

// TestStopReading leaves the sequence of each format after the first record.
func TestStopReading(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("testdata", "formats"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := fixture(e.Name())
		if e.Name() == "systems.json" {
			name += "#two"
		}
		f := detected(t, name)
		for range f.References() {
			break
		}
		for range f.Results() {
			break
		}
	}
}

// TestSystemOrFile holds that a "#" in a file's own name is no system.
func TestSystemOrFile(t *testing.T) {
	path := write(t, "a#b.json", `{"a.jpg": "A dog."}`)
	got, err := results(detected(t, path))
	if want := []dataset.Record{{Image: "a.jpg", Captions: []string{"A dog."}}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// TestEmptyCaption holds that an image with an empty caption is read, and not left out.
func TestEmptyCaption(t *testing.T) {
	for text, want := range map[string]string{
		"a.jpg#0\t": "a.jpg",
		"image_name| comment_number| comment\na.jpg| 0| ":   "a.jpg",
		"\thttp://example.org/a":                            "00000000.jpg",
		`{"a.jpg": null}`:                                   "a.jpg",
		`[{"image_id": 7, "caption": null}]`:                "7",
		`{"image": "a.jpg", "caption": ""}`:                 "a.jpg",
		`{"annotations": [{"image_id": 7, "caption": ""}]}`: "7",
	} {
		got, err := results(detected(t, write(t, "captions", text)))
		if err != nil || len(got) != 1 || got[0].Image != want || strings.Join(got[0].Captions, "") != "" {
			t.Errorf("%q: %+v, %v; want %s without words", text, got, err, want)
		}
	}
}
