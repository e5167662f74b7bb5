package method_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/train"
	"github.com/cutline-go/cutline/internal/weights"
)

// torchReference is what a script in reference computed of one method.
type torchReference struct {
	GPT          gpt2.Config    `json:"gpt"`
	RoBERTa      roberta.Config `json:"roberta"`
	PrefixLength int            `json:"prefix_length"`
	ClipWidth    int            `json:"clip_width"`

	name string
	file *weights.File
}

func readTorch(t *testing.T, name string) *torchReference {
	t.Helper()
	r := &torchReference{name: name}
	r.file = golden.Torch(t, name, r)
	return r
}

func (r *torchReference) decode(t *testing.T, into any) {
	t.Helper()
	golden.Torch(t, r.name, into)
}

// network is the captioner of the reference, with a mapper of that kind.
func (r *torchReference) network(kind mapper.Kind) clipcap.Config {
	return clipcap.Config{
		Mapper: mapper.Config{Kind: kind, ClipWidth: r.ClipWidth, PrefixLength: max(1, r.PrefixLength), Width: r.GPT.Width},
		GPT:    r.GPT,
	}
}

// store holds the reference's weights.
func (r *torchReference) store(t *testing.T) *model.Store {
	t.Helper()
	return golden.Store(t, r.file)
}

// rows are the rows of a matrix of the reference.
func (r *torchReference) rows(t *testing.T, name string) [][]float32 {
	t.Helper()
	tensor, _ := r.file.Tensor(name)
	flat := golden.Floats(t, r.file, name)
	return slices.Collect(slices.Chunk(flat, tensor.Shape[len(tensor.Shape)-1]))
}

// ids are the rows of a matrix of token ids.
func (r *torchReference) ids(t *testing.T, name string) [][]int {
	t.Helper()
	tensor, ok := r.file.Tensor(name)
	if !ok {
		t.Fatalf("no tensor %s", name)
	}
	values, err := tensor.Int64()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]int
	for row := range slices.Chunk(values, tensor.Shape[len(tensor.Shape)-1]) {
		ids := make([]int, len(row))
		for i, id := range row {
			ids[i] = int(id)
		}
		out = append(out, ids)
	}
	return out
}

// expect compares a loss, and the gradients after an update that moved nothing.
func (r *torchReference) expect(t *testing.T, what string, store *model.Store, loss float64, lossName, gradients string) {
	t.Helper()
	golden.Compare(t, what+": "+lossName, []float32{float32(loss)}, golden.Floats(t, r.file, lossName), tolerance)
	got := momentGradients(t, store)
	compared := 0
	for _, name := range r.file.Names() {
		if variable, ok := strings.CutPrefix(name, gradients); ok {
			compared++
			golden.Compare(t, what+": gradient of "+variable, got[variable], golden.Floats(t, r.file, name), toleranceTrained)
		}
	}
	if compared == 0 {
		t.Errorf("%s: no gradient in the reference begins with %s", what, gradients)
	}
}

// still is an optimiser whose first update runs at learning rate 0.
func still() train.Optimizer {
	return train.Optimizer{
		AdamW:    train.PaperAdamW(),
		Schedule: train.Schedule{LearningRate: 1e-2, Warmup: 1, Decay: train.Constant},
		Updates:  10,
	}
}

// momentGradients reads the gradients of the first update off AdamW's first moment,
// which then is (1−β₁)·g.
func momentGradients(t *testing.T, store *model.Store) map[string][]float32 {
	t.Helper()
	moments, err := weights.Export(store, weights.F32, "adamw/m")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]float32)
	for _, m := range moments {
		gradient, err := m.Float32()
		if err != nil {
			t.Fatal(err)
		}
		for i := range gradient {
			gradient[i] /= float32(1 - train.PaperAdamW().Beta1)
		}
		out[strings.TrimPrefix(m.Name, "adamw.m.")] = gradient
	}
	return out
}

// moved lists the top scopes of the variables that an update changed.
func moved(t *testing.T, store *model.Store, step func()) []string {
	t.Helper()
	before := exported(t, store)
	step()
	scopes := make(map[string]bool)
	for name, values := range exported(t, store) {
		if !slices.Equal(values, before[name]) {
			top, _, _ := strings.Cut(name, ".")
			scopes[top] = true
		}
	}
	return slices.Sorted(maps.Keys(scopes))
}
