package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/evaluate"
)

// The kinds of measurements.
const (
	own       = "own"       // the method's own captions
	mixture   = "mixture"   // of photo and text, by the share of the text
	alignment = "alignment" // of photos with texts
)

// key names a measurement.
type key struct {
	Run  string `json:"run"`
	Seed int64  `json:"seed"`
	Way  string `json:"way"`
	Kind string `json:"kind"`
}

// result is a line of results.jsonl.
type result struct {
	key
	Photos int `json:"photos"`
	evaluate.Summary
	Found    []found  `json:"found"`    // by the study's CLIP and, where there is one, by the judge
	Captions []string `json:"captions"` // of the first photos
}

// results are the measurements so far, and the file that they are added to.
type results struct {
	path   string
	list   []result
	gap    *align.Gap // of the photos; nil while nothing is embedded
	people []found    // photos by what a person said first of each, as by captions
}

func openResults(path string) (*results, error) {
	r := &results{path: path}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var one result
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, len(r.list)+1, err)
		}
		r.list = append(r.list, one)
	}
	return r, lines.Err()
}

func (r *results) has(k key) bool {
	return slices.ContainsFunc(r.list, func(one result) bool { return one.key == k })
}

func (r *results) add(one result) error {
	line, err := json.Marshal(one)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(append(line, '\n')); err != nil {
		return err
	}
	r.list = append(r.list, one)
	return file.Close()
}

func (r *results) writeTable(path string) error {
	var b strings.Builder
	if err := r.table(&b); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(b.String()), 0o666)
}

// describe notes what is known of the photos.
func (r *results) describe(s *sets) error {
	r.gap = s.gap
	for _, j := range s.judges {
		people, err := find(j.val.photos, j.val.texts)
		if err != nil {
			return err
		}
		r.people = append(r.people, people)
	}
	return nil
}

// table prints a table for each kind of measurement, a row for each model and way.
func (r *results) table(out io.Writer) error {
	var b strings.Builder
	if g := r.gap; g != nil {
		fmt.Fprintf(&b, "Distance of the centroids %.3f (lengths: photos %.3f, texts %.3f). Cosines, mean ± sd: two photos %.3f ± %.3f, two texts %.3f ± %.3f, a photo and its text %.3f ± %.3f, and another's %.3f ± %.3f.\n\n",
			g.Distance, g.Photo, g.Text, g.Photos.Mean, g.Photos.SD, g.Texts.Mean, g.Texts.SD, g.Matched.Mean, g.Matched.SD, g.Across.Mean, g.Across.SD)
	}
	for i, f := range r.people {
		who := []string{"the study's CLIP", "the judge"}[i]
		fmt.Fprintf(&b, "By the first caption of a person, %s finds a photo (R@1, 5, 10, median rank, cosine): %s.\n\n", who, f)
	}
	for _, kind := range []struct{ name, way, says string }{
		{own, "photos by", fmt.Sprintf("Each method's own captions (%d beams unless the study says otherwise, but for MAGIC, which searches its own way), against all five references.", beams)},
		{alignment, "alignment", "Greedy captions of photos that were moved, against four references."},
		{mixture, "share of the text", "Greedy captions of mixtures of a photo and its first caption, against its other four."},
	} {
		fmt.Fprintf(&b, "%s\n\n| model | %s | photos | CIDEr | by seed | 95 %% of the first | BLEU-4 | distinct | by its CLIP: R@1, 5, 10, median rank, cosine | by the judge |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n", kind.says, kind.way)
		var done []key
		for _, first := range r.list {
			row := key{Run: first.Run, Way: first.Way, Kind: kind.name}
			if first.Kind == kind.name && !slices.Contains(done, row) {
				done = append(done, row)
				r.row(&b, row)
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// row prints the mean over seeds.
func (r *results) row(out io.Writer, of key) {
	var seeds []result
	for _, one := range r.list {
		if one.Run == of.Run && one.Way == of.Way && one.Kind == of.Kind {
			seeds = append(seeds, one)
		}
	}
	slices.SortFunc(seeds, func(a, b result) int { return int(a.Seed - b.Seed) })
	var mean evaluate.Summary
	var each []string
	for _, one := range seeds {
		n := float64(len(seeds))
		mean.CIDEr, mean.BLEU4, mean.Distinct = mean.CIDEr+one.CIDEr/n, mean.BLEU4+one.BLEU4/n, mean.Distinct+one.Distinct/n
		each = append(each, fmt.Sprintf("%.3f", one.CIDEr))
	}
	fmt.Fprintf(out, "| %s | %s | %d | %.3f | %s | %.3f to %.3f | %.3f | %.3f | %s | %s |\n", of.Run, of.Way, seeds[0].Photos,
		mean.CIDEr, strings.Join(each, ", "), seeds[0].Interval[0], seeds[0].Interval[1], mean.BLEU4, mean.Distinct,
		meanFound(seeds, 0), meanFound(seeds, 1))
}

// meanFound is the mean over seeds of what one of the judges found.
func meanFound(seeds []result, judge int) string {
	var mean found
	for _, one := range seeds {
		if judge >= len(one.Found) {
			return "" // nobody looked
		}
		f, n := one.Found[judge], float64(len(seeds))
		for i, r := range f.Recall {
			mean.Recall[i] += r / n
		}
		mean.MedianRank += f.MedianRank / n
		mean.Similarity += f.Similarity / n
	}
	return mean.String()
}
