package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// The metrics that compare captions with photos.
const (
	clipScore    = "clipscore"
	refCLIPScore = "refclipscore"
	retrieval    = "retrieval"
)

// scoring is what an evaluation works with.
type scoring struct {
	cmd        *evalCmd
	console    *console
	references *dataset.References
	photos     *photoSet            // nil without --photos
	model      *captioner.Captioner // nil without them
	likeness   likeness
	corpus     iter.Seq2[string, error] // nil without --copies-of
	corpusFile dataset.File
	photoCache map[string][]float32 // embeddings by name, which metrics share
	textCache  map[string][]float32
}

// newScoring reads the references and opens what the flags name.
func (cmd *evalCmd) newScoring(c *console) (s *scoring, err error) {
	s = &scoring{cmd: cmd, console: c, photoCache: make(map[string][]float32), textCache: make(map[string][]float32)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if cmd.CopiesOf != "" {
		if s.corpus, s.corpusFile, err = corpus(cmd.CopiesOf, cmd.CopiesFormat); err != nil {
			return s, err
		}
	}
	c.stage("reading " + cmd.References)
	defer c.stage("")
	if s.references, err = cmd.readReferences(); err != nil || cmd.Photos == "" {
		return s, err
	}
	if s.photos, err = openPhotos(cmd.Photos); err != nil {
		return s, err
	}
	if cmd.Results == "" {
		s.model, err = openToCaption(&cmd.modelFlags, &cmd.decodingFlags, cmd.Batch, false)
	} else {
		s.model, err = cmd.open(cmd.Batch)
	}
	s.likeness = likeness{s.model, s.photos.open}
	return s, err
}

func (s *scoring) close() error {
	err := s.corpusFile.Close()
	if s.references != nil {
		err = errors.Join(err, s.references.Close())
	}
	if s.photos != nil {
		err = errors.Join(err, s.photos.close())
	}
	if s.model != nil {
		err = errors.Join(err, s.model.Close())
	}
	return err
}

// captions returns what is to be scored: the results, or captions of the photos. The
// error is errReported where some photo failed.
func (s *scoring) captions(ctx context.Context) (*captionSet, error) {
	if s.cmd.Results != "" {
		s.console.stage("reading " + s.cmd.Results)
		defer s.console.stage("")
		return s.cmd.pairResults(s.cmd.Results, s.references, s.cmd.scoresSets())
	}
	return s.captionPhotos(ctx)
}

// scores computes the metrics over the captions, and over each domain by itself.
func (s *scoring) scores(ctx context.Context, p *dataset.Pairing) ([]evaluate.Score, error) {
	scorers, err := s.scorers()
	if err != nil {
		return nil, err
	}
	defer s.console.stage("")
	scores, err := evaluate.Run(ctx, captionsOf(p), scorers, func(what string, images int) {
		s.console.stage(fmt.Sprintf("%s: %d of %d images", what, images, p.Len()))
	})
	if err != nil {
		return nil, err
	}
	domains, err := domainsOf(p)
	all := scores
	for _, d := range domains {
		all = append(all, evaluate.Within(scores, d.name, d.member)...)
	}
	return all, err
}

// scorers returns what computes each metric that is asked for.
func (s *scoring) scorers() ([]evaluate.Scorer, error) {
	asked := slices.Clone(s.cmd.Metrics)
	if s.cmd.SpiceJar != "" {
		asked = append(asked, string(evaluate.SPICE))
	}
	if s.cmd.CopiesOf != "" {
		asked = append(asked, string(evaluate.Copies))
	}
	resources := evaluate.Resources{
		DocumentFrequencies: s.cmd.CiderDF, Paraphrases: s.cmd.Paraphrases, Corpus: s.corpus,
		Jar: metrics.Jar{Path: s.cmd.SpiceJar, Java: s.cmd.Java, Memory: "8G", Timeout: s.cmd.SpiceTimeout},
	}
	var scorers []evaluate.Scorer
	var photos map[string]string
	for _, name := range asked {
		var scorer evaluate.Scorer
		var err error
		switch name {
		case clipScore, refCLIPScore, retrieval:
			if photos == nil {
				photos, err = s.photosByImage()
			}
			scorer = &clipScorer{scoring: s, metric: name, photoOf: photos}
		default:
			scorer, err = evaluate.Metric(name).Scorer(resources)
		}
		if err != nil {
			return nil, err
		}
		scorers = append(scorers, scorer)
	}
	return scorers, nil
}
