package roberta_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/loss"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/weights"
)

// tolerance is the bound of the golden files for float32 activations and losses.
const tolerance = 1e-4

// TestGoldenRoBERTa runs texts of four lengths through the encoder, the pooler and
// CgT-GAN's head.
func TestGoldenRoBERTa(t *testing.T) {
	dir := golden.Dir(t, "roberta")
	config := readConfig(t, dir)
	io := golden.Load(t, filepath.Join(dir, "io.safetensors"))
	run := load(t, dir, config, io)
	out, err := run.Call(golden.Input(t, io, "input_ids"), golden.Input(t, io, "labels"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"hidden", "pooled", "logit", "bce_loss"} {
		golden.Compare(t, name, golden.Values(t, out[i]), golden.Floats(t, io, name), tolerance)
	}
}

func readConfig(t *testing.T, dir string) roberta.Config {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := roberta.ParseHuggingFace(data)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// load returns a graph from ids and labels to all that the golden file holds.
func load(t *testing.T, dir string, config roberta.Config, io *weights.File) *model.Exec {
	t.Helper()
	engine, store := golden.Engine(t), model.NewStore()
	network := func(root *model.Scope, inputs []*Node) []*Node {
		hidden := config.Hidden(root, inputs[0])
		pooled := config.Pooled(root, hidden)
		logit := config.Logit(root, pooled)
		return []*Node{hidden, pooled, logit, loss.BinaryCrossEntropy(logit, inputs[1])}
	}
	declare := func(root *model.Scope, g *Graph) {
		config.Declare(root, g)
		config.Logit(root, Zeros(g, shapes.Make(dtypes.Float32, 1, config.Width)))
	}
	if err := weights.Declare(engine, store, declare); err != nil {
		t.Fatal(err)
	}
	tensors := weights.RoBERTa(golden.Load(t, filepath.Join(dir, "model.safetensors")).Tensors())
	for layer, name := range map[string]string{"0": "head1", "2": "head2"} {
		for _, kind := range []string{"weight", "bias"} {
			tensor, ok := io.Tensor(name + "_" + kind)
			if !ok {
				t.Fatalf("no %s_%s", name, kind)
			}
			tensor.Name = roberta.HeadScope + ".model." + layer + "." + kind
			tensors = append(tensors, tensor)
		}
	}
	if err := weights.Load(store, tensors); err != nil {
		t.Fatal(err)
	}
	run, err := model.NewExec(engine, store, network)
	if err != nil {
		t.Fatal(err)
	}
	return run
}
