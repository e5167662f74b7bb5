package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// clipScorer compares captions with their photos: CLIPScore, RefCLIPScore or
// self-retrieval. It keeps the embeddings of all photos and captions.
type clipScorer struct {
	*scoring
	metric           string
	photoOf          map[string]string // names by image
	photos, captions [][]float32
	references       [][][]float32 // of RefCLIPScore
}

// tokenized is the convention of the evaluation beside coco-caption's other metrics,
// which embeds what the tokenizer leaves of a text.
const tokenized = "tokenized"

func (s *clipScorer) Add(ctx context.Context, b evaluate.Block) error {
	s.console.stage("")
	bar := newProgress(s.console.messages, len(b.Samples))
	defer bar.hide()
	for _, sample := range b.Samples {
		name := s.photoOf[sample.ID]
		if name == "" {
			return fmt.Errorf("%s: no photo of %q", s.cmd.Photos, sample.ID)
		}
		if err := s.embed(ctx, name, sample); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		bar.step()
	}
	return nil
}

// embed embeds a photo and its texts.
func (s *clipScorer) embed(ctx context.Context, name string, sample metrics.Sample) error {
	photo, err := cached(s.photoCache, name, func() ([]float32, error) { return s.likeness.embedPhoto(ctx, name) })
	if err != nil {
		return err
	}
	texts := []string{sample.Candidate}
	if s.metric == refCLIPScore {
		texts = append(texts, sample.References...)
	}
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		text = s.text(text)
		vectors[i], err = cached(s.textCache, text, func() ([]float32, error) { return s.model.EmbedText(ctx, text) })
		if err != nil {
			return err
		}
	}
	s.photos, s.captions = append(s.photos, photo), append(s.captions, vectors[0])
	s.references = append(s.references, vectors[1:])
	return nil
}

// text is what is embedded of a caption or reference: by the convention that is asked
// for, and after the prompt where the score is CLIPScore.
func (s *clipScorer) text(text string) string {
	if s.metric == retrieval {
		return text
	}
	if s.cmd.ClipscoreText == tokenized {
		text = strings.Join(metrics.Tokenize(text), " ")
	}
	if s.likeness.isCLIPScore() {
		text = metrics.CLIPScorePrompt + text
	}
	return text
}

// cached returns what the cache has under a key, or puts it there.
func cached(cache map[string][]float32, key string, embed func() ([]float32, error)) ([]float32, error) {
	if embedding, ok := cache[key]; ok {
		return embedding, nil
	}
	embedding, err := embed()
	if err == nil {
		cache[key] = embedding
	}
	return embedding, err
}

func (s *clipScorer) Scores(context.Context) ([]evaluate.Score, error) {
	clip, key := s.model.Info().CLIP, s.metric
	if s.likeness.isCLIPScore() {
		clip = metrics.CLIPScoreModel
	} else {
		key = map[string]string{clipScore: "clip_similarity", refCLIPScore: "ref_clip_similarity"}[s.metric]
	}
	var scores metrics.Scores
	var err error
	switch s.metric {
	case retrieval:
		return s.retrieval()
	case refCLIPScore:
		scores, err = metrics.RefCLIPScores(clip, s.photos, s.captions, s.references)
	default:
		scores, err = metrics.CLIPScores(clip, s.photos, s.captions)
	}
	scores.Name += ", " + s.cmd.ClipscoreText + " text"
	return []evaluate.Score{evaluate.NewMean(key, scores)}, err
}

// retrieval tells how many of the captions find their own photo among all photos.
func (s *clipScorer) retrieval() ([]evaluate.Score, error) {
	found, err := metrics.SelfRetrieval(s.photos, s.captions)
	if err != nil {
		return nil, err
	}
	found.R1.Name = fmt.Sprintf("retrieval R@1 (%s)", s.model.Info().CLIP)
	found.R5.Name = fmt.Sprintf("retrieval R@5 (%s)", s.model.Info().CLIP)
	return []evaluate.Score{
		evaluate.NewMean("retrieval_r1", found.R1), evaluate.NewMean("retrieval_r5", found.R5),
	}, nil
}

func (*clipScorer) Close() error { return nil }

// photosByImage returns the name of each image's photo.
func (s *scoring) photosByImage() (map[string]string, error) {
	pairing, err := s.photos.pair(s.references)
	if err != nil {
		return nil, err
	}
	defer pairing.Close()
	photos := make(map[string]string, pairing.Len())
	for sample, err := range pairing.Samples() {
		if err != nil {
			return nil, err
		}
		photos[sample.Image] = sample.Candidates[0]
	}
	return photos, nil
}
