package recipe

import (
	"context"
	"fmt"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/metrics"
	"github.com/cutline-go/cutline/tokenizer"
)

// meanLoss is the mean of the losses of batches, each counted as often as it has rows,
// under names that begin with val_.
func meanLoss[B any](ctx context.Context, loss func(B) (train.Losses, error), batches []B, rows func(B) int) (train.Losses, error) {
	var mean train.Losses
	total := 0
	for _, b := range batches {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		losses, err := loss(b)
		if err != nil {
			return nil, err
		}
		if mean == nil {
			mean = make(train.Losses, len(losses))
		}
		n := rows(b)
		for i, l := range losses {
			mean[i].Name = "val_" + l.Name
			mean[i].Value += l.Value * float64(n)
		}
		total += n
	}
	for i := range mean {
		mean[i].Value /= float64(total)
	}
	return mean, nil
}

// captionJudge scores the captions that a network under training gives photos.
type captionJudge struct {
	generator  *clipcap.Generator
	tokenizer  *tokenizer.BPE
	search     decode.Options
	records    []dataset.Record
	embeddings *dataset.Embeddings // one of each record
	samples    int

	// read embeds texts by the CLIP that embedded the photos; nil where nobody asks how
	// alike a photo and its caption are.
	read func(ctx context.Context, texts []string) ([][]float32, error)
}

// scores captions the photos greedily. val_cider is CIDEr-D with the document
// frequencies of these photos' captions; val_distinct is the share of captions that
// differ, which tells when a model says the same of all photos; val_similarity, where
// somebody asks, how alike they are by CLIP.
func (j *captionJudge) scores(ctx context.Context) (train.Losses, []train.Sample, error) {
	const together = 32
	captions := make([]metrics.Sample, 0, len(j.records))
	distinct := make(map[string]bool)
	for from := 0; from < len(j.records); from += together {
		to := min(from+together, len(j.records))
		rows := make([][]float32, 0, together)
		for i := from; i < to; i++ {
			rows = append(rows, j.embeddings.Row(i))
		}
		session, err := j.generator.Start(rows, j.search.MaxLength)
		if err != nil {
			return nil, nil, err
		}
		found, err := decode.Search(ctx, session, j.search)
		session.Close()
		if err != nil {
			return nil, nil, err
		}
		for i, hypotheses := range found {
			r := j.records[from+i]
			text := j.tokenizer.Line(hypotheses[0].Tokens)
			captions = append(captions, metrics.Sample{ID: r.Image, Candidate: text, References: r.Captions})
			distinct[text] = true
		}
	}
	var samples []train.Sample
	for _, c := range limited(captions, max(1, j.samples)) {
		samples = append(samples, train.Sample{Of: c.ID, Text: c.Candidate})
	}
	scores := train.Losses{
		{Name: "val_cider", Value: metrics.CIDErD(metrics.TokenizeAll(captions), nil).Corpus},
		{Name: "val_distinct", Value: float64(len(distinct)) / float64(len(captions))},
	}
	if j.read != nil {
		likeness, err := j.similarity(ctx, captions)
		if err != nil {
			return nil, nil, err
		}
		scores = append(scores, train.Loss{Name: "val_similarity", Value: likeness})
	}
	return scores, samples[:min(j.samples, len(samples))], nil
}

// similarity is the mean cosine of the photos and their captions.
func (j *captionJudge) similarity(ctx context.Context, captions []metrics.Sample) (float64, error) {
	texts := make([]string, len(captions))
	for i, c := range captions {
		texts[i] = c.Candidate
	}
	rows, err := j.read(ctx, texts)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for i, row := range rows {
		sum += align.Cosine(j.embeddings.Row(i), row)
	}
	return sum / float64(len(rows)), nil
}

// greedy searches as a model does that is asked for nothing else.
func greedy(stop []int, maxTokens int) decode.Options {
	return decode.Options{Strategy: decode.Greedy, MaxLength: maxTokens, StopTokens: stop, NBest: 1}
}

// open reads the records that a run is judged by; none where it is not.
func (v Val) open() (records []dataset.Record, photos dataset.Photos, close func() error, err error) {
	if v.Every == 0 {
		return nil, nil, func() error { return nil }, nil
	}
	if records, photos, close, err = v.Data.open(); err != nil {
		return nil, nil, nil, fmt.Errorf("val: %w", err)
	}
	return limited(records, v.Limit), photos, close, nil
}
