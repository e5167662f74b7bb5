package recipe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/tokenizer"
)

// CgTGAN trains a captioner from photos and captions that do not belong together, a
// frozen CLIP, a language model, and a RoBERTa that becomes the discriminator.
type CgTGAN struct {
	Name          string              `json:"name"`
	CLIP          string              `json:"clip"`           // model folder; empty: the model in this program
	LanguageModel string              `json:"language_model"` // model folder; empty: the model in this program. A captioner to go on from where mapper names no kind
	RoBERTa       string              `json:"roberta"`        // model folder; train roberta makes one. Paper: roberta-base
	Data          TextData            `json:"data"`           // the corpus
	Length        Range               `json:"length"`         // words of a caption; others are dropped. Paper: any, and 7 to 15 of web captions
	Photos        string              `json:"photos"`         // photos without captions, a folder, archive or file of embeddings
	Temperature   float64             `json:"inverse_temperature"`
	Mapper        mapper.Config       `json:"mapper"`    // widths 0 stand for those of the models. Paper: ClipCap's MLP
	Normalize     bool                `json:"normalize"` // paper: false
	Start         CgTGANStart         `json:"start"`
	Batch         int                 `json:"batch"`            // photos an update; paper: 128
	Method        method.CgTGANConfig `json:"method"`           // updates and seed of its discriminator are the generator's
	Epochs        float64             `json:"epochs,omitempty"` // over the photos, in the place of the generator's updates; paper: 50
	Collapse      Variety             `json:"collapse"`         // when a run is given up that says the same of all photos
	Pace          Pace                `json:"pace"`
	Val           Val                 `json:"val,omitzero"`
	Seed          int64               `json:"seed"`
	Half          bool                `json:"half"`   // store the model in fp16
	Beams         int                 `json:"beams"`  // how the model searches unasked; paper: 0, greedily
	Rerank        bool                `json:"rerank"` // of the beams, take the one that its CLIP prefers
}

// Range is of numbers of words; 0 is no bound.
type Range struct {
	Least int `json:"least"`
	Most  int `json:"most"`
}

// Variety is what a run may not fall below.
type Variety struct {
	Least float64 `json:"least"` // share of a batch's captions that differ, smoothed, 0 to 1; 0: it may fall to nothing
	After int     `json:"after"` // updates that are not judged: a run may begin below
}

// end is when a run is given up.
func (v Variety) end() train.Collapse {
	if v.Least == 0 {
		return train.Collapse{}
	}
	return train.Collapse{
		Name: "distinct", Least: v.Least, After: v.After,
		Do: "photos get the same caption: give CLIP more weight, lower the learning rates, or let it go on with collapse.least 0",
	}
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c CgTGAN) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	sentences, err := c.sentences()
	if err != nil {
		return err
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	reader, err := c.reader()
	if err != nil {
		return err
	}
	defer reader.Close()
	embedder, err := newEmbedder(run, parts.clip)
	if err != nil {
		return err
	}
	if c.Photos == "" {
		return errors.New("no photos to learn from: photos names neither a folder nor an archive")
	}
	photos, err := embedder.unlabelled(ctx, c.Photos)
	if err != nil {
		return err
	}
	defer photos.Close()
	if err := c.resolve(photos.Len(), len(sentences)); err != nil {
		return err
	}
	if run.Forecast != nil {
		sentences = limited(sentences, c.Batch*c.Method.Samples) // nothing is embedded, so a batch is enough
	}
	return c.learn(ctx, run, embedder, parts, reader, photos, sentences)
}

