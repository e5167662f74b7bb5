package recipe

import (
	"context"
	"math"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/metrics"
)

// reward judges captions of photos with captions.
type reward struct {
	cider            float64
	discriminability float64
	references       [][][]string // of each photo, tokenised
	frequencies      *metrics.DocumentFrequencies
	parts            *modelfolder.Folder
	encoder          *clip.Encoder // nil where nothing asks for it
	scale            float64       // of CLIP's cosines
}

func (c SCST) newReward(engine compute.Backend, p *parts, records []dataset.Record) (*reward, error) {
	samples := make([]metrics.Sample, len(records))
	for i, r := range records {
		samples[i].References = r.Captions
	}
	tokens := metrics.TokenizeAll(samples)
	r := &reward{
		cider: c.CIDEr, discriminability: c.Discriminability,
		frequencies: metrics.CountDocuments(tokens), parts: p.clip,
	}
	for _, t := range tokens {
		r.references = append(r.references, t.References)
	}
	if r.discriminability == 0 {
		return r, nil
	}
	store := newStore(0)
	if err := load(store, p.clip, clip.Scope); err != nil {
		return nil, err
	}
	var err error
	if r.scale, err = clip.Scale(store); err != nil {
		return nil, err
	}
	r.encoder, err = clip.NewEncoder(engine, store, *p.clip.Config.CLIP)
	return r, err
}

// judge is a [method.Reward]: CIDEr-D against the photo's captions, with the document
// frequencies of all photos' captions, and how surely CLIP tells the photo by the caption
// from the others of the batch. The latter is the aim of Luo et al. (2018,
// arXiv:1803.04376), as the log-probability of the contrastive loss where theirs is a
// hinge.
func (r *reward) judge(ctx context.Context, scenes method.Scenes, captions [][][]int) ([][]float64, train.Losses, error) {
	texts := r.texts(captions)
	out := r.ciders(scenes, texts)
	parts := train.Losses{{Name: "cider", Value: mean(out)}, {Name: "distinct", Value: distinct(texts)}}
	for _, row := range out {
		for i := range row {
			row[i] *= r.cider
		}
	}
	if r.discriminability == 0 {
		return out, parts, nil
	}
	told, err := r.told(ctx, scenes, texts)
	if err != nil {
		return nil, nil, err
	}
	for i, row := range told {
		for j, v := range row {
			out[i][j] += r.discriminability * v
		}
	}
	return out, append(parts, train.Loss{Name: "told", Value: mean(told)}), nil
}

func (r *reward) texts(captions [][][]int) [][]string {
	out := make([][]string, len(captions))
	for i, row := range captions {
		for _, tokens := range row {
			out[i] = append(out[i], r.parts.GPTTokenizer.Line(tokens))
		}
	}
	return out
}

// ciders is the CIDEr-D of each text.
func (r *reward) ciders(scenes method.Scenes, texts [][]string) [][]float64 {
	var samples []metrics.Tokens
	for i, row := range texts {
		for _, text := range row {
			samples = append(samples, metrics.Tokens{Candidate: metrics.Tokenize(text), References: r.references[scenes.Photos[i]]})
		}
	}
	return likeRows(metrics.CIDErD(samples, r.frequencies).Images, texts)
}

// told is the log-probability, over the photos of the batch, that each text is of its own.
func (r *reward) told(ctx context.Context, scenes method.Scenes, texts [][]string) ([][]float64, error) {
	var ids [][]int32
	for _, row := range texts {
		for _, text := range row {
			tokens, err := r.parts.CLIPTokenizer.Context(text, r.parts.Config.CLIP.Text.ContextLength, true)
			if err != nil {
				return nil, err
			}
			ids = append(ids, tokens)
		}
	}
	embeddings, err := r.encoder.Text(ctx, ids)
	if err != nil {
		return nil, err
	}
	photos := align.Units(scenes.Embeddings)
	var flat []float64
	for i, row := range texts {
		for range row {
			flat = append(flat, logSoftmax(align.Unit(embeddings[len(flat)]), photos, r.scale, i))
		}
	}
	return likeRows(flat, texts), nil
}

// logSoftmax is log softmax over rows of scale·(row·x), at one of them.
func logSoftmax(x []float32, rows [][]float32, scale float64, at int) float64 {
	logits, largest := make([]float64, len(rows)), math.Inf(-1)
	for i, row := range rows {
		for j, v := range row {
			logits[i] += scale * float64(v) * float64(x[j])
		}
		largest = max(largest, logits[i])
	}
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(v - largest)
	}
	return logits[at] - largest - math.Log(sum)
}

// likeRows cuts flat into rows as long as those of like.
func likeRows[T any](flat []float64, like [][]T) [][]float64 {
	out := make([][]float64, len(like))
	for i, row := range like {
		out[i], flat = flat[:len(row):len(row)], flat[len(row):]
	}
	return out
}

func mean(rows [][]float64) float64 {
	sum, count := 0.0, 0
	for _, row := range rows {
		for _, v := range row {
			sum += v
		}
		count += len(row)
	}
	return sum / float64(count)
}

// distinct is the share of texts that differ.
func distinct(texts [][]string) float64 {
	all, count := make(map[string]bool), 0
	for _, row := range texts {
		for _, text := range row {
			all[text] = true
		}
		count += len(row)
	}
	return float64(len(all)) / float64(count)
}
