package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/wcharczuk/go-chart/v2"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/evaluate"
)

// gapReport is what analyze modality-gap prints.
type gapReport struct {
	Model  string `json:"model"`
	CLIP   string `json:"clip"`
	Photos int    `json:"photo_count"`
	Texts  int    `json:"text_count"`
	*align.Gap
	Mixup      []mixupPoint     `json:"mixup,omitempty"`
	Alignments []alignmentScore `json:"alignments,omitempty"`
}

// mixupPoint is how good captions are at one mixture.
type mixupPoint struct {
	Lambda float64 `json:"lambda"`
	evaluate.Summary
}

// alignmentScore is how good they are by one alignment.
type alignmentScore struct {
	Name string `json:"alignment"`
	evaluate.Summary
}

// text prints the report for people.
func (r *gapReport) text(out io.Writer) error {
	fmt.Fprintf(out, "model %s, CLIP %s: %d photos, %d texts\n\n", oneLine(r.Model), oneLine(r.CLIP), r.Photos, r.Texts)
	fmt.Fprintf(out, "distance of the centroids %.4f; their lengths: photos %.4f, texts %.4f\n\n", r.Distance, r.Photo, r.Text)
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "cosine of\tmean\tsd")
	for _, row := range []struct {
		what string
		s    align.Spread
	}{
		{"two photos", r.Gap.Photos}, {"two texts", r.Gap.Texts},
		{"a photo and another's text", r.Across}, {"a photo and its text", r.Matched},
	} {
		fmt.Fprintf(table, "%s\t%.4f\t%.4f\n", row.what, row.s.Mean, row.s.SD)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(r.Mixup) > 0 {
		fmt.Fprintln(table, "\nshare of the text\tcider\t95 % interval\tbleu4\tdistinct")
		for _, p := range r.Mixup {
			fmt.Fprintf(table, "%s\t%s\n", lambdaName(p.Lambda), summaryRow(p.Summary))
		}
	}
	if len(r.Alignments) > 0 {
		fmt.Fprintln(table, "\nalignment\tcider\t95 % interval\tbleu4\tdistinct")
		for _, a := range r.Alignments {
			fmt.Fprintf(table, "%s\t%s\n", a.Name, summaryRow(a.Summary))
		}
	}
	return table.Flush()
}

func summaryRow(s evaluate.Summary) string {
	return fmt.Sprintf("%.4f\t%.4f to %.4f\t%.4f\t%.3f", s.CIDEr, s.Interval[0], s.Interval[1], s.BLEU4, s.Distinct)
}

// draw draws CIDEr along the mixtures, and the ends of its interval.
func (r *gapReport) draw(out io.Writer) error {
	var lambdas, cider, low, high []float64
	for _, p := range r.Mixup {
		lambdas, cider = append(lambdas, p.Lambda), append(cider, p.CIDEr)
		low, high = append(low, p.Interval[0]), append(high, p.Interval[1])
	}
	end := chart.Style{StrokeColor: chart.ColorAlternateGray, StrokeDashArray: []float64{4, 4}}
	graph := chart.Chart{
		Title: "Captions of mixtures of photo and text, " + r.Model,
		XAxis: chart.XAxis{Name: "share of the text"},
		YAxis: chart.YAxis{Name: "CIDEr", ValueFormatter: func(v any) string { return fmt.Sprintf("%.3f", v) }},
		Series: []chart.Series{
			chart.ContinuousSeries{Name: "95 % interval", XValues: lambdas, YValues: low, Style: end},
			chart.ContinuousSeries{XValues: lambdas, YValues: high, Style: end},
			chart.ContinuousSeries{Name: "CIDEr", XValues: lambdas, YValues: cider, Style: chart.Style{StrokeWidth: 2, DotWidth: 3}},
		},
	}
	if err := graph.Render(chart.SVG, out); err != nil {
		return fmt.Errorf("drawing the curve: %w", err)
	}
	return nil
}

// lambdaName is how a share is written.
func lambdaName(lambda float64) string { return fmt.Sprint(math.Round(lambda*1000) / 1000) }
