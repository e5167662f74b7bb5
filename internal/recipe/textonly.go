package recipe

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// fits tells whether captions of so many tokens have room behind the prefix. (The last
// token is predicted, but not read.)
func fits(network clipcap.Config, maxTokens int) error {
	if room := network.GPT.Positions - network.Begin() + 1; maxTokens < 1 || maxTokens > room {
		return fmt.Errorf("max_tokens is %d, but the language model has room for 1 to %d behind the prefix", maxTokens, room)
	}
	return nil
}

// fit tells whether the captions, for the most part, and the longest that is learned
// have room.
func fit(captions []string, encode func(string) []int, network clipcap.Config, maxTokens int) error {
	if err := fits(network, maxTokens); err != nil {
		return err
	}
	return tooLong(captions, encode, maxTokens)
}

// writeText writes a captioner that was trained from texts by a configuration, with the
// means of its embeddings.
func writeText(out string, m modelfolder.Model, config any, means *centres, o train.Outcome, labelled bool, files []string) error {
	if err := means.keep(&m); err != nil {
		return err
	}
	var err error
	if m.Run, err = runJSON(config, o, labelled, files...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}

// named is a list of one name, or of none where it is empty.
func named(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// centres are the means of the embeddings as the mapper reads them.
type centres struct {
	modelfolder.Centres
	photo, text []float32 // [E]; photo may be nil
}

// newCentres takes the mean of the texts' embeddings, and of those of the photos in a
// folder or archive, if one is named.
func newCentres(ctx context.Context, e *embedder, texts *dataset.Embeddings, photos string, normalize bool) (*centres, error) {
	c := &centres{Centres: modelfolder.Centres{Texts: texts.Len()}}
	var err error
	if c.text, err = align.Centre(rows(texts, normalize)); err != nil {
		return nil, err
	}
	if photos == "" {
		return c, nil
	}
	embeddings, err := e.unlabelled(ctx, photos)
	if err != nil {
		return nil, err
	}
	defer embeddings.Close()
	c.Photos = embeddings.Len()
	c.photo, err = align.Centre(rows(embeddings, normalize))
	return c, err
}

// rows yields embeddings as a mapper reads them.
func rows(e *dataset.Embeddings, normalize bool) iter.Seq[[]float32] {
	return func(yield func([]float32) bool) {
		for i := range e.Len() {
			row := e.Row(i)
			if normalize {
				row = align.Unit(row)
			}
			if !yield(row) {
				return
			}
		}
	}
}

// gap is the mean photo minus the mean text.
func (c *centres) gap() []float32 {
	return align.MeanShift(c.photo, c.text, make([]float32, len(c.text)))
}

// keep adds the means to a model.
func (c *centres) keep(m *modelfolder.Model) error {
	m.Config.Centres = &c.Centres
	for name, values := range map[string][]float32{"photo": c.photo, "text": c.text} {
		if values == nil {
			continue
		}
		t, err := weights.FromFloat32(modelfolder.CentreScope+"."+name, weights.F32, []int{len(values)}, values)
		if err != nil {
			return err
		}
		m.Tensors = append(m.Tensors, t)
	}
	return nil
}

// newTextsJudge judges a captioner that learns from texts: by photos with captions where
// v names some, else by its texts, each of which the captioner is to tell from its own
// embedding. Those are no labelled data.
func newTextsJudge(ctx context.Context, e *embedder, v Val, t *tokenizer.BPE, encode func(string) []int, size int) (*pairsJudge, error) {
	if v.Every == 0 || len(v.Texts) == 0 {
		return newPairsJudge(ctx, e, v, t, encode, size)
	}
	if v.Data.Captions != "" {
		return nil, errors.New("val: judged by texts or by photos, not by both")
	}
	captions, err := TextData{Text: v.Texts}.captions(false)
	if err != nil {
		return nil, fmt.Errorf("val: %w", err)
	}
	captions = limited(captions, v.Limit)
	embeddings, err := e.texts(ctx, captions)
	if err != nil {
		return nil, err
	}
	var records []dataset.Record
	for _, text := range captions {
		records = append(records, dataset.Record{Image: text, Captions: []string{text}})
	}
	j := &pairsJudge{}
	j.of(captionJudge{tokenizer: t, samples: v.Samples, records: records, embeddings: embeddings}, encode, size)
	return j, nil
}

// newTellingJudge judges a captioner that learns from rewards by photos with captions,
// where v names some, as one that learns from captions is judged: by its loss on them and
// by what it writes. o is its optimizer.
func newTellingJudge(ctx context.Context, run Run, e *embedder, v Val, p *parts, store *model.Store, network clipcap.Config, o train.Optimizer, size, longest int) (*pairsJudge, error) {
	told, err := method.NewClipCap(run.Engine, store, network, method.ClipCapConfig{Optimizer: o, MaxTokens: longest})
	if err != nil {
		return nil, err
	}
	j, err := newTextsJudge(ctx, e, v, p.gpt.GPTTokenizer, batches.Sentences(p.gpt.GPTTokenizer), size)
	if err != nil {
		return nil, err
	}
	return j, j.watch(run.Engine, store, network, told.Loss, greedy(p.gpt.Config.StopTokens, min(longest, maxTokens(p.gpt, network))))
}
