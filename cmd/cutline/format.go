package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// scored is one caption of a photo.
type scored struct {
	Caption        string  `json:"caption"`
	LogProb        float32 `json:"logprob"`
	CLIPSimilarity float32 `json:"clip_similarity"`
}

// result is a photo with its best caption, and all of them, best first, if
// more than one was asked for.
type result struct {
	File string `json:"file"`
	scored
	Candidates []scored `json:"candidates,omitempty"`
}

// all returns the captions, best first.
func (r result) all() []scored {
	if len(r.Candidates) > 0 {
		return r.Candidates
	}
	return []scored{r.scored}
}

// sink writes results in some format. Each is written at once, so that what an
// interrupted run has printed is whole.
type sink interface {
	write(result) error
	close() error
}

// textShape says what a line of text holds beside the caption.
type textShape struct{ file, scores bool }

// newSink returns the sink of a format that the command line allows.
func newSink(format string, w io.Writer, shape textShape) (sink, error) {
	switch format {
	case "json":
		return &jsonArray{w: w}, nil
	case "jsonl":
		return jsonLines{w}, nil
	case "csv":
		return newTable(func(cells []string) error { return writeCSV(w, cells) })
	case "tsv":
		return newTable(func(cells []string) error { return writeTabs(w, cells) })
	}
	return textLines{w, shape}, nil
}

// textLines writes a line for each caption, for people and for cut.
type textLines struct {
	w     io.Writer
	shape textShape
}

func (t textLines) write(r result) error {
	for _, s := range r.all() {
		var cells []string
		if t.shape.file {
			cells = append(cells, r.File)
		}
		cells = append(cells, s.Caption)
		if t.shape.scores {
			cells = append(cells, fmt.Sprintf("%.4f", s.LogProb), fmt.Sprintf("%.4f", s.CLIPSimilarity))
		}
		if err := writeTabs(t.w, cells); err != nil {
			return err
		}
	}
	return nil
}

func (textLines) close() error { return nil }

// jsonLines writes an object a line.
type jsonLines struct{ w io.Writer }

func (j jsonLines) write(r result) error { return writeJSON(j.w, "", r) }
func (jsonLines) close() error           { return nil }

// jsonArray writes one array, with an object a line.
type jsonArray struct {
	w      io.Writer
	opened bool
}

func (j *jsonArray) write(r result) error {
	before := ","
	if !j.opened {
		j.opened, before = true, "["
	}
	return writeJSON(j.w, before, r)
}

func (j *jsonArray) close() error {
	end := "]\n"
	if !j.opened {
		end = "[]\n"
	}
	_, err := io.WriteString(j.w, end)
	return err
}

// table writes a heading and a row for each caption.
type table struct{ row func(cells []string) error }

func newTable(row func([]string) error) (table, error) {
	return table{row}, row([]string{"file", "caption", "logprob", "clip_similarity"})
}

func (t table) write(r result) error {
	for _, s := range r.all() {
		if err := t.row([]string{r.File, s.Caption, shortest(s.LogProb), shortest(s.CLIPSimilarity)}); err != nil {
			return err
		}
	}
	return nil
}

func (table) close() error { return nil }

// shortest writes the fewest digits that read back as v.
func shortest(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

func writeCSV(w io.Writer, cells []string) error {
	out := csv.NewWriter(w)
	if err := out.Write(cells); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// writeTabs writes one line, whatever a file is called: a tab or a line's end
// within a cell is written as Go and C write it.
func writeTabs(w io.Writer, cells []string) error {
	escape := strings.NewReplacer("\t", `\t`, "\n", `\n`, "\r", `\r`)
	line := make([]string, len(cells))
	for i, cell := range cells {
		line[i] = escape.Replace(cell)
	}
	_, err := io.WriteString(w, strings.Join(line, "\t")+"\n")
	return err
}

// writeJSON writes before and the value as one line.
func writeJSON(w io.Writer, before string, value any) error {
	line := bytes.NewBufferString(before)
	encoder := json.NewEncoder(line)
	encoder.SetEscapeHTML(false) // file names have ampersands
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(line.Bytes())
	return err
}
