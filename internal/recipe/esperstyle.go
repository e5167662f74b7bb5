package recipe

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// ESPERStyle tunes the language model first, to sentences that each stand behind the
// label of their corpus. Texts of photos are then written behind the labels.
type ESPERStyle struct {
	Corpora   map[string]TextData `json:"corpora"` // by label, such as "Caption:"; none: the language model stays as it is
	Batch     int                 `json:"batch"`   // sentences an update
	Epochs    float64             `json:"epochs"`  // over the sentences of all corpora
	MaxTokens int                 `json:"max_tokens"`
	Optimizer train.Optimizer     `json:"optimizer"` // its updates are those of the epochs
}

// files are the corpora's.
func (s ESPERStyle) files() []string {
	var out []string
	for _, label := range slices.Sorted(maps.Keys(s.Corpora)) {
		out = append(out, s.Corpora[label].Text...)
	}
	return out
}

// sentences are all those of the corpora, each behind its label.
func (s ESPERStyle) sentences() ([]string, error) {
	var out []string
	for _, label := range slices.Sorted(maps.Keys(s.Corpora)) {
		captions, err := s.Corpora[label].captions(false)
		if err != nil {
			return nil, fmt.Errorf("style: %s: %w", label, err)
		}
		for _, caption := range captions {
			out = append(out, label+" "+dataset.Sentence(caption))
		}
	}
	return out, nil
}

// labels are the prompts, drawn as often as each other.
func (c ESPER) labels(t *tokenizer.BPE) ([]batches.Prompt, error) {
	labels := slices.Sorted(maps.Keys(c.Style.Corpora))
	if !slices.Contains(labels, c.Prompt) {
		return nil, fmt.Errorf("prompt is %q, want one of the labels of style.corpora: %s", c.Prompt, strings.Join(labels, ", "))
	}
	if len(c.Data.Text) > 0 {
		return nil, fmt.Errorf("data.text names %s, but prompts are the labels of style.corpora", c.Data.Text[0])
	}
	var out []batches.Prompt
	for _, label := range labels {
		tokens := t.Encode(label)
		if len(tokens) == 0 {
			return nil, fmt.Errorf("style.corpora has the label %q, in which there is nothing to read", label)
		}
		out = append(out, batches.Prompt{Tokens: tokens, Weight: 1})
	}
	return out, nil
}

// speaker returns the tensors of the language model that stays frozen: those that are
// there or, where there are labelled corpora, what they make of them, in a run of its own
// beside the checkpoints.
func (c ESPER) speaker(ctx context.Context, run Run, p *parts) ([]weights.Tensor, error) {
	given := below(p.gpt.Tensors, clipcap.GPTScope)
	if len(c.Style.Corpora) == 0 || run.Forecast != nil {
		return given, nil
	}
	sentences, err := c.Style.sentences()
	if err != nil {
		return nil, err
	}
	o := c.Style.Optimizer
	if o.Updates, err = resolveUpdates(0, c.Style.Epochs, len(sentences), c.Style.Batch); err != nil {
		return nil, fmt.Errorf("style: %w", err)
	}
	begin, ok := p.gpt.GPTTokenizer.ID(endOfText)
	if !ok {
		return nil, fmt.Errorf("the language model's tokenizer has no %s", endOfText)
	}
	store := newStore(c.Seed)
	if err := loadTensors(store, given); err != nil {
		return nil, err
	}
	learner, err := method.NewLanguageModel(run.Engine, store, *p.gpt.Config.GPT(), o, begin, c.Style.MaxTokens)
	if err != nil {
		return nil, fmt.Errorf("style: %w", err)
	}
	source := &batches.Texts{Sentences: sentences, Tokenizer: p.gpt.GPTTokenizer, Size: c.Style.Batch, Seed: uint64(c.Seed)}
	run.Out = filepath.Join(filepath.Clean(run.Out)+".run", "style")
	var tuned []weights.Tensor
	err = learn(ctx, run, job[method.Texts]{
		config: c, pace: c.Pace, updates: o.Updates, size: c.Style.Batch, examples: len(sentences), diverge: diverge,
		store: store, method: learner, batch: source.Batch,
		write: func(train.Outcome) (err error) {
			tuned, err = export(store, weights.F32, clipcap.GPTScope)
			return err
		},
	})
	return tuned, err
}
