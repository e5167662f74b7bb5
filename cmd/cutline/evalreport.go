package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// evaluation is what eval reports: scores and an interval for each.
type evaluation struct {
	by        string // what of the images' names was compared
	oddities  []oddity
	images    int
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

// csv writes a row for each score.
func (e *evaluation) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	heading := []string{"metric", "name", "score", "low", "high"}
	if e.against != nil {
		heading = append(heading, "baseline", "difference", "difference_low", "difference_high", "p")
	}
	rows := [][]string{heading}
	for i, s := range e.scores {
		row := append([]string{s.Key, s.Name}, exact(s.Corpus, e.intervals[i].Low, e.intervals[i].High)...)
		if e.against != nil {
			d := e.against.differences[i]
			row = append(row, exact(e.against.baseline[i].Corpus, d.Value, d.Low, d.High, d.P)...)
		}
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}

// exact writes the fewest digits that read back as the values.
func exact(values ...float64) []string {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return cells
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

// writePerImage writes a row for each image: its name, its caption and its scores.
func writePerImage(w io.Writer, samples []metrics.Sample, scores []evaluate.Score) error {
	out := csv.NewWriter(w)
	row := []string{"image", "caption"}
	for _, s := range scores {
		row = append(row, s.Key)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i, sample := range samples {
		row = append(row[:0], sample.ID, sample.Candidate)
		for _, s := range scores {
			row = append(row, exact(s.Images[i])...)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
