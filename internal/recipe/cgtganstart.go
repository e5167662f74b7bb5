package recipe

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
)

// CgTGANStart is how the generator begins: by telling captions from their own embeddings.
type CgTGANStart struct {
	Batch     int             `json:"batch"`      // captions an update; paper: 16
	Epochs    float64         `json:"epochs"`     // over the captions; paper: 1; 0: it begins as it is
	MaxTokens int             `json:"max_tokens"` // longer captions are cut, unlike those that it writes
	Optimizer train.Optimizer `json:"optimizer"`  // its updates are those of the epochs
}

// start returns a store with the generator as it begins: after it learned to tell the
// sentences from their own embeddings, in a run of its own beside the checkpoints.
func (c CgTGAN) start(ctx context.Context, run Run, p *parts, sentences []string, corpus *dataset.Embeddings) (*model.Store, clipcap.Config, error) {
	store := newStore(c.Seed)
	network, err := begin(store, *p.clip.Config.CLIP, p.gpt, c.Mapper, c.Normalize)
	if err != nil {
		return nil, network, err
	}
	if err := fits(network, c.Method.MaxTokens); err != nil {
		return nil, network, err
	}
	if c.Start.Epochs == 0 {
		return store, network, nil
	}
	encode := batches.Sentences(p.gpt.GPTTokenizer)
	if err := fit(sentences, encode, network, c.Start.MaxTokens); err != nil {
		return nil, network, fmt.Errorf("start: %w", err)
	}
	if run.Forecast != nil {
		return store, network, nil
	}
	learner, err := method.NewClipCap(run.Engine, store, network, method.ClipCapConfig{Optimizer: c.Start.Optimizer, MaxTokens: c.Start.MaxTokens})
	if err != nil {
		return nil, network, fmt.Errorf("start: %w", err)
	}
	source := &batches.Pairs{Records: alone(sentences), Embeddings: corpus, Views: 1, Encode: encode, Size: c.Start.Batch, Seed: uint64(c.Seed)}
	run.Out = filepath.Join(filepath.Clean(run.Out)+".run", "start")
	after := newStore(c.Seed)
	err = learn(ctx, run, job[method.Pairs]{
		config: c, pace: c.Pace, updates: c.Start.Optimizer.Updates, size: c.Start.Batch, examples: len(sentences), diverge: diverge,
		store: store, method: learner, batch: source.Batch,
		write: func(train.Outcome) error { return hand(store, after, clipcap.MapperScope, clipcap.GPTScope) },
	})
	return after, network, err
}
