package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// How often progress is told, where it is not drawn.
const (
	lineEvery   = 10 * time.Second
	objectEvery = time.Second
)

// newTrainReport returns a report of the kind that --progress asks for.
func newTrainReport(messages io.Writer, kind string) func(train.Progress) {
	switch {
	case kind == "none":
		return func(train.Progress) {}
	case kind == "json":
		return throttled(objectEvery, func(p train.Progress) { writeProgress(messages, p) })
	case isTerminal(messages):
		return newTrainBar(messages)
	}
	return throttled(lineEvery, func(p train.Progress) {
		line := fmt.Sprintf("%s %d of %d", p.Stage, p.Done, p.Of)
		if p.Left > 0 {
			line += fmt.Sprintf("  %.3g/s  left %s", p.Rate, p.Left.Round(time.Second))
		}
		fmt.Fprintf(messages, "%s%s\n%s", line, numbers(p.Losses), judged(p))
	})
}

// throttled tells no more often than every so long, but of every evaluation, and of
// the beginning and the end of each stage.
func throttled(every time.Duration, tell func(train.Progress)) func(train.Progress) {
	var last time.Time
	stage := ""
	return func(p train.Progress) {
		if time.Since(last) < every && p.Stage == stage && p.Done < p.Of && p.Evaluation == nil {
			return
		}
		last, stage = time.Now(), p.Stage
		tell(p)
	}
}

func numbers(list train.Losses) string {
	var b strings.Builder
	for _, n := range list {
		fmt.Fprintf(&b, "  %s %.4g", n.Name, n.Value)
	}
	return b.String()
}

// judged is the lines that tell what a look at the run gave.
func judged(p train.Progress) string {
	if p.Evaluation == nil {
		return ""
	}
	text := fmt.Sprintf("  after %d%s", p.Done, numbers(p.Evaluation.Scores))
	if p.Evaluation.Best {
		text += "  the best so far"
	}
	for _, s := range p.Evaluation.Samples {
		text += "\n    "
		if s.Of != "" {
			text += oneLine(s.Of) + ": "
		}
		text += oneLine(s.Text)
	}
	return text + "\n"
}

// writeProgress writes one JSON object.
func writeProgress(w io.Writer, p train.Progress) {
	object := struct {
		Stage   string             `json:"stage"`
		Done    int                `json:"done"`
		Of      int                `json:"of"`
		Rate    float64            `json:"per_second"`
		Left    float64            `json:"seconds_left"`
		Losses  map[string]float64 `json:"losses,omitempty"`
		Scores  map[string]float64 `json:"scores,omitempty"`
		Best    bool               `json:"best,omitempty"`
		Samples []train.Sample     `json:"samples,omitempty"`
	}{Stage: p.Stage, Done: p.Done, Of: p.Of, Rate: p.Rate, Left: p.Left.Seconds(), Losses: byName(p.Losses)}
	if e := p.Evaluation; e != nil {
		object.Scores, object.Best, object.Samples = byName(e.Scores), e.Best, e.Samples
	}
	data, err := json.Marshal(object)
	if err != nil {
		return // a loss that is no number ends the run with a message of its own
	}
	fmt.Fprintf(w, "%s\n", data)
}

func byName(list train.Losses) map[string]float64 {
	out := make(map[string]float64, len(list))
	for _, n := range list {
		out[n.Name] = n.Value
	}
	return out
}

// newTrainBar draws a bar for each stage, and writes evaluations above it.
func newTrainBar(messages io.Writer) func(train.Progress) {
	var bar *progressbar.ProgressBar
	stage := ""
	return func(p train.Progress) {
		if p.Stage != stage {
			stage = p.Stage
			bar = progressbar.NewOptions(p.Of, progressbar.OptionSetWriter(messages), progressbar.OptionFullWidth(),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish(),
				progressbar.OptionThrottle(100*time.Millisecond))
		}
		// A bar that cannot be drawn is no reason to fail.
		if p.Evaluation != nil {
			_ = bar.Clear()
			fmt.Fprint(messages, judged(p))
		}
		loss := ""
		if len(p.Losses) > 0 {
			loss = fmt.Sprintf("  loss %.4g", p.Losses[0].Value)
		}
		bar.Describe(fmt.Sprintf("%s%s  %.3g/s  left %s", p.Stage, loss, p.Rate, p.Left.Round(time.Second)))
		_ = bar.Set(p.Done)
	}
}

// printForecast tells what a run would take, its configuration first.
func printForecast(w io.Writer, f recipe.Forecast, out string) error {
	config, err := json.MarshalIndent(f.Config, "", "  ")
	if err != nil {
		return err
	}
	n := f.Need
	_, err = fmt.Fprintf(w, `%s

parameters   %s, of which %s are trained
memory       at least %s: weights %s, moments %s, activations and gradients %s
examples     %s
updates      %s of %d examples: %.3g epochs
writes       %s, checkpoints of %s and logs to %[12]s.run
`, config, thousands(n.Parameters), thousands(n.Trained),
		megabytes(n.Bytes()), megabytes(n.Weights), megabytes(n.Moments), megabytes(n.Work),
		thousands(int64(f.Examples)), thousands(int64(f.Updates)), f.Batch,
		float64(f.Updates)*float64(f.Batch)/float64(f.Examples), out, megabytes(n.Weights+n.Moments))
	return err
}

// thousands writes n with commas.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
