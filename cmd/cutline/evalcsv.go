package main

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"github.com/cutline-go/cutline/internal/evaluate"
)

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

// writePerImage writes a row for each image: its name, its caption and its scores.
func writePerImage(w io.Writer, captions evaluate.Captions, scores []evaluate.Score) error {
	scores = slices.DeleteFunc(slices.Clone(scores), func(s evaluate.Score) bool { return s.Part != "" })
	out := csv.NewWriter(w)
	row := []string{"image", "caption"}
	for _, s := range scores {
		row = append(row, s.Key)
	}
	if err := out.Write(row); err != nil {
		return err
	}
	i := 0
	for sample, err := range captions.Samples {
		if err != nil {
			return err
		}
		row = append(row[:0], sample.ID, sample.Candidate)
		for _, s := range scores {
			row = append(row, exact(s.Image(i))...)
		}
		if err := out.Write(row); err != nil {
			return err
		}
		i++
	}
	out.Flush()
	return out.Error()
}