// learn trains both players.
func (c CgTGAN) learn(ctx context.Context, run Run, embedder *embedder, parts *parts, reader *modelfolder.Folder, photos *dataset.Embeddings, sentences []string) error {
	corpus, err := embedder.texts(ctx, undotted(sentences))
	if err != nil {
		return err
	}
	defer corpus.Close()
	store, network, err := c.start(ctx, run, parts, sentences, corpus)
	if err != nil {
		return err
	}
	if err := load(store, reader, roberta.Scope); err != nil {
		return err
	}
	targets, err := embedder.aggregated(ctx, photos, corpus, c.Temperature)
	if err != nil {
		return err
	}
	defer targets.Close()
	words := c.words(embedder, parts.gpt, reader.RoBERTaTokenizer)
	learner, err := method.NewCgTGAN(run.Engine, store, network, *reader.Config.RoBERTa, c.Method, words)
	if err != nil {
		return err
	}
	judge, err := newTellingJudge(ctx, run, embedder, c.Val, parts, store, network, c.Method.Generator, c.Batch, c.Method.MaxTokens)
	if err != nil {
		return err
	}
	defer judge.close()
	source := &batches.Unmatched{
		Photos: photos, Targets: targets, Sentences: sentences, Size: c.Batch, PerPhoto: c.Method.Samples, Seed: uint64(c.Seed),
	}
	return learn(ctx, run, job[method.Unmatched]{
		config: c, pace: c.Pace, updates: c.Method.Generator.Updates, size: c.Batch, examples: photos.Len(), collapse: c.Collapse.end(),
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error { return c.write(run.Out, store, network, parts, o, judge.labelled) },
	})
}

// sentences reads the corpus, each caption prepared and of the length that is asked for.
func (c CgTGAN) sentences() ([]string, error) {
	captions, err := c.Data.captions(false)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, caption := range captions {
		// One mark at the end goes, as in the authors' code; a full stop takes its place.
		sentence := dataset.Sentence(strings.TrimRight(cutMark(strings.TrimSpace(caption)), " "))
		words := len(strings.Fields(sentence))
		if sentence != "" && words >= c.Length.Least && (c.Length.Most == 0 || words <= c.Length.Most) {
			out = append(out, sentence)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("none of %d captions has the %d to %d words that length asks for", len(captions), c.Length.Least, c.Length.Most)
	}
	return out, nil
}

func cutMark(text string) string {
	if text != "" && strings.ContainsRune(`!?,;:`, rune(text[len(text)-1])) {
		return text[:len(text)-1]
	}
	return text
}

// undotted are sentences as CLIP reads them, without the full stop that ends them.
func undotted(sentences []string) []string {
	out := make([]string, len(sentences))
	for i, s := range sentences {
		out[i] = strings.TrimSuffix(s, ".")
	}
	return out
}

// reader opens the folder of the RoBERTa.
func (c CgTGAN) reader() (*modelfolder.Folder, error) {
	if c.RoBERTa == "" {
		return nil, errors.New("roberta names no model folder for the discriminator to begin with: train roberta makes one of text")
	}
	folder, err := modelfolder.Open(c.RoBERTa)
	if err != nil {
		return nil, err
	}
	if folder.Config.RoBERTa == nil {
		_ = folder.Close() // that it is none is the error that helps
		return nil, fmt.Errorf("%s: holds a %s, want a RoBERTa", c.RoBERTa, folder.Config.Kind())
	}
	return folder, nil
}

// resolve fills in what follows from how much data there is.
func (c *CgTGAN) resolve(photos, sentences int) (err error) {
	g := &c.Method.Generator
	if g.Updates, err = resolveUpdates(g.Updates, c.Epochs, photos, c.Batch); err != nil {
		return err
	}
	c.Method.Discriminator.Updates, c.Method.Discriminator.Seed = g.Updates, g.Seed
	c.Epochs, c.Val = 0, c.Val.of(Data{})
	if c.Start.Epochs == 0 {
		return nil
	}
	c.Start.Optimizer.Updates, err = resolveUpdates(0, c.Start.Epochs, sentences, c.Start.Batch)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	return nil
}

// words joins the generator to those who judge its captions.
func (c CgTGAN) words(e *embedder, gpt *modelfolder.Folder, reads *tokenizer.BPE) method.Words {
	return method.Words{
		Stop: slices.Clone(gpt.Config.StopTokens), Say: gpt.GPTTokenizer.Line, Embed: e.read,
		Read: func(text string) ([]int32, error) { return reads.Context(text, c.Method.ReadTokens, true) },
	}
}

func (c CgTGAN) write(out string, store *model.Store, network clipcap.Config, p *parts, o train.Outcome, labelled bool) error {
	m, err := p.model(store, network, c.Half)
	if err != nil {
		return err
	}
	m.Config.Name, m.Config.Beams, m.Config.Rerank = c.Name, c.Beams, c.Rerank
	if m.Run, err = runJSON(c, o, labelled, slices.Concat(c.Data.Text, named(c.Photos), c.Val.files())...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}
