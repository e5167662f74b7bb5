package main

import (
	"context"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/nn"

	"github.com/cutline-go/cutline/internal/bench"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// Lengths in tokens, the same in pytorch.py.
const (
	prefix  = 10 // K
	caption = 15 // that is searched for
	learned = 40 // that is trained on
)

// kind is how work of a name is opened, by its sizes.
type kind struct {
	sizes  int // how many there are
	trains bool
	open   func(e compute.Backend, sizes []int) (*opened, error)
}

func kinds() map[string]kind {
	return map[string]kind{
		"vit":               {1, false, func(e compute.Backend, n []int) (*opened, error) { return openEncoder(e, clip.ViTB32(), n[0]) }},
		"rn50":              {1, false, func(e compute.Backend, n []int) (*opened, error) { return openEncoder(e, resNet50(), n[0]) }},
		"token":             {1, false, func(e compute.Backend, n []int) (*opened, error) { return openToken(e, false, n[0]) }},
		"token-half":        {1, false, func(e compute.Backend, n []int) (*opened, error) { return openToken(e, true, n[0]) }},
		"caption":           {1, false, func(e compute.Backend, n []int) (*opened, error) { return openCaption(e, n[0]) }},
		"train-mlp":         {1, true, func(e compute.Backend, n []int) (*opened, error) { return openTraining(e, mlp(), false, n[0]) }},
		"train-transformer": {1, true, func(e compute.Backend, n []int) (*opened, error) { return openTraining(e, transformer(), true, n[0]) }},
		"gemm":              {3, false, func(e compute.Backend, n []int) (*opened, error) { return openProduct(e, n[0], n[1], n[2]) }},
	}
}

func resNet50() clip.Config {
	c := clip.ViTB32()
	c.EmbedDim = 1024
	c.Vision = clip.Vision{ImageSize: 224, Width: 64, Heads: 32, ResNet: [4]int{3, 4, 6, 3}}
	return c
}

func mlp() clipcap.Config { return clipcap.Config{Mapper: mapper.PaperMLP(), GPT: gpt2.Small()} }

// transformer is the mapper of the paper's table.
func transformer() clipcap.Config {
	m := mapper.PaperTransformer()
	m.ClipWidth, m.ClipLength, m.PrefixLength = 512, prefix, prefix
	return clipcap.Config{Mapper: m, GPT: gpt2.Small(), Normalize: true}
}

// halve makes a captioner's weights what a model folder in half precision gives.
func halve(e compute.Backend, store *model.Store) error {
	tensors, err := weights.Export(store, weights.F16, clipcap.MapperScope, clipcap.GPTScope)
	if err != nil {
		return err
	}
	return weights.LoadOn(e, store, tensors)
}

func openEncoder(e compute.Backend, c clip.Config, batch int) (*opened, error) {
	store, encoder, err := newEncoder(e, c)
	if err != nil {
		return nil, err
	}
	pixels := rows(batch, 3*c.Vision.ImageSize*c.Vision.ImageSize)
	return repeated(func(ctx context.Context) error {
		_, err := encoder.Image(ctx, pixels)
		return err
	}, store.Finalize), nil
}

func newEncoder(e compute.Backend, c clip.Config) (*model.Store, *clip.Encoder, error) {
	store, err := bench.RandomStore(e, func(root *model.Scope, g *Graph) { c.Declare(root.At(clip.Scope), g) })
	if err != nil {
		return nil, nil, err
	}
	encoder, err := clip.NewEncoder(e, store, c)
	return store, encoder, err
}

func newGenerator(e compute.Backend) (*model.Store, *clipcap.Generator, error) {
	store, err := bench.RandomStore(e, mlp().Declare)
	if err != nil {
		return nil, nil, err
	}
	generator, err := clipcap.NewGenerator(e, store, mlp())
	return store, generator, err
}

// openToken reads a prefix and the untimed tokens, then those that are timed.
func openToken(e compute.Backend, half bool, batch int) (*opened, error) {
	store, generator, err := newGenerator(e)
	if err != nil {
		return nil, err
	}
	if half {
		if err := halve(e, store); err != nil {
			return nil, err
		}
	}
	run := func(ctx context.Context, untimed, timed int) (time.Duration, error) {
		session, err := generator.Start(rows(batch, 512), untimed+timed)
		if err != nil {
			return 0, err
		}
		defer session.Close()
		logits, err := session.Prefill(ctx)
		if err != nil {
			return 0, err
		}
		tokens, parents := make([]int, batch), make([]int, batch)
		for i := range parents {
			parents[i] = i
		}
		var start time.Time
		for i := range untimed + timed {
			if i == untimed {
				start = time.Now()
			}
			for row := range tokens {
				tokens[row] = decode.Top(logits[row], 1)[0]
			}
			if logits, err = session.Next(ctx, tokens, parents); err != nil {
				return 0, err
			}
		}
		return time.Since(start) / time.Duration(timed), nil
	}
	return &opened{run, store.Finalize}, nil
}

// openCaption goes from pixels to token ids.
func openCaption(e compute.Backend, batch int) (*opened, error) {
	images, encoder, err := newEncoder(e, clip.ViTB32())
	if err != nil {
		return nil, err
	}
	texts, generator, err := newGenerator(e)
	if err != nil {
		return nil, err
	}
	pixels := rows(batch, 3*224*224)
	return repeated(func(ctx context.Context) error {
		embeddings, err := encoder.Image(ctx, pixels)
		if err != nil {
			return err
		}
		session, err := generator.Start(embeddings, caption)
		if err != nil {
			return err
		}
		defer session.Close()
		_, err = decode.Search(ctx, session, decode.Options{Strategy: decode.Greedy, MaxLength: caption, NBest: 1})
		return err
	}, func() { images.Finalize(); texts.Finalize() }), nil
}

// openTraining makes updates of a captioner.
func openTraining(e compute.Backend, network clipcap.Config, freeze bool, batch int) (*opened, error) {
	store, err := bench.RandomStore(e, network.Declare)
	if err != nil {
		return nil, err
	}
	learner, err := method.NewClipCap(e, store, network, method.ClipCapConfig{
		FreezeGPT: freeze, MaxTokens: learned,
		Optimizer: train.Optimizer{
			AdamW: train.PaperAdamW(), Updates: 1000, Schedule: train.Schedule{LearningRate: 2e-5, Decay: train.Constant},
		},
	})
	if err != nil {
		return nil, err
	}
	pairs := method.Pairs{Embeddings: rows(batch, 512)}
	for i := range batch {
		ids := make([]int, learned)
		for j := range ids {
			ids[j] = 1 + (i*learned+j)*39%50000
		}
		pairs.Captions = append(pairs.Captions, ids)
	}
	update := 0
	return repeated(func(ctx context.Context) error {
		_, err := learner.Step(ctx, update, pairs)
		update++
		return err
	}, store.Finalize), nil
}

// openProduct multiplies [M, K] with a parameter [K, N].
func openProduct(e compute.Backend, m, k, n int) (*opened, error) {
	exec, err := NewExec(e, func(x, w *Node) *Node { return nn.Dense(x, w, nil, compute.DenseLayoutInputOutputs) })
	if err != nil {
		return nil, err
	}
	x, w := tensors.FromFlatDataAndDimensions(ramp(m*k), m, k), tensors.FromFlatDataAndDimensions(ramp(k*n), k, n)
	return repeated(func(context.Context) error {
		out, err := exec.Call(x, w)
		if err != nil {
			return err
		}
		return out[0].FinalizeAll()
	}, exec.Finalize), nil
}

// rows are so many vectors.
func rows(count, width int) [][]float32 {
	list := make([][]float32, count)
	for i := range list {
		list[i] = ramp(width)
	}
	return list
}

func ramp(n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i%997)/997 - 0.5
	}
	return values
}
