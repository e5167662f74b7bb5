package method

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/train"
)

// said are the captions of a batch of photos: [B][N] samples, each followed by the
// greedy one where that is the baseline.
type said struct {
	captions [][][]int // token ids
	stop     []int
	most     int // tokens of a caption
}

// say lets the generator write the captions.
func (m *CgTGAN) say(ctx context.Context, update int, photos [][]float32) (said, error) {
	out := said{captions: make([][][]int, len(photos)), stop: m.words.Stop, most: m.config.MaxTokens}
	search := decode.Options{
		Strategy: decode.Sample, Temperature: 1, TopP: 1, NBest: m.config.Samples,
		MaxLength: m.config.MaxTokens, StopTokens: m.words.Stop,
		Seed: uint64(m.config.Generator.Seed)<<32 + uint64(update*len(photos)),
	}
	ways := []decode.Options{search}
	if m.config.Baseline == BaselineGreedy {
		search.Strategy, search.NBest = decode.Greedy, 1
		ways = append(ways, search)
	}
	for _, way := range ways {
		session, err := m.generator.Start(photos, m.config.MaxTokens)
		if err != nil {
			return out, err
		}
		found, err := decode.Search(ctx, session, way)
		session.Close()
		if err := divergedBy(err, update); err != nil {
			return out, err
		}
		for i, hypotheses := range found {
			for _, h := range hypotheses {
				out.captions[i] = append(out.captions[i], h.Tokens)
			}
		}
	}
	return out, nil
}

// divergedBy takes logits that are no distribution for a run that diverged.
func divergedBy(err error, update int) error {
	if lost, ok := errors.AsType[*decode.NoDistributionError](err); ok {
		return &train.DivergedError{Update: update, What: lost.Error()}
	}
	return err
}

// texts are the first n captions of each photo as text; all of them where n is 0. A
// caption that the length limit ended has its last token replaced by a full stop.
func (d said) texts(say func([]int) string, n int) []string {
	var out []string
	for _, captions := range d.captions {
		for i, tokens := range captions {
			if n > 0 && i >= n {
				break
			}
			if len(tokens) == d.most && !slices.Contains(d.stop, tokens[len(tokens)-1]) {
				tokens = append(slices.Clone(tokens[:len(tokens)-1]), d.stop[0])
			}
			out = append(out, strings.TrimSpace(say(tokens)))
		}
	}
	return out
}

// distinct tells how varied the last captions of the photos are, the greedy ones if there
// are any: 1 where all differ, 0 where all are the same.
func (d said) distinct() float64 {
	last := make([][]int, len(d.captions))
	for i, captions := range d.captions {
		last[i] = captions[len(captions)-1]
	}
	return varied(last)
}

// varied is 1 where all texts differ, and 0 where all are the same.
func varied(texts [][]int) float64 {
	if len(texts) < 2 {
		return 1
	}
	different := make(map[string]bool)
	for _, text := range texts {
		different[fmt.Sprint(text)] = true
	}
	return float64(len(different)-1) / float64(len(texts)-1)
}

// rewards are those of drawn captions, in their order.
type rewards struct {
	clip, natural [][]float64
	parts         train.Losses // means over the samples
}

// rewards computes (2) and (3).
func (m *CgTGAN) rewards(ctx context.Context, c said, batch Unmatched) (rewards, error) {
	texts := c.texts(m.words.Say, 0)
	logits, err := m.Judge(texts)
	if err != nil {
		return rewards{}, err
	}
	read := make([]string, len(texts)) // by CLIP, without the final full stop
	for i, text := range texts {
		read[i] = strings.TrimSuffix(text, ".")
	}
	embeddings, err := m.words.Embed(ctx, read)
	if err != nil {
		return rewards{}, err
	}
	var out rewards
	var means [5]float64
	each := len(texts) / len(batch.Photos)
	for i, photo := range batch.Photos {
		var clip, natural []float64
		for j := range each {
			row := i*each + j
			r := m.config.Reward(photo, batch.Targets[i], embeddings[row])
			clip, natural = append(clip, r.Clip), append(natural, float64(logits[row]))
			if j < m.config.Samples {
				for k, value := range []float64{r.Clip, r.Cosine, r.L1, r.Image, natural[j]} {
					means[k] += value / float64(m.config.Samples*len(batch.Photos))
				}
			}
		}
		out.clip, out.natural = append(out.clip, clip), append(out.natural, natural)
	}
	for k, name := range []string{"reward_clip", "reward_cosine", "reward_l1", "reward_image", "reward_natural"} {
		out.parts = append(out.parts, train.Loss{Name: name, Value: means[k]})
	}
	return out, nil
}

