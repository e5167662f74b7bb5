package recipe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// RoBERTa trains a small RoBERTa and its tokenizer from sentences: what knows, for
// CgT-GAN's discriminator, how people write.
type RoBERTa struct {
	Name     string               `json:"name"`
	Texts    []string             `json:"texts"`    // plain text files, a sentence a line
	Captions string               `json:"captions"` // JSONL whose captions are added; may be empty
	Split    string               `json:"split"`    // of Captions
	Network  roberta.Config       `json:"network"`  // vocab_size is the tokenizer's wish
	Batch    int                  `json:"batch"`    // sentences an update; paper: 8192 of 512 tokens
	Method   method.RoBERTaConfig `json:"method"`
	Epochs   float64              `json:"epochs,omitempty"` // in the place of the optimizer's updates
	Pace     Pace                 `json:"pace"`
	Val      Val                  `json:"val,omitzero"`
	Seed     int64                `json:"seed"`
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (r RoBERTa) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	sentences, err := readSentences(r.Texts, r.Captions, r.Split)
	if err != nil {
		return err
	}
	bpe, err := tokenizer.Train(tokenizer.RoBERTa, slices.Values(sentences), r.Network.VocabSize)
	if err != nil {
		return err
	}
	r.Network.VocabSize = bpe.Size()
	if err := r.Network.Validate(); err != nil {
		return err
	}
	marks, err := markers(bpe)
	if err != nil {
		return err
	}
	if r.Method.Optimizer.Updates, err = resolveUpdates(r.Method.Optimizer.Updates, r.Epochs, len(sentences), r.Batch); err != nil {
		return err
	}
	r.Epochs = 0
	if len(r.Val.Texts) == 0 { // its own captions, then, of the other split
		r.Val = r.Val.of(Data{Captions: r.Captions})
	}
	store := newStore(r.Seed)
	if err := drawn(run, store, r.Network); err != nil {
		return err
	}
	learner, err := method.NewRoBERTa(run.Engine, store, r.Network, r.Method, marks)
	if err != nil {
		return err
	}
	judged, err := r.Val.sentences(bpe, r.Batch)
	if err != nil {
		return err
	}
	evaluate := func(ctx context.Context) (train.Evaluation, error) {
		scores, err := meanLoss(ctx, learner.Loss, judged, func(b method.Texts) int { return len(b.Sentences) })
		return train.Evaluation{Scores: scores}, err
	}
	source := &batches.Texts{Sentences: sentences, Tokenizer: bpe, Size: r.Batch, Seed: uint64(r.Seed)}
	return learn(ctx, run, job[method.Texts]{
		config: r, pace: r.Pace, updates: r.Method.Optimizer.Updates, size: r.Batch, examples: len(sentences), diverge: diverge,
		store: store, method: learner, batch: source.Batch, val: r.Val.plan(evaluate),
		write: func(o train.Outcome) error { return r.write(run.Out, store, bpe, o) },
	})
}

// drawn gives store all of a RoBERTa's variables. Its pooler stays as it is drawn: what
// is trained here does not ask for it, and who wants one trains it.
func drawn(run Run, store *model.Store, network roberta.Config) error {
	if err := weights.Declare(run.Engine, store, network.Declare); err != nil {
		return err
	}
	if err := store.InitializeVariables(run.Engine, nil); err != nil {
		return fmt.Errorf("drawing the weights: %w", err)
	}
	return nil
}

// markers are the ids of a RoBERTa tokenizer that are no text.
func markers(bpe *tokenizer.BPE) (m method.Markers, err error) {
	for token, id := range map[string]*int{"<s>": &m.Start, "</s>": &m.End, "<unk>": &m.Last, "<mask>": &m.Mask} {
		var ok bool
		if *id, ok = bpe.ID(token); !ok {
			return m, fmt.Errorf("tokenizer: no %s", token)
		}
	}
	if m.Mask != bpe.Size()-1 || m.Last >= m.Mask {
		return m, errors.New("tokenizer: <mask> is not the last token")
	}
	return m, nil
}

func (r RoBERTa) write(out string, store *model.Store, bpe *tokenizer.BPE, o train.Outcome) error {
	tensors, err := export(store, weights.F32, roberta.Scope)
	if err != nil {
		return err
	}
	data := slices.Concat(r.Texts, named(r.Captions), r.Val.files())
	run, err := runJSON(r, o, false, data...)
	if err != nil {
		return err
	}
	return modelfolder.Write(out, modelfolder.Model{
		Config:           modelfolder.Config{Version: modelfolder.Version, Name: r.Name, RoBERTa: &r.Network},
		RoBERTaTokenizer: bpe, Tensors: tensors, Run: run,
	})
}
