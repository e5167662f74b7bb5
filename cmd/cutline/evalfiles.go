package main

import (
	"fmt"
	"iter"
	"slices"

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
	all, err := collect(file.References())
	if err != nil {
		return nil, err
	}
	records := slices.DeleteFunc(all, func(r dataset.Record) bool {
		return f.Split != "" && r.Split != f.Split || f.Domain != "" && r.Domain != f.Domain
	})
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
	results, err := collect(file.Results())
	if err != nil {
		return nil, err
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("%s: no captions", name)
	}
	pairing, err := dataset.Pair(sequence(results), sequence(references))
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", name, f.References, err)
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

// collect reads a whole sequence, or up to its error.
func collect[T any](values iter.Seq2[T, error]) ([]T, error) {
	var list []T
	for value, err := range values {
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

// sequence yields values that were read already.
func sequence[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, value := range list {
			if !yield(value, nil) {
				return
			}
		}
	}
}
