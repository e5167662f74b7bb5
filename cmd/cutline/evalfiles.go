package main

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/cutline-go/cutline/dataset"
)

// captionFormats is what --references-format and its like may say.
const captionFormats = "auto,coco,karpathy,list,map,jsonl,flickr,flickr-csv,conceptual,shards,sidecars"

// evalFiles say what is scored against what.
type evalFiles struct {
	References       string `required:"" placeholder:"FILE" help:"What people said: COCO's annotations, Karpathy's JSON, Flickr's lists, nocaps, webdataset shards, JSON lines {image, captions}, a JSON map of names to captions, a folder of photos with texts."`
	ReferencesFormat string `default:"auto" enum:"${captionFormats}" help:"Format of that file where its content does not tell: ${enum}."`
	Split            string `placeholder:"NAME" help:"Only the references of a split, such as test."`
	Domain           string `placeholder:"NAME" help:"Only the references of a domain of nocaps, such as out-domain."`
	Results          string `placeholder:"FILE" help:"Captions to score, one for each image, in any of those formats; FILE.json#SYSTEM of a map of systems. Without it the model captions --photos."`
	ResultsFormat    string `default:"auto" enum:"${captionFormats}" help:"Format of that file and of --against: ${enum}."`
	Against          string `placeholder:"FILE" help:"Other captions: tell how much better the first ones are, by a paired bootstrap."`
	AllowDuplicates  bool   `help:"Where an image comes twice, take its first result and all its references, instead of failing."`
	Photos           string `placeholder:"PATH" help:"The photos: a folder or an uncompressed tar archive."`
}

// readReferences returns the references that are asked for.
func (f *evalFiles) readReferences() (*dataset.References, error) {
	file, err := captionFile(f.References, f.ReferencesFormat)
	if err != nil {
		return nil, err
	}
	defer file.Close() // what was read of it is kept
	references, err := dataset.NewReferences(f.chosen(file.References()))
	if err != nil {
		return nil, err
	}
	if references.Len() == 0 {
		err := fmt.Errorf("%s: no references%s%s", f.References, named(" of split ", f.Split), named(" of domain ", f.Domain))
		return nil, errors.Join(err, references.Close())
	}
	return references, nil
}

// chosen yields the records of the split and the domain that are asked for.
func (f *evalFiles) chosen(records iter.Seq2[dataset.Record, error]) iter.Seq2[dataset.Record, error] {
	return func(yield func(dataset.Record, error) bool) {
		for r, err := range records {
			other := f.Split != "" && r.Split != f.Split || f.Domain != "" && r.Domain != f.Domain
			if (err != nil || !other) && !yield(r, err) {
				return
			}
		}
	}
}

// named is a value after what it is, and nothing if there is none.
func named(what, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf("%s%q", what, value)
}

// pairResults returns the captions of a file with their references. Where sets are
// scored, an image may have several.
func (f *evalFiles) pairResults(name string, references *dataset.References, sets bool) (*captionSet, error) {
	file, err := captionFile(name, f.ResultsFormat)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	results := file.Results()
	if sets {
		results = file.Sets()
	}
	pairing, err := references.Pair(nonEmpty(name, results))
	if err != nil {
		if !strings.HasPrefix(err.Error(), name+":") {
			err = fmt.Errorf("%s and %s: %w", name, f.References, err)
		}
		return nil, err
	}
	set := newCaptionSet(pairing, references, "result")
	if err := f.checkDuplicates(set, name); err != nil {
		return nil, errors.Join(err, set.close())
	}
	return set, nil
}

// checkDuplicates fails where an image comes twice, unless that is allowed: which of
// its captions counts is not for a program to guess.
func (f *evalFiles) checkDuplicates(set *captionSet, results string) error {
	if f.AllowDuplicates {
		return nil
	}
	for _, twice := range []struct {
		file, what string
		images     dataset.Names
	}{
		{results, "results", set.pairing.DuplicateResults},
		{f.References, "references", set.references.Duplicate},
	} {
		if twice.images.Count > 0 {
			return &failure{
				fmt.Errorf("%s: %s for an image that has some already: %d, such as %q",
					twice.file, twice.what, twice.images.Count, twice.images.First[0]),
				"--allow-duplicates takes the first result and all references",
			}
		}
	}
	return nil
}

func captionFile(path, format string) (dataset.File, error) {
	if format == "auto" {
		format = ""
	}
	return dataset.Open(path, dataset.Format(format))
}
