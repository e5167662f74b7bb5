package recipe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/tokenizer"
)

// MAGIC adapts a language model to captions, for a frozen CLIP to guide when photos are
// captioned.
type MAGIC struct {
	Name          string             `json:"name"`
	CLIP          string             `json:"clip"`           // model folder; empty: the model in this program
	LanguageModel string             `json:"language_model"` // model folder; empty: the model in this program
	Data          TextData           `json:"data"`
	Batch         int                `json:"batch"` // captions an update; paper: 128
	Method        method.MAGICConfig `json:"method"`
	Epochs        float64            `json:"epochs,omitempty"` // in the place of the optimizer's updates
	Search        MAGICSearch        `json:"search"`
	Pace          Pace               `json:"pace"`
	Val           Val                `json:"val,omitzero"` // judged by its texts
	Seed          int64              `json:"seed"`
	Half          bool               `json:"half"` // store the model in fp16
}

// MAGICSearch is how the model searches; see decode.Contrast.
type MAGICSearch struct {
	K      int     `json:"k"`      // paper: 45 on COCO, 25 on Flickr30k
	Alpha  float64 `json:"alpha"`  // paper: 0.1
	Beta   float64 `json:"beta"`   // paper: 2
	Length int     `json:"length"` // paper: 15 on COCO, 19 on Flickr30k
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c MAGIC) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	captions, err := c.Data.captions(false)
	if err != nil {
		return err
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	gpt := parts.gpt.GPTTokenizer
	for i, text := range captions {
		captions[i] = dataset.Sentence(text) // which is what the language model knows
	}
	// A caption of one token has no pair of tokens to keep apart.
	captions = slices.DeleteFunc(captions, func(text string) bool { return len(gpt.Encode(text)) < 2 })
	if len(captions) == 0 {
		return errors.New("no caption has two tokens or more")
	}
	if err := tooLong(captions, gpt.Encode, c.Method.MaxTokens); err != nil {
		return err
	}
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, len(captions), c.Batch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(Data{})
	config, err := c.folder(parts)
	if err != nil {
		return err
	}
	store := newStore(c.Seed)
	if err := c.load(store, parts, *config.LanguageModel); err != nil {
		return err
	}
	learner, err := method.NewMAGIC(run.Engine, store, *config.LanguageModel, c.Method, config.MAGIC.Start, config.MAGIC.End)
	if err != nil {
		return err
	}
	judge, err := c.judge(run, store, learner, gpt, config)
	if err != nil {
		return err
	}
	source := &batches.Texts{Sentences: captions, Tokenizer: gpt, Size: c.Batch, Seed: uint64(c.Seed)}
	return learn(ctx, run, job[method.Texts]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.Batch, examples: len(captions), diverge: diverge,
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error { return c.write(run.Out, store, parts, config, o) },
	})
}

// folder is the configuration of the model to be: the language model's vocabulary has
// grown by a start token and, as in MAGIC's checkpoints, a padding token.
func (c MAGIC) folder(p *parts) (modelfolder.Config, error) {
	end, ok := p.gpt.GPTTokenizer.ID(endOfText)
	if !ok {
		return modelfolder.Config{}, fmt.Errorf("the language model's tokenizer has no %s", endOfText)
	}
	language, from := *p.gpt.Config.GPT(), p.clip.Config
	start := language.VocabSize
	language.VocabSize += 2
	search := decode.Contrast{K: c.Search.K, Alpha: c.Search.Alpha, Beta: c.Search.Beta, Length: c.Search.Length, End: end}
	config := modelfolder.Config{
		Version: modelfolder.Version, Name: c.Name, CLIPName: from.CLIPName, CLIP: from.CLIP, Image: from.Image,
		LanguageModel: &language, MaxTokens: c.Search.Length,
		MAGIC: &modelfolder.MAGIC{Contrast: search, Start: start},
	}
	return config, config.Validate()
}

// load gives store the language model's variables, with rows for the new tokens drawn
// as GPT-2's are.
func (c MAGIC) load(store *model.Store, p *parts, network gpt2.Config) error {
	if err := load(store, p.gpt, clipcap.GPTScope); err != nil {
		return err
	}
	v := store.GetVariable(model.JoinPath("/", clipcap.GPTScope, "transformer", "wte", "weight"))
	if v == nil {
		return errors.New("the language model has no wte.weight")
	}
	value, err := v.Value()
	if err != nil {
		return err
	}
	table, err := tensors.CopyFlatData[float32](value)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(uint64(c.Seed), 0))
	for len(table) < network.VocabSize*network.Width {
		table = append(table, float32(0.02*rng.NormFloat64()))
	}
	if err := store.DeleteVariable(v.Path()); err != nil {
		return err
	}
	_, err = store.CreateVariable(v.Path(), tensors.FromFlatDataAndDimensions(table, network.VocabSize, network.Width))
	return err
}

// magicJudge judges a language model by texts, and lets it write one by contrastive
// search, which needs no photo.
type magicJudge struct {
	batches   []method.Texts
	loss      func(method.Texts) (train.Losses, error)
	generator *clipcap.Generator
	tokenizer *tokenizer.BPE
	search    decode.Contrast
	start     int
	samples   int
}

func (c MAGIC) judge(run Run, store *model.Store, learner *method.MAGIC, gpt *tokenizer.BPE, config modelfolder.Config) (*magicJudge, error) {
	j := &magicJudge{loss: learner.Loss, tokenizer: gpt, search: config.MAGIC.Contrast, start: config.MAGIC.Start, samples: c.Val.Samples}
	j.search.Beta = 0
	if c.Val.Every == 0 {
		return j, nil
	}
	captions, err := TextData{Text: c.Val.Texts}.captions(false)
	if err != nil {
		return nil, fmt.Errorf("val: %w", err)
	}
	for list := range slices.Chunk(limited(captions, c.Val.Limit), c.Batch) {
		var b method.Texts
		for _, text := range list {
			b.Sentences = append(b.Sentences, gpt.Encode(dataset.Sentence(text)))
		}
		j.batches = append(j.batches, b)
	}
	j.generator, err = clipcap.NewTextGenerator(run.Engine, store, *config.LanguageModel)
	return j, err
}

func (j *magicJudge) evaluate(ctx context.Context) (train.Evaluation, error) {
	scores, err := meanLoss(ctx, j.loss, j.batches, func(b method.Texts) int { return len(b.Sentences) })
	if err != nil || j.samples == 0 {
		return train.Evaluation{Scores: scores}, err
	}
	session, err := j.generator.StartTexts([][]int{{j.start}}, j.search.Length)
	if err != nil {
		return train.Evaluation{}, err
	}
	defer session.Close()
	found, err := decode.SearchContrastive(ctx, session, j.search, nil)
	if err != nil {
		return train.Evaluation{}, err
	}
	return train.Evaluation{Scores: scores, Samples: []train.Sample{{Text: j.tokenizer.Line(found[0].Tokens)}}}, nil
}

func (c MAGIC) write(out string, store *model.Store, p *parts, config modelfolder.Config, o train.Outcome) error {
	dtype := storedAs(c.Half)
	m := modelfolder.Model{Config: config, CLIPTokenizer: p.clip.CLIPTokenizer, GPTTokenizer: p.gpt.GPTTokenizer}
	var err error
	if m.Tensors, err = export(store, dtype, clipcap.GPTScope); err != nil {
		return err
	}
	towers, err := p.towers(dtype)
	if err != nil {
		return err
	}
	m.Tensors = append(m.Tensors, towers...)
	if m.Run, err = runJSON(c, o, false, slices.Concat(c.Data.Text, c.Val.files())...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}
