package recipe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// LanguageModel trains a small GPT-2 and its tokenizer from sentences.
type LanguageModel struct {
	Name      string          `json:"name"`
	Texts     []string        `json:"texts"`    // plain text files, a sentence a line
	Captions  string          `json:"captions"` // JSONL whose captions are added; may be empty
	Split     string          `json:"split"`    // of Captions
	Network   gpt2.Config     `json:"network"`  // vocab_size is the tokenizer's wish
	Batch     int             `json:"batch"`    // sentences an update
	MaxTokens int             `json:"max_tokens"`
	Optimizer train.Optimizer `json:"optimizer"`
	Epochs    float64         `json:"epochs,omitempty"` // in the place of the optimizer's updates
	Pace      Pace            `json:"pace"`
	Val       Val             `json:"val,omitzero"`
	Seed      int64           `json:"seed"`
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (l LanguageModel) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	sentences, err := readSentences(l.Texts, l.Captions, l.Split)
	if err != nil {
		return err
	}
	bpe, err := tokenizer.Train(tokenizer.GPT2, slices.Values(sentences), l.Network.VocabSize)
	if err != nil {
		return fmt.Errorf("tokenizer: %w", err)
	}
	l.Network.VocabSize = bpe.Size()
	if err := l.Network.Validate(); err != nil {
		return err
	}
	begin, ok := bpe.ID(endOfText)
	if !ok {
		return fmt.Errorf("tokenizer: no %s", endOfText)
	}
	stop, err := stopTokens(bpe)
	if err != nil {
		return err
	}
	if l.Optimizer.Updates, err = resolveUpdates(l.Optimizer.Updates, l.Epochs, len(sentences), l.Batch); err != nil {
		return err
	}
	l.Epochs = 0
	if len(l.Val.Texts) == 0 { // its own captions, then, of the other split
		l.Val = l.Val.of(Data{Captions: l.Captions})
	}
	store := newStore(l.Seed)
	learner, err := method.NewLanguageModel(run.Engine, store, l.Network, l.Optimizer, begin, l.MaxTokens)
	if err != nil {
		return err
	}
	judge, err := newTextJudge(learner, l, bpe, stop)
	if err != nil {
		return err
	}
	source := &batches.Texts{Sentences: sentences, Tokenizer: bpe, Size: l.Batch, Seed: uint64(l.Seed)}
	return learn(ctx, run, job[method.Texts]{
		config: l, pace: l.Pace, updates: l.Optimizer.Updates, size: l.Batch, examples: len(sentences), diverge: diverge,
		store: store, method: learner, batch: source.Batch, val: l.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error {
			tensors, err := export(store, weights.F32, clipcap.GPTScope)
			if err != nil {
				return err
			}
			return l.write(run.Out, tensors, bpe, stop, o)
		},
	})
}

// endOfText stands between texts in GPT-2's training.
const endOfText = "<|endoftext|>"

// readSentences reads plain texts, and the captions of a split of a JSONL file if one
// is named, each sentence prepared as captions are.
func readSentences(texts []string, records, split string) ([]string, error) {
	var out []string
	for _, path := range texts {
		text, err := dataset.LoadText(path)
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	if records != "" {
		list, err := dataset.LoadJSONL(records, split)
		if err != nil {
			return nil, err
		}
		out = slices.AppendSeq(out, captions(list))
	}
	for i := range out {
		out[i] = dataset.Sentence(out[i])
	}
	out = slices.DeleteFunc(out, func(s string) bool { return s == "" })
	if len(out) == 0 {
		return nil, errors.New("no sentences to learn from: texts and captions are empty")
	}
	return out, nil
}

func (l LanguageModel) write(out string, tensors []weights.Tensor, bpe *tokenizer.BPE, stop []int, o train.Outcome) error {
	data := slices.Clone(l.Texts)
	if l.Captions != "" {
		data = append(data, l.Captions)
	}
	data = append(data, l.Val.files()...)
	run, err := runJSON(l, o, false, data...)
	if err != nil {
		return err
	}
	return modelfolder.Write(out, modelfolder.Model{
		Config: modelfolder.Config{
			Version: modelfolder.Version, Name: l.Name, LanguageModel: &l.Network,
			StopTokens: stop, MaxTokens: min(l.MaxTokens, l.Network.Positions),
		},
		GPTTokenizer: bpe, Tensors: tensors, Run: run,
	})
}

// stopTokens are the full stop and, where the vocabulary has it, the full stop
// behind a space.
func stopTokens(bpe *tokenizer.BPE) ([]int, error) {
	dot := bpe.Encode(".")
	if len(dot) != 1 {
		return nil, errors.New("tokenizer: the full stop is not one token")
	}
	if spaced := bpe.Encode(" ."); len(spaced) == 1 {
		return []int{dot[0], spaced[0]}, nil
	}
	return dot, nil
}
