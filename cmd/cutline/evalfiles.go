package main

import (
	"fmt"
	"iter"

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
func (f *evalFiles) readReferences() ([]dataset.Record, error) {
	file, err := captionFile(f.References, f.ReferencesFormat)
	if err != nil {
		return nil, err
	}
	var records []dataset.Record
	for record, err := range file.References() {
		if err != nil {
			return nil, err
		}
		if (f.Split == "" || record.Split == f.Split) && (f.Domain == "" || record.Domain == f.Domain) {
			records = append(records, record)
		}
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%s: no references%s%s", f.References, named(" of split ", f.Split), named(" of domain ", f.Domain))
	}
	return records, nil
}

// named is a value after what it is, and nothing if there is none.
func named(what, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf("%s%q", what, value)
}

// pairResults returns the captions of a file with their references.
func (f *evalFiles) pairResults(name string, references []dataset.Record) (*captionSet, error) {
	file, err := captionFile(name, f.ResultsFormat)
	if err != nil {
		return nil, err
	}
	pairing, err := dataset.Pair(file.Results(), records(references))
	if err != nil {
		return nil, err
	}
	if err := f.checkDuplicates(pairing, name); err != nil {
		return nil, err
	}
	return newCaptionSet(pairing, "result"), nil
}

// checkDuplicates fails where an image comes twice, unless that is allowed: which of
// its captions counts is not for a program to guess.
func (f *evalFiles) checkDuplicates(p *dataset.Pairing, results string) error {
	if f.AllowDuplicates {
		return nil
	}
	for _, twice := range []struct {
		file, what string
		images     []string
	}{
		{results, "results", p.DuplicateResults},
		{f.References, "references", p.DuplicateReferences},
	} {
		if len(twice.images) > 0 {
			return &failure{
				fmt.Errorf("%s: %s for an image that has some already: %d, such as %q",
					twice.file, twice.what, len(twice.images), twice.images[0]),
				"--allow-duplicates takes the first result and all references",
			}
		}
	}
	return nil
}

func captionFile(path, format string) (dataset.File, error) {
	file := dataset.File{Path: path, Format: dataset.Format(format)}
	if format != "auto" {
		return file, nil
	}
	var err error
	file.Format, err = dataset.Detect(path)
	return file, err
}

// records yields records that were read already.
func records(list []dataset.Record) iter.Seq2[dataset.Record, error] {
	return func(yield func(dataset.Record, error) bool) {
		for _, record := range list {
			if !yield(record, nil) {
				return
			}
		}
	}
}
