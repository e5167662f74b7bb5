package dataset_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/golden"
)

// TestMetricCheck pairs each system's captions of COCO's Karpathy test with its
// references: all of them, and nothing is odd about the references.
func TestMetricCheck(t *testing.T) {
	predictions := golden.Shared(t, "data", "metric_check", "coco_karpathy_test_preds.json")
	people := golden.Shared(t, "data", "metric_check", "coco_karpathy_test_refs.json")
	var systems map[string]map[string]string
	decodeFile(t, predictions, &systems)
	var captions map[string][]string
	decodeFile(t, people, &captions)
	for name, system := range systems {
		p, err := pairAll(detected(t, predictions+"#"+name).Results(), detected(t, people).References())
		if err != nil {
			t.Fatal(err)
		}
		if len(p.samples) != len(system) || p.By != "whole name" || p.MissingResults.Count != len(captions)-len(system) {
			t.Errorf("%s: %d samples by %s, %d without result; want %d, %d", name, len(p.samples), p.By,
				p.MissingResults.Count, len(system), len(captions)-len(system))
		}
		if odd := p.DuplicateResults.Count + p.duplicateReferences.Count + p.MissingReferences.Count + p.Ambiguous.Count +
			p.EmptyResults.Count + p.emptyReferences.Count; odd > 0 {
			t.Errorf("%s: %d images are odd", name, odd)
		}
		for _, s := range p.samples {
			if s.Candidates[0] != system[s.Image] || strings.Join(s.References, "\n") != strings.Join(captions[s.Image], "\n") {
				t.Errorf("%s: %+v is not what the file holds", name, s)
			}
		}
	}
}

// TestMAGIC reads the file of MAGIC, which holds both sides, and pairs it with
// the same references elsewhere.
func TestMAGIC(t *testing.T) {
	file := detected(t, golden.Shared(t, "fixtures", "metrics", "magic_mscoco_magic_result.json"))
	own, err := pairAll(file.Results(), file.References())
	if err != nil {
		t.Fatal(err)
	}
	other, err := pairAll(file.Results(),
		detected(t, golden.Shared(t, "data", "metric_check", "coco_karpathy_test_refs.json")).References())
	if err != nil {
		t.Fatal(err)
	}
	if len(own.samples) != 4982 || len(own.samples) != len(other.samples) {
		t.Fatalf("%d and %d samples, want 4982", len(own.samples), len(other.samples))
	}
	for i, s := range own.samples {
		if o := other.samples[i]; s.Image != o.Image || s.Candidates[0] != o.Candidates[0] {
			t.Errorf("sample %d: %+v and %+v", i, s, o)
		}
	}
}

// TestFakeCaptions pairs coco-caption's own example, which numbers its images, with
// references that name them: one image in five of val2014's is in Karpathy's test.
func TestFakeCaptions(t *testing.T) {
	file := detected(t, golden.Shared(t, "fixtures", "metrics", "captions_val2014_fakecap_results.json"))
	p, err := pairAll(file.Results(),
		detected(t, golden.Shared(t, "data", "metric_check", "coco_karpathy_test_refs.json")).References())
	if err != nil {
		t.Fatal(err)
	}
	if p.By != "number" || len(p.samples)+p.MissingReferences.Count != 1000 || len(p.samples) < 50 {
		t.Errorf("by %s: %d samples, %d without references", p.By, len(p.samples), p.MissingReferences.Count)
	}
}

// TestCLIPScoreFiles reads the candidates and references of the clipscore README.
func TestCLIPScoreFiles(t *testing.T) {
	people := detected(t, golden.Shared(t, "fixtures", "clipscore", "refs.json"))
	for _, name := range []string{"good_captions.json", "bad_captions.json"} {
		p, err := pairAll(detected(t, golden.Shared(t, "fixtures", "clipscore", name)).Results(), people.References())
		if err != nil {
			t.Fatal(err)
		}
		if len(p.samples) != 2 || len(p.samples[0].References) != 3 || len(p.samples[1].References) != 3 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestPhotoManifest holds that the photos without captions are listed.
func TestPhotoManifest(t *testing.T) {
	file := detected(t, golden.Shared(t, "data", "photos", "manifest.jsonl"))
	records, err := references(file)
	if err != nil {
		t.Fatal(err)
	}
	var answers []dataset.Record
	silent := 0
	for _, r := range records {
		answers = append(answers, said(r.Image, "A photo."))
		if len(r.Captions) == 0 {
			silent++
		}
	}
	p, err := pairAll(listed(answers...), file.References())
	if err != nil {
		t.Fatal(err)
	}
	if silent == 0 || p.emptyReferences.Count != silent || p.MissingReferences.Count != silent || len(p.samples) != len(records)-silent {
		t.Errorf("%d of %d photos are silent: %d samples, %v", silent, len(records), len(p.samples), p.emptyReferences)
	}
}

// TestFlickr8kShard reads an archive of photos alone.
func TestFlickr8kShard(t *testing.T) {
	file := detected(t, golden.Shared(t, "data", "flickr8k", "images_test.tar"))
	records, err := references(file)
	if err != nil || file.Format != dataset.Shards || len(records) != 1000 {
		t.Errorf("%s: %d records, %v", file.Format, len(records), err)
	}
}

// decodeFile reads a JSON file as a whole, as the readers do not.
func decodeFile(t *testing.T, path string, value any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, value); err != nil {
		t.Fatal(err)
	}
}
