package recipe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// ESPER trains a mapper from photos alone, before a frozen language model, by a frozen
// CLIP's word on what it writes.
type ESPER struct {
	Name          string             `json:"name"`
	CLIP          string             `json:"clip"`           // model folder; empty: the model in this program
	LanguageModel string             `json:"language_model"` // model folder; empty: the model in this program
	Photos        string             `json:"photos"`         // photos without captions, a folder or archive
	Data          TextData           `json:"data,omitzero"`  // captions whose first tokens are prompts, as often as they come; none: prompt alone
	Openers       int                `json:"openers"`        // of these, the most frequent; paper: 300
	Prompt        string             `json:"prompt"`         // that captions are written behind, and drawn once in 40 times while training; paper: "The photo describes a"
	Style         ESPERStyle         `json:"style"`          // labelled text, whose labels are the prompts
	Mapper        mapper.Config      `json:"mapper"`         // an MLP; widths 0 stand for those of the models. Paper: prefix_length 10
	Batch         int                `json:"batch"`          // photos an update; paper: 128
	Method        method.ESPERConfig `json:"method"`         // prompt_tokens is that of the longest prompt
	Epochs        float64            `json:"epochs,omitempty"`
	Collapse      Variety            `json:"collapse"` // when a run is given up that says the same of all photos
	Pace          Pace               `json:"pace"`
	Val           Val                `json:"val,omitzero"`
	Seed          int64              `json:"seed"`
	Half          bool               `json:"half"` // store the model in fp16
}

// promptShare is how often the prompt is drawn that captions are written behind, beside
// all others, as in the authors' code.
const promptShare = 1.0 / 40

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c ESPER) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	if c.Photos == "" {
		return errors.New("no photos to learn from: photos names neither a folder nor an archive")
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	prompts, err := c.prompts(parts.gpt.GPTTokenizer)
	if err != nil {
		return err
	}
	embedder, err := newEmbedder(run, parts.clip)
	if err != nil {
		return err
	}
	photos, err := embedder.unlabelled(ctx, c.Photos)
	if err != nil {
		return err
	}
	defer photos.Close()
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, photos.Len(), c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(Data{})
	c.Method.PromptTokens = 0
	for _, p := range prompts {
		c.Method.PromptTokens = max(c.Method.PromptTokens, len(p.Tokens))
	}
	network, err := c.network(parts)
	if err != nil {
		return err
	}
	speaker, err := c.speaker(ctx, run, parts)
	if err != nil {
		return err
	}
	return c.learn(ctx, run, embedder, parts, network, speaker, photos, prompts)
}

// learn trains the mapper and the value model, both before a language model of these
// tensors.
func (c ESPER) learn(ctx context.Context, run Run, embedder *embedder, parts *parts, network clipcap.Config, speaker []weights.Tensor, photos *dataset.Embeddings, prompts []batches.Prompt) error {
	store := newStore(c.Seed)
	err := errors.Join(loadTensors(store, speaker), loadValue(store, speaker))
	if err != nil {
		return err
	}
	end, ok := parts.gpt.GPTTokenizer.ID(endOfText)
	if !ok {
		return fmt.Errorf("the language model's tokenizer has no %s", endOfText)
	}
	words := method.Words{Stop: []int{end}, Say: parts.gpt.GPTTokenizer.Line, Embed: embedder.read}
	learner, err := method.NewESPER(run.Engine, store, network, c.Method, words)
	if err != nil {
		return err
	}
	asked := network
	asked.Prompt = parts.gpt.GPTTokenizer.Encode(c.Prompt)
	judge, err := newTellingJudge(ctx, run, embedder, c.Val, parts, store, asked, c.Method.Optimizer, c.Batch, c.Method.Tokens)
	if err != nil {
		return err
	}
	defer judge.close()
	source := &batches.Prompted{Photos: photos, Prompts: prompts, Size: c.Batch, Seed: uint64(c.Seed)}
	return learn(ctx, run, job[method.Prompted]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.Batch, examples: photos.Len(), collapse: c.Collapse.end(),
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error {
			m, err := parts.model(store, asked, c.Half)
			if err != nil {
				return err
			}
			m.Config.Name, m.Config.MaxTokens = c.Name, min(m.Config.MaxTokens, c.Method.Tokens)
			if m.Run, err = runJSON(c, o, judge.labelled, slices.Concat(c.Data.Text, c.Style.files(), named(c.Photos), c.Val.files())...); err != nil {
				return err
			}
			return modelfolder.Write(run.Out, m)
		},
	})
}

// network is the captioner, without its prompt, which differs from text to text.
func (c ESPER) network(p *parts) (clipcap.Config, error) {
	n, err := network(*p.clip.Config.CLIP, p.gpt, c.Mapper, false)
	if err != nil {
		return n, err
	}
	n.Scale = math.Sqrt(float64(n.Mapper.PrefixLength*n.Mapper.Width) / float64(n.Mapper.ClipWidth))
	if room := n.GPT.Positions - n.Begin(); c.Method.PromptTokens+c.Method.Tokens > room {
		return n, fmt.Errorf("a prompt of %d tokens and a text of %d exceed the language model's room of %d behind the prefix", c.Method.PromptTokens, c.Method.Tokens, room)
	}
	return n, nil
}

// prompts are the first tokens of captions, and the prompt that captions are written
// behind.
func (c ESPER) prompts(t *tokenizer.BPE) ([]batches.Prompt, error) {
	own := t.Encode(c.Prompt)
	if len(own) == 0 {
		return nil, errors.New("prompt is empty: captions are written behind one")
	}
	if len(c.Style.Corpora) > 0 {
		return c.labels(t)
	}
	if len(c.Data.Text) == 0 {
		return []batches.Prompt{{Tokens: own, Weight: 1}}, nil
	}
	captions, err := c.Data.captions(false)
	if err != nil {
		return nil, err
	}
	counts, total := make(map[int]int), 0
	for _, caption := range captions {
		counts[t.Encode(dataset.Sentence(caption))[0]]++ // a caption has a word
	}
	var out []batches.Prompt
	for token, n := range counts {
		out = append(out, batches.Prompt{Tokens: []int{token}, Weight: float64(n)})
	}
	slices.SortFunc(out, func(a, b batches.Prompt) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Tokens[0], b.Tokens[0]))
	})
	out = limited(out, c.Openers)
	for _, p := range out {
		total += int(p.Weight)
	}
	return append(out, batches.Prompt{Tokens: own, Weight: promptShare * float64(total)}), nil
}

// loadValue gives store a second copy of the language model, for the value model.
func loadValue(store *model.Store, speaker []weights.Tensor) error {
	for _, t := range speaker {
		values, err := t.Float32()
		if err != nil {
			return err
		}
		path := weights.VariablePath(method.ValueScope + "." + t.Name)
		if _, err := store.CreateVariable(path, tensors.FromFlatDataAndDimensions(values, t.Shape...)); err != nil {
			return err
		}
	}
	return nil
}
