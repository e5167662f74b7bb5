package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/evaluate"
)

// evalCmd scores captions against what people said of the same images.
type evalCmd struct {
	evalFiles
	Metrics       []string      `default:"bleu,rouge,cider,meteor" enum:"bleu,rouge,cider,meteor,spice-go,diversity,self-cider,clipscore,refclipscore,retrieval" help:"What to compute: ${enum}. The last three need --photos; without OpenAI's ViT-B/32 in the model, clipscore is clip_similarity. self-cider is of several captions of each image, and goes alone."`
	ClipscoreText string        `default:"raw" enum:"raw,tokenized" help:"Whether clipscore and refclipscore embed texts as they are written (raw), as the program clipscore does, or tokenized, as the evaluation beside coco-caption's metrics does."`
	SpiceJar      string        `placeholder:"PATH" help:"Compute SPICE, too, by the official program, spice-1.0.jar."`
	SpiceTimeout  time.Duration `default:"1h" help:"The longest that program may take, for each 16384 images."`
	CiderDF       string        `name:"cider-df" placeholder:"FILE" help:"CIDEr's document frequencies, as JSON or as the pickle of coco-val-df.p; those of the references unless given."`
	CopiesOf      string        `placeholder:"FILE" help:"Tell the share of captions that FILE has, too, token by token: a plain text (.txt), a caption a line, or any of the formats of --references."`
	CopiesFormat  string        `default:"auto" enum:"${captionFormats},text" help:"Format of that file where its content does not tell: ${enum}."`
	Paraphrases   string        `placeholder:"FILE" help:"METEOR's paraphrase-en.gz; it goes without unless given."`
	Java          string        `default:"java" help:"What runs it; it was written for Java 8."`
	Bootstrap     int           `default:"1000" placeholder:"N" help:"Resamples of the images for intervals, drawn by --seed."`
	Format        string        `enum:"text,json,csv" default:"text" help:"What to print: ${enum}."`
	PerImage      string        `placeholder:"FILE" help:"Write each image's caption and scores to FILE, as CSV."`
	Batch         int           `default:"8" help:"Photos that are captioned at once."`
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
	defer func() { err = errors.Join(err, set.close()) }()
	report, err := cmd.evaluate(ctx, s, set)
	if err != nil {
		return err
	}
	if err := cmd.write(c, set, report); err != nil {
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
		return &usageError{"clipscore, refclipscore and retrieval need --photos", ""}
	case cmd.scoresSets() && (len(cmd.Metrics) > 1 || cmd.SpiceJar != "" || cmd.CopiesOf != ""):
		return &usageError{"self-cider scores several captions of each image, other metrics one", "give it a run of its own: --metrics self-cider"}
	case cmd.Results != "" && cmd.Photos != "" && !cmd.seesPhotos():
		return &usageError{"--photos is of no use for --results without clipscore, refclipscore or retrieval among --metrics", ""}
	case cmd.Bootstrap < 1:
		return &usageError{"--bootstrap must be at least 1", ""}
	case cmd.Batch < 1:
		return &usageError{"--batch must be at least 1", ""}
	}
	return nil
}

// seesPhotos tells whether a metric compares captions with photos.
func (cmd *evalCmd) seesPhotos() bool {
	return slices.ContainsFunc(cmd.Metrics, func(metric string) bool {
		return metric == clipScore || metric == refCLIPScore || metric == retrieval
	})
}

// scoresSets tells whether several captions of each image are scored together.
func (cmd *evalCmd) scoresSets() bool {
	return slices.Contains(cmd.Metrics, string(evaluate.SelfCIDEr))
}

// evaluate computes everything that the report holds.
func (cmd *evalCmd) evaluate(ctx context.Context, s *scoring, set *captionSet) (*evaluation, error) {
	bootstrap := evaluate.Bootstrap{Resamples: cmd.Bootstrap, Seed: cmd.Seed}
	scores, err := s.scores(ctx, set.pairing)
	if err != nil {
		return nil, err
	}
	s.console.stage("drawing images for intervals")
	defer s.console.stage("")
	intervals, err := bootstrap.Intervals(scores)
	if err != nil {
		return nil, err
	}
	domains, err := domainsOf(set.pairing)
	if err != nil {
		return nil, err
	}
	report := &evaluation{set.by, set.oddities, set.pairing.Len(), domains, bootstrap, scores, intervals, nil}
	if cmd.Against != "" {
		report.against, err = cmd.compare(ctx, s, set, report)
	}
	return report, err
}

// compare scores the other captions on the images that both have.
func (cmd *evalCmd) compare(ctx context.Context, s *scoring, set *captionSet, report *evaluation) (*comparison, error) {
	other, err := cmd.pairResults(cmd.Against, s.references, cmd.scoresSets())
	if err != nil {
		return nil, err
	}
	defer other.close()
	ours, theirs := dataset.Common(set.pairing, other.pairing)
	if ours.Len() == 0 {
		return nil, errors.New(cmd.Against + ": none of the images that are scored")
	}
	scores := report.scores
	if ours.Len() < set.pairing.Len() {
		if scores, err = s.scores(ctx, ours); err != nil {
			return nil, err
		}
	}
	baseline, err := s.scores(ctx, theirs)
	if err != nil {
		return nil, err
	}
	differences, err := report.bootstrap.Compare(scores, baseline)
	return &comparison{cmd.Against, other.oddities, ours.Len(), baseline, differences}, err
}

// write prints the report, after the file with a row for each image.
func (cmd *evalCmd) write(c *console, set *captionSet, report *evaluation) error {
	if cmd.PerImage != "" {
		err := writeFile(cmd.PerImage, func(w io.Writer) error {
			return writePerImage(w, captionsOf(set.pairing), report.scores)
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
