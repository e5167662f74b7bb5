package roberta_test

import (
	"path/filepath"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/roberta"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestParameters counts roberta-base with its pooler.
func TestParameters(t *testing.T) {
	const want = 124_645_632
	store := model.NewStore()
	if err := weights.Declare(golden.Engine(t), store, roberta.Base().Declare); err != nil {
		t.Fatal(err)
	}
	got := 0
	for v := range store.IterVariables() {
		got += v.Shape().Size()
	}
	if got != want {
		t.Errorf("Base has %d parameters, want %d", got, want)
	}
}

// TestPaddingChangesNothing runs a text alone and padded beside a longer one.
func TestPaddingChangesNothing(t *testing.T) {
	c := roberta.Config{
		VocabSize: 20, Positions: 12, Width: 8, Layers: 2, Heads: 2, Intermediate: 16, PadToken: 1, Epsilon: 1e-5,
		HiddenDropout: 0.1, AttentionDropout: 0.1, // which inference ignores
	}
	engine, store := golden.Engine(t), model.NewStore()
	if err := weights.Declare(engine, store, c.Declare); err != nil {
		t.Fatal(err)
	}
	if err := store.InitializeVariables(engine, nil); err != nil {
		t.Fatal(err)
	}
	run, err := model.NewExec(engine, store, func(root *model.Scope, ids *Node) *Node {
		return c.Pooled(root, c.Hidden(root, ids))
	})
	if err != nil {
		t.Fatal(err)
	}
	pooled := func(ids ...[]int32) []float32 {
		out, err := run.Call1(tensors.FromValue(ids))
		if err != nil {
			t.Fatal(err)
		}
		return golden.Values(t, out)
	}
	alone := pooled([]int32{0, 7, 9, 2})
	beside := pooled([]int32{0, 7, 9, 2, 1, 1, 1}, []int32{0, 3, 4, 5, 6, 7, 2})
	golden.Compare(t, "pooled", beside[:c.Width], alone, 1e-6)
}

// TestGoldenInfer holds the two ways to a configuration against each other. The
// golden heads are 16 wide, unlike those of any released RoBERTa.
func TestGoldenInfer(t *testing.T) {
	dir := golden.Dir(t, "roberta")
	said := readConfig(t, dir)
	tensors := weights.RoBERTa(golden.Load(t, filepath.Join(dir, "model.safetensors")).Tensors())
	found, err := roberta.Infer(weights.Shapes(tensors))
	if err != nil {
		t.Fatal(err)
	}
	found.Heads = said.Heads
	found.HiddenDropout, found.AttentionDropout = said.HiddenDropout, said.AttentionDropout
	if found != said {
		t.Errorf("config.json says %+v, the tensors say %+v", said, found)
	}
}

func TestParseRefuses(t *testing.T) {
	const sizes = `"vocab_size": 9, "max_position_embeddings": 8, "hidden_size": 4, "num_hidden_layers": 1,
		"num_attention_heads": 2, "intermediate_size": 8, "pad_token_id": 1, "layer_norm_eps": 1e-5`
	for text, want := range map[string]string{
		`{"model_type": "bert", ` + sizes + `}`:                                                            "model_type",
		`{"model_type": "roberta", "hidden_act": "relu", ` + sizes + `}`:                                   "hidden_act",
		`{"model_type": "roberta", "type_vocab_size": 2, ` + sizes + `}`:                                   "type_vocab_size",
		`{"model_type": "roberta", "position_embedding_type": "x", ` + sizes + `}`:                         "position_embedding_type",
		`{"model_type": "roberta"}`:                                                                        "vocab_size",
		`{"model_type": "roberta", ` + strings.Replace(sizes, `heads": 2`, `heads": 3`, 1) + `}`:           "multiple",
		`{"model_type": "roberta", ` + strings.Replace(sizes, `embeddings": 8`, `embeddings": 3`, 1) + `}`: "no room",
		`[]`: "cannot unmarshal",
	} {
		if _, err := roberta.ParseHuggingFace([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
