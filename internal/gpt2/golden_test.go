package gpt2_test

import (
	"os"
	"path/filepath"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/weights"
)

// tolerance is the bound of the golden files for float32 activations.
const tolerance = 1e-4

// TestGoldenGPT2 reads both of the folder's encodings of the same weights.
func TestGoldenGPT2(t *testing.T) {
	dir := golden.Dir(t, "gpt2")
	for _, file := range []string{"model.safetensors", "pytorch_model.bin"} {
		t.Run(file, func(t *testing.T) { compare(t, dir, file) })
	}
}

func compare(t *testing.T, dir, file string) {
	run := load(t, dir, file)
	io := golden.Load(t, filepath.Join(dir, "io.safetensors"))
	out, err := run.Call(golden.Input(t, io, "input_ids"))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "hidden", golden.Values(t, out[0]), golden.Floats(t, io, "hidden"), tolerance)
	golden.Compare(t, "logits", golden.Values(t, out[1]), golden.Floats(t, io, "logits"), tolerance)
	out, err = run.Call(golden.Input(t, io, "full_length_ids"))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "full_length_logits", golden.Values(t, out[1]), golden.Floats(t, io, "full_length_logits"), tolerance)
}

// load returns a graph from ids to hidden states and logits, over the file's weights.
func load(t *testing.T, dir, file string) *model.Exec {
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := gpt2.ParseHuggingFace(data)
	if err != nil {
		t.Fatal(err)
	}
	engine, store := golden.Engine(t), model.NewStore()
	network := func(root *model.Scope, ids *Node) []*Node {
		hidden, _ := config.Hidden(root, config.Embed(root, ids))
		return []*Node{hidden, config.Logits(root, hidden)}
	}
	if err := weights.Declare(engine, store, config.Declare); err != nil {
		t.Fatal(err)
	}
	tensors, err := weights.GPT2(golden.Load(t, filepath.Join(dir, file)).Tensors())
	if err != nil {
		t.Fatal(err)
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