// ClipReward is r_clip and what it is made of, each of which would be 100 for a caption
// that fits in every way.
type ClipReward struct {
	Clip       float64 // (2)
	Cosine, L1 float64 // of (1), by the aggregated target
	Image      float64 // by the photo itself
}

// Reward is (1) and (2) for embeddings of width E.
func (c CgTGANConfig) Reward(photo, target, caption []float32) ClipReward {
	distance := 0.0
	for j, v := range caption {
		distance += math.Abs(float64(target[j]) - float64(v))
	}
	r := ClipReward{
		Cosine: 100 * align.Cosine(target, caption),
		L1:     100 * (1 - distance/float64(len(caption))),
		Image:  100 * align.Cosine(photo, caption),
	}
	r.Clip = (1-c.ClipWeight)*((1-c.L1)*r.Cosine+c.L1*r.L1) + c.ClipWeight*r.Image
	return r
}

// Judge is D's word on texts, without dropout: [B] logits, large where it takes a text for
// one that a person wrote.
func (m *CgTGAN) Judge(texts []string) ([]float32, error) {
	ids, err := m.read(texts)
	if err != nil {
		return nil, err
	}
	out, err := m.judge.Call1(ids)
	_ = ids.FinalizeAll() // it was read
	if err != nil {
		return nil, fmt.Errorf("cgt-gan: %w", err)
	}
	defer out.FinalizeAll()
	return tensors.CopyFlatData[float32](out)
}

func (m *CgTGAN) read(texts []string) (*tensors.Tensor, error) {
	rows := make([][]int32, len(texts))
	for i, text := range texts {
		var err error
		if rows[i], err = m.words.Read(text); err != nil {
			return nil, err
		}
	}
	return matrix(rows)
}

// advantages compares the rewards of the samples with the baseline: [B·N].
func (m *CgTGAN) advantages(rewards [][]float64) []float32 {
	var out []float32
	for _, row := range rewards {
		if m.config.Baseline == BaselineSample {
			out = append(out, leaveOneOut(row)...)
			continue
		}
		for _, r := range row[:m.config.Samples] {
			out = append(out, float32(r-row[m.config.Samples]))
		}
	}
	return out
}

// spoken is what G learns from: [B·N].
type spoken struct {
	Pairs
	clip, natural []float32 // advantages
	weight        float64   // w
}

func (m *CgTGAN) spoken(photos [][]float32, c said, r rewards, w float64) spoken {
	out := spoken{clip: m.advantages(r.clip), natural: m.advantages(r.natural), weight: w}
	for i, photo := range photos {
		for _, caption := range c.captions[i][:m.config.Samples] {
			out.Embeddings, out.Captions = append(out.Embeddings, photo), append(out.Captions, caption)
		}
	}
	return out
}

func (m *CgTGAN) spokenInputs(s spoken) ([]*tensors.Tensor, error) {
	embeddings, err := matrix(s.Embeddings)
	if err != nil {
		return nil, err
	}
	captions, err := padded(s.Captions, m.config.MaxTokens)
	return []*tensors.Tensor{
		embeddings, captions, tensors.FromValue(s.clip), tensors.FromValue(s.natural), tensors.FromScalar(float32(s.weight)),
	}, err
}

// shown is what D learns from: [B·N] of either.
type shown struct{ sentences, captions []string }

func (m *CgTGAN) shownInputs(s shown) ([]*tensors.Tensor, error) {
	ids, err := m.read(slices.Concat(s.sentences, s.captions))
	labels := make([]float32, len(s.sentences)+len(s.captions))
	for i := range s.sentences {
		labels[i] = 1
	}
	return []*tensors.Tensor{ids, tensors.FromValue(labels)}, err
}

// Need estimates what an update on such a batch takes at the most.
func (m *CgTGAN) Need(batch Unmatched) (train.Need, error) {
	c := said{stop: m.words.Stop, most: m.config.MaxTokens}
	for range batch.Photos {
		c.captions = append(c.captions, slices.Repeat([][]int{slices.Repeat([]int{m.words.Stop[0]}, c.most)}, m.config.Samples))
	}
	zeros := make([]float32, len(batch.Photos)*m.config.Samples)
	s := m.spoken(batch.Photos, c, rewards{}, 1)
	s.clip, s.natural = zeros, zeros
	d, err := m.d.Need(shown{batch.Sentences, batch.Sentences})
	if err != nil {
		return d, err
	}
	g, err := m.g.Need(s)
	g.Trained, g.Moments, g.Work = g.Trained+d.Trained, g.Moments+d.Moments, max(g.Work, d.Work)
	return g, err
}
