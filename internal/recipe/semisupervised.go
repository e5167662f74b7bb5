package recipe

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// SemiSupervised trains a captioner from a few captions of photos, and from what CLIP
// thinks of its own captions of all of them.
type SemiSupervised struct {
	Name            string                      `json:"name"`
	CLIP            string                      `json:"clip"`           // model folder; empty: the model in this program
	LanguageModel   string                      `json:"language_model"` // model folder, a captioner's to go on from it; empty: the model in this program
	Data            Data                        `json:"data"`
	Labelled        int                         `json:"labelled"`             // captions that are learned from, of as many photos as there are; 0: all. Paper: 10,000
	Unlabelled      string                      `json:"unlabelled,omitempty"` // photos without captions, a folder or archive; empty: all photos of data
	Mapper          mapper.Config               `json:"mapper"`               // widths 0 stand for those of the models; none: the captioner's
	Normalize       bool                        `json:"normalize"`
	Batch           int                         `json:"batch"`            // captions an update
	UnlabelledBatch int                         `json:"unlabelled_batch"` // photos an update of stage 2
	Method          method.SemiSupervisedConfig `json:"method"`
	Epochs          float64                     `json:"epochs,omitempty"` // of the photos without captions, in the place of the optimizer's updates
	Least           float64                     `json:"least_distinct"`   // share of a batch's captions that differ, below which they are all alike and the run ends; 0: it goes on
	Pace            Pace                        `json:"pace"`
	Val             Val                         `json:"val,omitzero"`
	Seed            int64                       `json:"seed"`
	Half            bool                        `json:"half"` // store the model in fp16
	Beams           int                         `json:"beams"`
	Rerank          bool                        `json:"rerank"`
}

// Train runs the recipe and writes a model folder to run.Out. A run that was stopped
// goes on where it was.
func (c SemiSupervised) Train(ctx context.Context, run Run) error {
	if err := modelfolder.Writable(run.Out); err != nil {
		return err
	}
	parts, err := openParts(c.CLIP, c.LanguageModel)
	if err != nil {
		return err
	}
	defer parts.Close()
	embedder, err := newEmbedder(run, parts.clip)
	if err != nil {
		return err
	}
	source, err := c.source(ctx, embedder, batches.Sentences(parts.gpt.GPTTokenizer))
	if err != nil {
		return err
	}
	defer source.Photos.Close()
	examples := source.Photos.Len()
	if c.Method.Optimizer.Updates, err = resolveUpdates(c.Method.Optimizer.Updates, c.Epochs, examples, c.UnlabelledBatch); err != nil {
		return err
	}
	c.Epochs, c.Val = 0, c.Val.of(c.Data)
	store := newStore(c.Seed)
	network, err := begin(store, *parts.clip.Config.CLIP, parts.gpt, c.Mapper, c.Normalize)
	if err != nil {
		return err
	}
	learner, err := c.learner(run, store, network, parts, embedder)
	if err != nil {
		return err
	}
	judge, err := newPairsJudge(ctx, embedder, c.Val, parts.gpt.GPTTokenizer, source.Labelled.Encode, c.Batch)
	if err != nil {
		return err
	}
	defer judge.close()
	judge.captions.read = embedder.read
	if err := judge.watch(run.Engine, store, network, learner.Loss, greedy(parts.gpt.Config.StopTokens, maxTokens(parts.gpt, network))); err != nil {
		return err
	}
	j := job[method.PartlyLabelled]{
		config: c, pace: c.Pace, updates: c.Method.Optimizer.Updates, size: c.UnlabelledBatch, examples: examples,
		store: store, method: learner, batch: source.Batch, val: c.Val.plan(judge.evaluate),
		write: func(o train.Outcome) error { return c.write(run.Out, store, network, parts, o) },
	}
	if c.Method.Anchor > 0 { // else captions may leave those of stage 1 as far as they like
		j.diverge, j.rising = diverge, "cross_entropy"
	}
	if c.Least > 0 {
		j.collapse = train.Collapse{
			Name: "distinct", Least: c.Least,
			Do: "captions became the same for all photos: raise method.anchor, or lower method.unlabelled_rate",
		}
	}
	return learn(ctx, run, j)
}

