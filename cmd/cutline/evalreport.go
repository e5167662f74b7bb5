package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/cutline-go/cutline/internal/evaluate"
)

// evaluation is what eval reports: scores and an interval for each.
type evaluation struct {
	by        string // what of the images' names was compared
	oddities  []oddity
	images    int
	domains   []domain
	bootstrap evaluate.Bootstrap
	scores    []evaluate.Score
	intervals []evaluate.Interval
	against   *comparison
}

// comparison is how much better the captions are than a baseline's, over the images
// that both have.
type comparison struct {
	file        string
	oddities    []oddity
	images      int
	baseline    []evaluate.Score
	differences []evaluate.Difference
}

// write prints the evaluation. A CSV file has no place for what is odd about the
// captions, so that goes to the messages.
func (e *evaluation) write(c *console, format string) error {
	switch format {
	case "json":
		return writeJSON(c.out, "", e.object())
	case "csv":
		for _, line := range e.notes() {
			fmt.Fprintln(c.messages, "cutline: note:", line)
		}
		return e.csv(c.out)
	}
	return e.text(c.out)
}

// notes says what the scores are of.
func (e *evaluation) notes() []string {
	notes := []string{fmt.Sprintf("images scored: %d, found by %s", e.images, e.by)}
	for _, d := range e.domains {
		notes = append(notes, fmt.Sprintf("of these %s: %d", d.name, d.images))
	}
	notes = append(notes, describeAll(e.oddities)...)
	if a := e.against; a != nil {
		notes = append(notes, fmt.Sprintf("scored in %s, too, and compared: %d", a.file, a.images))
		for _, line := range describeAll(a.oddities) {
			notes = append(notes, a.file+": "+line)
		}
	}
	if e.images == 1 && slices.ContainsFunc(e.scores, func(s evaluate.Score) bool { return s.Key == "cider" && s.Corpus == 0 }) {
		notes = append(notes, "cider: 0 for one image alone, unless --cider-df says how frequent words are")
	}
	return notes
}

// number is a float64 that JSON shows as null where it is none.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

func pairOf(i evaluate.Interval) [2]number { return [2]number{number(i.Low), number(i.High)} }

// object is the evaluation as one JSON object: each score under its key, and what
// belongs to scores under names of its own.
func (e *evaluation) object() map[string]any {
	names, intervals := map[string]string{}, map[string]any{}
	object := map[string]any{
		"images": e.images, "found_by": e.by, "counts": countAll(e.oddities, e.scores), "examples": exampleImages(e.oddities),
		"names": names, "intervals": intervals,
		"bootstrap": map[string]any{"resamples": e.bootstrap.Resamples, "seed": e.bootstrap.Seed, "level": 0.95},
	}
	for i, s := range e.scores {
		object[s.Key], names[s.Key], intervals[s.Key] = number(s.Corpus), s.Name, pairOf(e.intervals[i])
	}
	if e.domains != nil {
		domains := map[string]int{}
		for _, d := range e.domains {
			domains[d.name] = d.images
		}
		object["domains"] = domains
	}
	if e.against != nil {
		object["against"] = e.against.object()
	}
	return object
}

func (c *comparison) object() map[string]any {
	differences := map[string]any{}
	for i, d := range c.differences {
		differences[d.Key] = map[string]any{
			"baseline": number(c.baseline[i].Corpus), "difference": number(d.Value),
			"interval": pairOf(d.Interval), "p": number(d.P),
		}
	}
	return map[string]any{"results": c.file, "images": c.images, "differences": differences,
		"counts": countAll(c.oddities, c.baseline), "examples": exampleImages(c.oddities)}
}

// text writes a table for people.
func (e *evaluation) text(w io.Writer) error {
	var out bytes.Buffer
	for _, line := range e.notes() {
		fmt.Fprintln(&out, line)
	}
	table := tabwriter.NewWriter(&out, 0, 0, 3, ' ', 0)
	fmt.Fprint(table, "\nmetric\tscore\t95 % interval")
	if e.against != nil {
		fmt.Fprint(table, "\tbaseline\tdifference\t95 % interval\tp")
	}
	for i, s := range e.scores {
		fmt.Fprintf(table, "\n%s\t%.4f\t%s", s.Name, s.Corpus, span("%.4f", e.intervals[i]))
		if e.against != nil {
			d := e.against.differences[i]
			fmt.Fprintf(table, "\t%.4f\t%+.4f\t%s\t%s", e.against.baseline[i].Corpus, d.Value, span("%+.4f", d.Interval), digits("%.4f", d.P))
		}
	}
	fmt.Fprintln(table)
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// span shows an interval to people, if there is one.
func span(format string, i evaluate.Interval) string {
	if math.IsNaN(i.Low) {
		return "none"
	}
	return fmt.Sprintf(format+" to "+format, i.Low, i.High)
}

// digits shows a number to people, if it is one.
func digits(format string, v float64) string {
	if math.IsNaN(v) {
		return "none"
	}
	return fmt.Sprintf(format, v)
}
