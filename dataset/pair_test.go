package dataset_test

import (
	"errors"
	"fmt"
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

// pairing is a dataset.Pairing with its samples and what is odd about the references.
type pairing struct {
	*dataset.Pairing
	samples                              []dataset.Sample
	duplicateReferences, emptyReferences dataset.Names
}

// pairAll pairs results with references.
func pairAll(results, references iter.Seq2[dataset.Record, error]) (*pairing, error) {
	people, err := dataset.NewReferences(references)
	if err != nil {
		return nil, err
	}
	p, err := people.Pair(results)
	if err != nil {
		return nil, errors.Join(err, people.Close())
	}
	all := &pairing{p, nil, people.Duplicate, people.Empty}
	for sample, err := range p.Samples() {
		if err != nil {
			return nil, err
		}
		all.samples = append(all.samples, sample)
	}
	if len(all.samples) != p.Len() {
		return nil, fmt.Errorf("%d samples, said to be %d", len(all.samples), p.Len())
	}
	return all, errors.Join(p.Close(), people.Close())
}

// said is a result.
func said(image, caption string) dataset.Record {
	return dataset.Record{Image: image, Captions: []string{caption}}
}

func TestPairCountsEverything(t *testing.T) {
	got, err := pairAll(
		listed(said("b.jpg", "A cat."), said("a.jpg", " "), said("b.jpg", "Another."),
			said("unknown.jpg", "A hen."), said("silent.jpg", "A cow.")),
		listed(
			dataset.Record{Image: "a.jpg", Captions: []string{"A dog.", "\t"}},
			dataset.Record{Image: "b.jpg", Captions: []string{"A cat."}, Domain: "in-domain"},
			dataset.Record{Image: "b.jpg", Captions: []string{"A tom."}},
			dataset.Record{Image: "c.jpg", Captions: []string{"A cow."}},
			dataset.Record{Image: "silent.jpg"},
		))
	if err != nil {
		t.Fatal(err)
	}
	samples := []dataset.Sample{
		{Image: "b.jpg", Candidates: []string{"A cat."}, References: []string{"A cat.", "A tom."}, Domain: "in-domain"},
		{Image: "a.jpg", Candidates: []string{" "}, References: []string{"A dog."}},
	}
	if !reflect.DeepEqual(got.samples, samples) || got.By != "whole name" {
		t.Errorf("by %s: %+v, want %+v", got.By, got.samples, samples)
	}
	for what, names := range map[string]struct {
		got  dataset.Names
		want []string
	}{
		"duplicate results":    {got.DuplicateResults, []string{"b.jpg"}},
		"duplicate references": {got.duplicateReferences, []string{"b.jpg"}},
		"missing references":   {got.MissingReferences, []string{"unknown.jpg", "silent.jpg"}},
		"missing results":      {got.MissingResults, []string{"c.jpg"}},
		"empty results":        {got.EmptyResults, []string{"a.jpg"}},
		"empty references":     {got.emptyReferences, []string{"a.jpg", "silent.jpg"}},
		"ambiguous":            {got.Ambiguous, nil},
	} {
		if names.got.Count != len(names.want) || !reflect.DeepEqual(names.got.First, names.want) {
			t.Errorf("%s: %+v, want %q", what, names.got, names.want)
		}
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
		p, err := pairAll(listed(said(test.result, "A dog.")), listed(test.references...))
		if test.want == "" {
			if err == nil || !strings.HasPrefix(err.Error(), "no result has references") {
				t.Errorf("%q with %v: %+v, %v; want an error", test.result, test.references, p, err)
			}
			continue
		}
		if err != nil || p.By != test.by || len(p.samples) != 1 || p.samples[0].Image != test.want {
			t.Errorf("%q with %v: %+v, %v; want %q by %s", test.result, test.references, p, err, test.want, test.by)
		}
	}
}

// TestPairAmbiguous holds that a name that fits two images is listed and not scored,
// and that an image is scored once, by whichever name.
func TestPairAmbiguous(t *testing.T) {
	captions := []string{"A dog."}
	p, err := pairAll(
		listed(said("a", ""), said("b", ""), said("x/b.gif", "")),
		listed(dataset.Record{Image: "a.jpg", Captions: captions}, dataset.Record{Image: "a.png", Captions: captions},
			dataset.Record{Image: "b.jpg", Captions: captions}))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.samples) != 1 || !reflect.DeepEqual(p.Ambiguous.First, []string{"a"}) || !reflect.DeepEqual(p.DuplicateResults.First, []string{"x/b.gif"}) {
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
		if _, err := pairAll(test.results.Results(), test.references.References()); err == nil || !strings.Contains(err.Error(), test.want) {
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
		p, err := pairAll(
			detected(t, fixture("captions_results.json")).Results(),
			detected(t, fixture(file)).References())
		if err != nil {
			t.Fatal(err)
		}
		if p.By != by || !strings.HasSuffix(p.samples[0].Image, "COCO_val2014_000000391895.jpg") || len(p.samples[0].References) != 2 {
			t.Errorf("%s: %+v", file, p)
		}
	}
}

// TestCommon holds that the images of two systems are compared in one order.
func TestCommon(t *testing.T) {
	people, err := dataset.NewReferences(listed(said("a", "1"), said("b", "2"), said("c", "3"), said("d", "4")))
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	ours, err := people.Pair(listed(said("c", "our c"), said("a", "our a"), said("d", "our d")))
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs, err := people.Pair(listed(said("a", "their a"), said("b", "their b"), said("c", "their c")))
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	inOurs, inTheirs := dataset.Common(ours, theirs)
	for p, want := range map[*dataset.Pairing]string{
		inOurs: "our c|our a|", inTheirs: "their c|their a|", ours: "our c|our a|our d|", theirs: "their a|their b|their c|",
	} {
		got := ""
		for sample, err := range p.Samples() {
			if err != nil {
				t.Fatal(err)
			}
			got += sample.Candidates[0] + "|"
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestReplace holds that other results take the place of those that were paired, and
// that those without another are named.
func TestReplace(t *testing.T) {
	people, err := dataset.NewReferences(listed(said("a.jpg", "1"), said("b.jpg", "2"), said("c.jpg", "3")))
	if err != nil {
		t.Fatal(err)
	}
	defer people.Close()
	photos, err := people.Pair(listed(said("c", ""), said("x", ""), said("a", ""), said("b", "")))
	if err != nil {
		t.Fatal(err)
	}
	defer photos.Close()
	captions, lacking, err := photos.Replace(listed(said("a", "a dog")))
	if err != nil {
		t.Fatal(err)
	}
	defer captions.Close()
	for sample, err := range captions.Samples() {
		if err != nil || sample.Image != "a.jpg" || sample.Candidates[0] != "a dog" || sample.References[0] != "1" {
			t.Errorf("%+v, %v", sample, err)
		}
	}
	if captions.Len() != 1 || lacking.Count != 2 || !reflect.DeepEqual(lacking.First, []string{"c", "b"}) {
		t.Errorf("%d captions, %+v lack one", captions.Len(), lacking)
	}
	if _, _, err := photos.Replace(listed(said("a", ""), said("c", ""))); err == nil || !strings.Contains(err.Error(), `"c" is no result`) {
		t.Errorf("results in another order: %v", err)
	}
}
