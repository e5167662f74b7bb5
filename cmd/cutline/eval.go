package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// evalCmd scores captions against what people said of the same images.
type evalCmd struct {
	evalFiles
	Metrics      []string      `default:"bleu,rouge,cider,meteor" enum:"bleu,rouge,cider,meteor,spice-go,diversity,clipscore,retrieval" help:"What to compute: ${enum}. The last two need --photos; without OpenAI's ViT-B/32 in the model, clipscore is clip_similarity."`
	SpiceJar     string        `placeholder:"PATH" help:"Compute SPICE, too, by the official program, spice-1.0.jar."`
	SpiceTimeout time.Duration `default:"1h" help:"The longest that program may take."`
	CiderDF      string        `name:"cider-df" placeholder:"FILE" help:"CIDEr's document frequencies, as JSON; those of the references unless given."`
	CopiesOf     string        `placeholder:"FILE" help:"Tell the share of captions that FILE has, too, token by token: a plain text (.txt), a caption a line, or any of the formats of --references."`
	CopiesFormat string        `default:"auto" enum:"${captionFormats},text" help:"Format of that file where its content does not tell: ${enum}."`
	Paraphrases  string        `placeholder:"FILE" help:"METEOR's paraphrase-en.gz; it goes without unless given."`
	Java         string        `default:"java" help:"What runs it; it was written for Java 8."`
	Bootstrap    int           `default:"1000" placeholder:"N" help:"Resamples of the images for intervals, drawn by --seed."`
	Format       string        `enum:"text,json,csv" default:"text" help:"What to print: ${enum}."`
	PerImage     string        `placeholder:"FILE" help:"Write each image's caption and scores to FILE, as CSV."`
	Batch        int           `default:"8" help:"Photos that are captioned at once."`
	modelFlags
	decodingFlags
}

func (cmd *evalCmd) Run(ctx context.Context, c *console) (err error) {
	if err := cmd.check(); err != nil {
		return err
	}
	s, err := cmd.newScoring(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	set, failed := s.captions(ctx)
	if set == nil {
		return failed
	}
	report, err := cmd.evaluate(ctx, s, set)
	if err != nil {
		return err
	}
	if err := cmd.write(c, set.samples, report); err != nil {
		return err
	}
	return failed
}

// check finds flags that do not go together before anything is read.
func (cmd *evalCmd) check() error {
	switch {
	case cmd.Results == "" && cmd.Photos == "":
		return &usageError{"nothing to score", "--results names captions, --photos names photos to caption"}
	case len(cmd.Metrics) == 0 && cmd.SpiceJar == "" && cmd.CopiesOf == "":
		return &usageError{"no metrics", ""}
	case cmd.seesPhotos() && cmd.Photos == "":
		return &usageError{"clipscore and retrieval need --photos", ""}
	case cmd.Results != "" && cmd.Photos != "" && !cmd.seesPhotos():
		return &usageError{"--photos is of no use for --results without clipscore or retrieval among --metrics", ""}
	case cmd.Bootstrap < 1:
		return &usageError{"--bootstrap must be at least 1", ""}
	case cmd.Batch < 1:
		return &usageError{"--batch must be at least 1", ""}
	}
	return nil
}

// seesPhotos tells whether a metric compares captions with photos.
func (cmd *evalCmd) seesPhotos() bool {
	return slices.Contains(cmd.Metrics, clipScore) || slices.Contains(cmd.Metrics, retrieval)
}

// evaluate computes everything that the report holds.
func (cmd *evalCmd) evaluate(ctx context.Context, s *scoring, set *captionSet) (*evaluation, error) {
	bootstrap := evaluate.Bootstrap{Resamples: cmd.Bootstrap, Seed: cmd.Seed}
	scores, err := s.scores(ctx, set.samples)
	if err != nil {
		return nil, err
	}
	intervals, err := bootstrap.Intervals(scores)
	if err != nil {
		return nil, err
	}
	report := &evaluation{set.by, set.oddities, len(set.samples), bootstrap, scores, intervals, nil}
	if cmd.Against != "" {
		report.against, err = cmd.compare(ctx, s, set, report)
	}
	return report, err
}

// compare scores the other captions on the images that both have.
func (cmd *evalCmd) compare(ctx context.Context, s *scoring, set *captionSet, report *evaluation) (*comparison, error) {
	other, err := cmd.pairResults(cmd.Against, s.references)
	if err != nil {
		return nil, err
	}
	ours, theirs := common(set.samples, other.samples)
	if len(ours) == 0 {
		return nil, errors.New(cmd.Against + ": none of the images that are scored")
	}
	scores := report.scores
	if len(ours) < len(set.samples) {
		if scores, err = s.scores(ctx, ours); err != nil {
			return nil, err
		}
	}
	baseline, err := s.scores(ctx, theirs)
	if err != nil {
		return nil, err
	}
	differences, err := report.bootstrap.Compare(scores, baseline)
	return &comparison{cmd.Against, other.oddities, len(ours), baseline, differences}, err
}

// common returns the samples of both lists that are of the same images, in the order
// of the first.
func common(a, b []metrics.Sample) (inA, inB []metrics.Sample) {
	byID := make(map[string]metrics.Sample, len(b))
	for _, sample := range b {
		byID[sample.ID] = sample
	}
	for _, sample := range a {
		if other, ok := byID[sample.ID]; ok {
			inA, inB = append(inA, sample), append(inB, other)
		}
	}
	return inA, inB
}

// write prints the report, after the file with a row for each image.
func (cmd *evalCmd) write(c *console, samples []metrics.Sample, report *evaluation) error {
	if cmd.PerImage != "" {
		err := writeFile(cmd.PerImage, func(w io.Writer) error {
			return writePerImage(w, samples, report.scores)
		})
		if err != nil {
			return err
		}
	}
	return report.write(c, cmd.Format)
}

func writeFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