// source reads the data: a few captions, and the photos.
func (c SemiSupervised) source(ctx context.Context, e *embedder, encode func(string) []int) (*batches.PartlyLabelled, error) {
	records, photos, closePhotos, err := c.Data.open()
	if err != nil {
		return nil, err
	}
	defer closePhotos()
	if c.UnlabelledBatch < 1 {
		return nil, fmt.Errorf("unlabelled_batch is %d, want more than 0", c.UnlabelledBatch)
	}
	labelled, of, err := few(records, c.Labelled, c.Seed)
	if err != nil {
		return nil, err
	}
	embeddings, err := e.photos(ctx, c.Data, records, photos, plainView())
	if err != nil {
		return nil, err
	}
	rows := make([][]float32, len(of))
	for i, record := range of {
		rows[i] = embeddings.Row(record)
	}
	own, err := dataset.NewEmbeddings(rows)
	if err != nil {
		return nil, errors.Join(err, embeddings.Close())
	}
	out := &batches.PartlyLabelled{
		Labelled: batches.Pairs{Records: labelled, Embeddings: own, Views: 1, Encode: encode, Size: c.Batch, Seed: uint64(c.Seed)},
		Photos:   embeddings, Size: c.UnlabelledBatch, Seed: uint64(c.Seed),
	}
	if c.Unlabelled == "" {
		return out, nil
	}
	if err := embeddings.Close(); err != nil {
		return nil, err
	}
	out.Photos, err = e.unlabelled(ctx, c.Unlabelled)
	return out, err
}

// few takes so many captions, 0 for all: one of each photo, in an order of the seed's,
// then a second one, and so on. It returns the photos that have any, and their places
// among records.
func few(records []dataset.Record, captions int, seed int64) (labelled []dataset.Record, of []int, err error) {
	if captions < 0 {
		return nil, nil, fmt.Errorf("labelled is %d captions, want 0 or more", captions)
	}
	order := rand.New(rand.NewPCG(uint64(seed), 5)).Perm(len(records))
	counts := make([]int, len(records))
	left := captions
	for round, more := 0, true; more && (captions == 0 || left > 0); round++ {
		more = false
		for _, i := range order {
			if round < len(records[i].Captions) && (captions == 0 || left > 0) {
				counts[i], left, more = round+1, left-1, true
			}
		}
	}
	if left > 0 {
		return nil, nil, fmt.Errorf("labelled is %d captions, but there are %d", captions, captions-left)
	}
	for i, count := range counts {
		if count > 0 {
			r := records[i]
			r.Captions = slices.Clone(r.Captions[:count])
			labelled, of = append(labelled, r), append(of, i)
		}
	}
	return labelled, of, nil
}

// learner prepares the method, and gives store the text tower that it asks.
func (c SemiSupervised) learner(run Run, store *model.Store, network clipcap.Config, p *parts, e *embedder) (*method.SemiSupervised, error) {
	tower := slices.DeleteFunc(below(p.clip.Tensors, clip.Scope), func(t weights.Tensor) bool {
		return strings.HasPrefix(t.Name, clip.Scope+".visual.")
	})
	if err := loadTensors(store, tower); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(tower, func(t weights.Tensor) bool { return t.Name == clip.Scope+".token_embedding.weight" })
	if i < 0 {
		return nil, fmt.Errorf("the CLIP has no %s.token_embedding.weight", clip.Scope)
	}
	words, err := tower[i].Float32()
	if err != nil {
		return nil, err
	}
	config, from, to := *p.clip.Config.CLIP, p.gpt.GPTTokenizer, p.clip.CLIPTokenizer
	r := method.Reader{CLIP: config, Stop: p.gpt.Config.StopTokens}
	if r.Table, err = method.NewTable(from, to, network.GPT.VocabSize, words, config.Text.Width); err != nil {
		return nil, err
	}
	r.Start, _ = to.ID("<|startoftext|>") // which are what makes a tokenizer CLIP's
	r.End, _ = to.ID("<|endoftext|>")
	r.Texts = func(ctx context.Context, captions [][]int) ([][]float32, error) {
		lines := make([]string, len(captions))
		for i, ids := range captions {
			lines[i] = from.Line(ids)
		}
		return e.read(ctx, lines)
	}
	return method.NewSemiSupervised(run.Engine, store, network, c.Method, r)
}

func (c SemiSupervised) write(out string, store *model.Store, network clipcap.Config, p *parts, o train.Outcome) error {
	m, err := p.model(store, network, c.Half)
	if err != nil {
		return err
	}
	m.Config.Name, m.Config.Beams, m.Config.Rerank = c.Name, c.Beams, c.Rerank
	files := slices.Concat(c.Data.files(), named(c.Unlabelled), c.Val.files())
	if m.Run, err = runJSON(c, o, true, files...); err != nil {
		return err
	}
	return modelfolder.Write(out, m)
}
