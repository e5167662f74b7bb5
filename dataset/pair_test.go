package dataset_test

import (
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
)

// listed is a sequence without errors.
func listed[T any](list ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range list {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func TestPairCountsEverything(t *testing.T) {
	got, err := dataset.Pair(
		listed(
			dataset.Result{Image: "b.jpg", Caption: "A cat."},
			dataset.Result{Image: "a.jpg", Caption: " "},
			dataset.Result{Image: "b.jpg", Caption: "Another."},
			dataset.Result{Image: "unknown.jpg", Caption: "A hen."},
			dataset.Result{Image: "silent.jpg", Caption: "A cow."},
		),
		listed(
			dataset.Record{Image: "a.jpg", Captions: []string{"A dog.", "\t"}},
			dataset.Record{Image: "b.jpg", Captions: []string{"A cat."}, Domain: "in-domain"},
			dataset.Record{Image: "b.jpg", Captions: []string{"A tom."}},
			dataset.Record{Image: "c.jpg", Captions: []string{"A cow."}},
			dataset.Record{Image: "silent.jpg"},
		))
	want := &dataset.Pairing{
		By: "whole name",
		Samples: []dataset.Sample{
			{Image: "b.jpg", Candidate: "A cat.", References: []string{"A cat.", "A tom."}, Domain: "in-domain"},
			{Image: "a.jpg", Candidate: " ", References: []string{"A dog."}},
		},
		DuplicateResults:    []string{"b.jpg"},
		DuplicateReferences: []string{"b.jpg"},
		MissingReferences:   []string{"unknown.jpg", "silent.jpg"},
		MissingResults:      []string{"c.jpg"},
		EmptyResults:        []string{"a.jpg"},
		EmptyReferences:     []string{"a.jpg", "silent.jpg"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
}

// TestPairNames pairs one result with references; want is the image, and by the rule.
func TestPairNames(t *testing.T) {
	for _, test := range []struct {
		result     string
		references []dataset.Record
		want, by   string
	}{
		{"a.jpg", []dataset.Record{{Image: "a.png"}, {Image: "a.jpg"}}, "a.jpg", "whole name"},
		{"391895", []dataset.Record{{Image: "x.jpg", ID: "391895"}}, "x.jpg", "whole name"},
		{"a.jpg", []dataset.Record{{Image: "val/a.jpg"}}, "val/a.jpg", "name without folders"},
		{"photos/a.jpg", []dataset.Record{{Image: "a.jpg"}}, "a.jpg", "name without folders"},
		{"image1", []dataset.Record{{Image: "image1.jpg"}, {Image: "image2.jpg"}}, "image1.jpg", "name without folders and extension"},
		{"391895", []dataset.Record{{Image: "val2014/COCO_val2014_000000391895.jpg"}}, "val2014/COCO_val2014_000000391895.jpg", "number"},
		{"COCO_val2014_000000391895.jpg", []dataset.Record{{Image: "391895"}}, "391895", "number"},
		{"0", []dataset.Record{{Image: "photo-000.jpg"}}, "photo-000.jpg", "number"},
		{"7", []dataset.Record{{Image: "photo7.jpg"}}, "", ""},              // no separator: the 7 may be anything
		{"1", []dataset.Record{{Image: "0015c7c0f3ed4f51"}}, "", ""},        // a hexadecimal name's digit
		{"", []dataset.Record{{Image: ".txt"}, {Image: "a"}}, "", ""},       // names without a key never meet
		{"a", []dataset.Record{{Image: "a.jpg"}, {Image: "a.png"}}, "", ""}, // ambiguous
	} {
		for i := range test.references {
			test.references[i].Captions = []string{"A dog."}
		}
		p, err := dataset.Pair(listed(dataset.Result{Image: test.result, Caption: "A dog."}), listed(test.references...))
		if test.want == "" {
			if err == nil || !strings.HasPrefix(err.Error(), "no result has references") {
				t.Errorf("%q with %v: %+v, %v; want an error", test.result, test.references, p, err)
			}
			continue
		}
		if err != nil || p.By != test.by || len(p.Samples) != 1 || p.Samples[0].Image != test.want {
			t.Errorf("%q with %v: %+v, %v; want %q by %s", test.result, test.references, p, err, test.want, test.by)
		}
	}
}

// TestPairAmbiguous holds that a name that fits two images is listed and not scored,
// and that an image is scored once, by whichever name.
func TestPairAmbiguous(t *testing.T) {
	captions := []string{"A dog."}
	p, err := dataset.Pair(
		listed(dataset.Result{Image: "a"}, dataset.Result{Image: "b"}, dataset.Result{Image: "x/b.gif"}),
		listed(dataset.Record{Image: "a.jpg", Captions: captions}, dataset.Record{Image: "a.png", Captions: captions},
			dataset.Record{Image: "b.jpg", Captions: captions}))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Samples) != 1 || !reflect.DeepEqual(p.Ambiguous, []string{"a"}) || !reflect.DeepEqual(p.DuplicateResults, []string{"x/b.gif"}) {
		t.Errorf("%+v", p)
	}
}

// TestPairErrors holds that either file's error is the answer, and that nothing to
// score is an error.
func TestPairErrors(t *testing.T) {
	missing := dataset.File{Path: fixture("missing.json"), Format: dataset.Map}
	present := dataset.File{Path: fixture("candidates.json"), Format: dataset.Map}
	empty := dataset.File{Path: write(t, "empty.json", "{}"), Format: dataset.Map}
	for _, test := range []struct {
		results, references dataset.File
		want                string
	}{
		{missing, present, "missing.json"},
		{present, missing, "missing.json"},
		{empty, present, "there are no results, or no references"},
		{present, empty, "there are no results, or no references"},
		{present, dataset.File{Path: fixture("dataset_coco.json"), Format: dataset.Karpathy},
			`results have images like "image1", references like "val2014/COCO_val2014_000000391895.jpg"`},
	} {
		if _, err := dataset.Pair(test.results.Results(), test.references.References()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// TestPairFixtures pairs results of COCO's shape with all that names COCO's images.
func TestPairFixtures(t *testing.T) {
	for file, by := range map[string]string{
		"captions_val2014.json": "whole name",
		"dataset_coco.json":     "whole name",
		"magic_result.json":     "number",
	} {
		p, err := dataset.Pair(
			detected(t, fixture("captions_results.json")).Results(),
			detected(t, fixture(file)).References())
		if err != nil {
			t.Fatal(err)
		}
		if p.By != by || !strings.HasSuffix(p.Samples[0].Image, "COCO_val2014_000000391895.jpg") || len(p.Samples[0].References) != 2 {
			t.Errorf("%s: %+v", file, p)
		}
	}
}
