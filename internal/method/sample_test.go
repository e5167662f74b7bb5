package method_test

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/nn"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// small is a captioner that learns in a moment.
func small() clipcap.Config {
	return clipcap.Config{
		Mapper: mapper.Config{Kind: mapper.KindMLP, ClipWidth: 4, PrefixLength: 2, Width: 16},
		GPT:    gpt2.Config{VocabSize: 12, Positions: 16, Width: 16, Layers: 2, Heads: 2, Epsilon: 1e-5},
	}
}

func learner(t *testing.T, engine compute.Backend, store *model.Store, updates int) *method.ClipCap {
	m, err := method.NewClipCap(engine, store, small(), method.ClipCapConfig{
		MaxTokens: 8,
		Optimizer: train.Optimizer{
			AdamW:    train.PaperAdamW(),
			Schedule: train.Schedule{LearningRate: 1e-2, Decay: train.Constant},
			Updates:  updates,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func seeded() *model.Store {
	store := model.NewStore()
	store.SetParam("/"+nn.SeedParam, int64(5))
	return store
}

var (
	embeddings = [][]float32{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 1}}
	captions   = [][]int{{3, 4, 5, 1}, {6, 7, 1}, {8, 9, 10, 11, 1}}
)

// TestSampleUpdateSample captions from the store that is trained, between updates:
// what is said follows the updates, up to the captions that were taught, and the
// training is the same, to the bit, as without anybody looking.
func TestSampleUpdateSample(t *testing.T) {
	const updates = 60
	batch := method.Pairs{Embeddings: embeddings, Captions: captions}
	engine := golden.Engine(t)
	watched, alone := seeded(), seeded()
	m, undisturbed := learner(t, engine, watched, updates), learner(t, engine, alone, updates)
	generator, err := clipcap.NewGenerator(engine, watched, small())
	if err != nil {
		t.Fatal(err)
	}
	var said [][]int
	for update := range updates {
		if _, err := m.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
		if _, err := undisturbed.Step(context.Background(), update, batch); err != nil {
			t.Fatal(err)
		}
		if update%20 == 0 || update == updates-1 {
			said = caption(t, generator)
			if fresh := captionAnew(t, watched); !equal(said, fresh) {
				t.Errorf("after update %d the generator says %v, a new one says %v", update, said, fresh)
			}
		}
	}
	if !equal(said, captions) {
		t.Errorf("after the last update it says %v, taught were %v", said, captions)
	}
	same(t, watched, alone)
}

func equal(a, b [][]int) bool { return slices.EqualFunc(a, b, slices.Equal[[]int]) }

func caption(t *testing.T, g *clipcap.Generator) [][]int {
	session, err := g.Start(embeddings, 6)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	options := decode.PaperGreedy()
	options.MaxLength, options.StopTokens = 6, []int{1}
	found, err := decode.Search(context.Background(), session, options)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]int
	for _, hypotheses := range found {
		out = append(out, hypotheses[0].Tokens)
	}
	return out
}

// captionAnew copies the networks into a store of their own and captions from there.
func captionAnew(t *testing.T, store *model.Store) [][]int {
	list, err := weights.Export(store, weights.F32, clipcap.MapperScope, clipcap.GPTScope)
	if err != nil {
		t.Fatal(err)
	}
	fresh := model.NewStore()
	for _, tensor := range list {
		values, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		value := tensors.FromFlatDataAndDimensions(values, tensor.Shape...)
		if _, err := fresh.CreateVariable(weights.VariablePath(tensor.Name), value); err != nil {
			t.Fatal(err)
		}
	}
	g, err := clipcap.NewGenerator(golden.Engine(t), fresh, small())
	if err != nil {
		t.Fatal(err)
	}
	return caption(t, g)
}

// same compares the networks and the optimiser's moments of two stores.
func same(t *testing.T, a, b *model.Store) {
	scopes := []string{clipcap.MapperScope, clipcap.GPTScope, "adamw"}
	one, err := weights.Export(a, weights.F32, scopes...)
	if err != nil {
		t.Fatal(err)
	}
	two, err := weights.Export(b, weights.F32, scopes...)
	if err != nil {
		t.Fatal(err)
	}
	if len(one) != len(two) || len(one) == 0 {
		t.Fatalf("%d variables and %d", len(one), len(two))
	}
	for i := range one {
		if one[i].Name != two[i].Name || !bytes.Equal(one[i].Data, two[i].Data) {
			t.Errorf("%s differs", one[i].Name)
		}
	}
}
