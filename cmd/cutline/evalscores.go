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
	clipScore = "clipscore"
	retrieval = "retrieval"
)

// scoring is what an evaluation works with.
type scoring struct {
	cmd        *evalCmd
	console    *console
	references []dataset.Record
	photos     *photoSet            // nil without --photos
	model      *captioner.Captioner // nil without them
	likeness   likeness
	corpus     iter.Seq2[string, error] // nil without --copies-of
	photoCache map[string][]float32     // embeddings by name, which metrics share
	textCache  map[string][]float32
}

// newScoring reads the references and opens what the flags name.
func (cmd *evalCmd) newScoring(c *console) (*scoring, error) {
	s := &scoring{cmd: cmd, console: c, photoCache: make(map[string][]float32), textCache: make(map[string][]float32)}
	var err error
	if cmd.CopiesOf != "" {
		if s.corpus, err = corpus(cmd.CopiesOf, cmd.CopiesFormat); err != nil {
			return nil, err
		}
	}
	if s.references, err = cmd.readReferences(); err != nil || cmd.Photos == "" {
		return s, err
	}
	if s.photos, err = openPhotos(cmd.Photos); err != nil {
		return nil, err
	}
	if cmd.Results == "" {
		s.model, err = openToCaption(&cmd.modelFlags, &cmd.decodingFlags, cmd.Batch)
	} else {
		s.model, err = cmd.open(cmd.Batch)
	}
	if err != nil {
		return nil, errors.Join(err, s.photos.close())
	}
	s.likeness = likeness{s.model, s.photos.open}
	return s, nil
}

func (s *scoring) close() error {
	if s.photos == nil {
		return nil
	}
	return errors.Join(s.model.Close(), s.photos.close())
}

// captions returns what is to be scored: the results, or captions of the photos. The
// error is errReported where some photo failed.
func (s *scoring) captions(ctx context.Context) (*captionSet, error) {
	if s.cmd.Results != "" {
		return s.cmd.pairResults(s.cmd.Results, s.references)
	}
	pairing, err := s.photos.pair(s.references)
	if err != nil {
		return nil, err
	}
	if err := s.cmd.checkDuplicates(pairing, s.cmd.Photos); err != nil {
		return nil, err
	}
	return s.photos.caption(ctx, s.console, s.model, s.cmd.Batch, pairing)
}

// scores computes the metrics over the samples.
func (s *scoring) scores(ctx context.Context, samples []metrics.Sample) ([]evaluate.Score, error) {
	asked := slices.Clone(s.cmd.Metrics)
	if s.cmd.SpiceJar != "" {
		asked = append(asked, string(evaluate.SPICE))
	}
	if s.cmd.CopiesOf != "" {
		asked = append(asked, string(evaluate.Copies))
	}
	defer s.console.stage("")
	s.console.stage("tokenizing")
	captions := evaluate.NewCaptions(samples)
	var scores []evaluate.Score
	for i, name := range asked {
		s.console.stage(fmt.Sprintf("metric %d of %d: %s", i+1, len(asked), name))
		more, err := s.metric(ctx, name, captions)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		scores = append(scores, more...)
	}
	return scores, nil
}

func (s *scoring) metric(ctx context.Context, name string, captions *evaluate.Captions) ([]evaluate.Score, error) {
	switch name {
	case clipScore:
		return s.clipScores(ctx, captions.Samples)
	case retrieval:
		return s.retrieval(ctx, captions.Samples)
	}
	return evaluate.Metric(name).Score(ctx, captions, evaluate.Resources{
		DocumentFrequencies: s.cmd.CiderDF, Paraphrases: s.cmd.Paraphrases, Corpus: s.corpus,
		Jar: metrics.Jar{Path: s.cmd.SpiceJar, Java: s.cmd.Java, Memory: "8G", Timeout: s.cmd.SpiceTimeout},
	})
}
