package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/imageproc"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// Networks are a captioner's, on an engine, with what feeds them.
type Networks struct {
	image     imageproc.Config
	encoder   *clip.Encoder
	generator *clipcap.Generator
	store     *model.Store
	tokens    int // of the captions that are measured without a model's search
}

// averageLength is what captions of people have, in tokens.
const averageLength = 15

// Open prepares the networks of an open folder; its tensors are copied.
func Open(engine compute.Backend, folder *modelfolder.Folder) (*Networks, error) {
	if folder.Config.Kind() != modelfolder.Captioner {
		return nil, fmt.Errorf("model %q is a %s alone: there is no caption to measure", folder.Config.Name, folder.Config.Kind())
	}
	store := model.NewStore()
	if err := folder.Load(engine, store); err != nil {
		return nil, err
	}
	return prepare(engine, store, folder.Config)
}

func prepare(engine compute.Backend, store *model.Store, c modelfolder.Config) (*Networks, error) {
	encoder, err := clip.NewEncoder(engine, store, *c.CLIP)
	if err != nil {
		return nil, err
	}
	generator, err := clipcap.NewGenerator(engine, store, *c.Captioner)
	if err != nil {
		return nil, err
	}
	room := c.Captioner.GPT.Positions - c.Captioner.Begin()
	return &Networks{*c.Image, encoder, generator, store, min(averageLength, room)}, nil
}

// Parameters counts the numbers in all networks.
func (n *Networks) Parameters() int { return n.store.NumParameters() }

// Close releases the weights.
func (n *Networks) Close() { n.store.Finalize() }

// Stage is one stage's times for a batch.
type Stage struct {
	Name  string `json:"stage"`
	Batch int    `json:"batch"`
	Times
	PerSecond float64 `json:"per_second"` // photos, or tokens, of the whole batch
}

// NewStage names what was measured.
func NewStage(name string, batch int, t Times) Stage {
	return Stage{name, batch, t, 1000 * float64(batch) / t.Median}
}

// Stages measures each network by itself, for batch copies of a photo file. Reading the
// photo, which happens one by one, stands among the stages of batch 1.
func (n *Networks) Stages(ctx context.Context, r Repeats, photo []byte, batch int) ([]Stage, error) {
	pixels, err := n.read(photo)
	if err != nil {
		return nil, err
	}
	embedding, err := n.encoder.Image(ctx, [][]float32{pixels})
	if err != nil {
		return nil, err
	}
	jobs := []struct {
		name string
		job
	}{
		{"image encoding", whole(func(ctx context.Context) error {
			_, err := n.encoder.Image(ctx, copies(pixels, batch))
			return err
		})},
		{"prefix (prefill)", n.prefill(copies(embedding[0], batch))},
		{"one token, cached", n.token(copies(embedding[0], batch))},
	}
	var stages []Stage
	if batch == 1 {
		read := whole(func(context.Context) error { _, err := n.read(photo); return err })
		times, err := r.measure(ctx, read)
		if err != nil {
			return nil, err
		}
		stages = append(stages, NewStage("photo file to pixels", 1, times))
	}
	for _, j := range jobs {
		times, err := r.measure(ctx, j.job)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", j.name, err)
		}
		stages = append(stages, NewStage(j.name, batch, times))
	}
	return stages, nil
}

// read decodes a photo file and makes the CLIP's input of it.
func (n *Networks) read(photo []byte) ([]float32, error) {
	p, err := imageproc.Decode(bytes.NewReader(photo), imageproc.DefaultLimits())
	if err != nil {
		return nil, err
	}
	return n.image.Tensor(p), nil
}

func (n *Networks) prefill(embeddings [][]float32) job {
	return func(ctx context.Context) (time.Duration, error) {
		session, err := n.generator.Start(embeddings, n.tokens)
		if err != nil {
			return 0, err
		}
		defer session.Close()
		start := time.Now()
		_, err = session.Prefill(ctx)
		return time.Since(start), err
	}
}

// token is the mean of a session's steps after the prefix, all but the last of a
// caption's tokens.
func (n *Networks) token(embeddings [][]float32) job {
	return func(ctx context.Context) (time.Duration, error) {
		session, err := n.generator.Start(embeddings, n.tokens)
		if err != nil {
			return 0, err
		}
		defer session.Close()
		if _, err := session.Prefill(ctx); err != nil {
			return 0, err
		}
		last, parents := make([]int, len(embeddings)), make([]int, len(embeddings))
		for i := range parents {
			parents[i] = i
		}
		steps := n.tokens - 1
		start := time.Now()
		for range steps {
			if _, err := session.Next(ctx, last, parents); err != nil {
				return 0, err
			}
		}
		return time.Since(start) / time.Duration(steps), nil
	}
}

// Caption goes from photo files to token ids: batch copies of photo, read one by one and
// captioned together, greedily, with 15 tokens each.
func (n *Networks) Caption(ctx context.Context, photo []byte, batch int) error {
	var pixels [][]float32
	for range batch {
		p, err := n.read(photo)
		if err != nil {
			return err
		}
		pixels = append(pixels, p)
	}
	embeddings, err := n.encoder.Image(ctx, pixels)
	if err != nil {
		return err
	}
	session, err := n.generator.Start(embeddings, n.tokens)
	if err != nil {
		return err
	}
	defer session.Close()
	found, err := decode.Search(ctx, session, decode.Options{Strategy: decode.Greedy, MaxLength: n.tokens, NBest: 1})
	if err == nil && len(found) != batch {
		err = errors.New("captions are missing")
	}
	return err
}

// Captions measures work that goes from the files of batch photos to their captions.
func Captions(ctx context.Context, r Repeats, batch int, work func(ctx context.Context) error) (Stage, error) {
	times, err := r.measure(ctx, whole(work))
	return NewStage("photo file to caption", batch, times), err
}

// copies repeats v.
func copies(v []float32, n int) [][]float32 {
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = v
	}
	return rows
}
