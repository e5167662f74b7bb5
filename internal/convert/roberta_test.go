package convert_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// robertaFolder writes the golden RoBERTa in Hugging Face's layout. Its vocabulary
// of 250 has no room for a byte-level tokenizer, so it grows by a few words that no
// golden text has; change may spoil the tensors.
func robertaFolder(t *testing.T, change func([]weights.Tensor) []weights.Tensor) string {
	t.Helper()
	const vocabulary = 270
	from, dir := golden.Dir(t, "roberta"), t.TempDir()
	writeRoBERTaTokenizer(t, dir, vocabulary)
	data, err := os.ReadFile(filepath.Join(from, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	data = []byte(strings.Replace(string(data), `"vocab_size": 250`, `"vocab_size": 270`, 1))
	if err := os.WriteFile(filepath.Join(dir, "config.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	tensors := golden.Load(t, filepath.Join(from, "model.safetensors")).Tensors()
	for i, x := range tensors {
		if strings.HasSuffix(x.Name, ".word_embeddings.weight") {
			tensors[i].Data = append(slices.Clone(x.Data), make([]byte, (vocabulary-x.Shape[0])*x.Shape[1]*4)...)
			tensors[i].Shape = []int{vocabulary, x.Shape[1]}
		}
	}
	if change != nil {
		tensors = change(tensors)
	}
	if err := weights.WriteSafetensors(filepath.Join(dir, "model.safetensors"), tensors, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// writeRoBERTaTokenizer puts RoBERTa's markers before a small GPT-2 vocabulary.
func writeRoBERTaTokenizer(t *testing.T, dir string, size int) {
	t.Helper()
	gpt := tokens(t, tokenizer.GPT2, size-4, dir)
	data, err := os.ReadFile(filepath.Join(gpt, "vocab.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ids map[string]int
	if err := json.Unmarshal(data, &ids); err != nil {
		t.Fatal(err)
	}
	for token := range ids {
		ids[token] += 4
	}
	for id, token := range []string{"<s>", "<pad>", "</s>", "<unk>"} {
		ids[token] = id
	}
	if data, err = json.Marshal(ids); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "vocab.json"), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestGoldenConvertedRoBERTa converts the folder and runs what comes out.
func TestGoldenConvertedRoBERTa(t *testing.T) {
	folder, found := convertTo(t, filepath.Join(t.TempDir(), "model"), convert.Sources{Name: "golden", RoBERTa: robertaFolder(t, nil)})
	if found.Config.Kind() != modelfolder.RoBERTa || folder.RoBERTaTokenizer.Style() != tokenizer.RoBERTa {
		t.Errorf("found %+v", found)
	}
	engine, store := golden.Engine(t), model.NewStore()
	if err := folder.Load(engine, store); err != nil {
		t.Fatal(err)
	}
	c := *folder.Config.RoBERTa
	run, err := model.NewExec(engine, store, func(root *model.Scope, ids *Node) *Node {
		return c.Pooled(root, c.Hidden(root, ids))
	})
	if err != nil {
		t.Fatal(err)
	}
	io := golden.Load(t, filepath.Join(golden.Dir(t, "roberta"), "io.safetensors"))
	out, err := run.Call1(golden.Input(t, io, "input_ids"))
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "pooled", golden.Values(t, out), golden.Floats(t, io, "pooled"), 1e-4)
}

// TestGoldenPoolerIsDrawn converts a file without a pooler, as those for masked
// language modelling are: twice the same, and of the right size.
func TestGoldenPoolerIsDrawn(t *testing.T) {
	dir := robertaFolder(t, func(ts []weights.Tensor) []weights.Tensor {
		return slices.DeleteFunc(ts, func(x weights.Tensor) bool { return strings.Contains(x.Name, ".pooler.") })
	})
	var drawn [2][]float32
	for i := range drawn {
		folder, _ := convertTo(t, filepath.Join(t.TempDir(), "model"), convert.Sources{Name: "golden", RoBERTa: dir})
		at := slices.IndexFunc(folder.Tensors, func(x weights.Tensor) bool { return x.Name == "roberta.pooler.dense.weight" })
		drawn[i] = values(t, folder.Tensors[at])
	}
	var sum float64
	for _, v := range drawn[0] {
		sum += float64(v) * float64(v)
	}
	if variance := sum / float64(len(drawn[0])); !slices.Equal(drawn[0], drawn[1]) || variance < 0.018*0.018 || variance > 0.022*0.022 {
		t.Errorf("a variance of %g, want 0.02² twice the same", variance)
	}
}
