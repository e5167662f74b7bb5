package clipcap_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/weights"
)

// tolerance is the bound of the golden files for float32 activations.
const tolerance = 1e-4

// folders are the golden files of ClipCap's code, one for each mapper.
func folders() []string { return []string{"clipcap_mlp", "clipcap_transformer"} }

// load reads a checkpoint of a golden folder. Its language model has the heads of
// the folder gpt2, and train.json tells whether embeddings are normalised.
func load(t *testing.T, folder, checkpoint string) (clipcap.Config, *model.Store) {
	var gpt gpt2.Config
	var reference struct {
		Normalize bool `json:"normalize"`
	}
	data, err := os.ReadFile(filepath.Join(golden.Dir(t, "gpt2"), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if gpt, err = gpt2.ParseHuggingFace(data); err != nil {
		t.Fatal(err)
	}
	readJSON(t, filepath.Join(golden.Dir(t, folder), "train.json"), &reference)
	loaded, err := weights.ClipCap(golden.Load(t, filepath.Join(golden.Dir(t, folder), checkpoint)).Tensors())
	if err != nil {
		t.Fatal(err)
	}
	config, err := clipcap.Infer(weights.Shapes(loaded), gpt.Heads)
	if err != nil {
		t.Fatal(err)
	}
	config.GPT = config.GPT.WithoutDropout()
	config.Normalize = reference.Normalize
	store := model.NewStore()
	if err := weights.Declare(golden.Engine(t), store, config.Declare); err != nil {
		t.Fatal(err)
	}
	if err := weights.Load(store, loaded); err != nil {
		t.Fatal(err)
	}
	return config, store
}

func readJSON(t *testing.T, path string, into any) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// TestGoldenPrefixLogits compares the prefix of a batch of captions, and the logits
// of every token that follows words alone: ClipCap's code masks the padding, which
// this network leaves to the loss to ignore.
func TestGoldenPrefixLogits(t *testing.T) {
	for _, folder := range folders() {
		t.Run(folder, func(t *testing.T) {
			config, store := load(t, folder, "weights.pt")
			io := golden.Load(t, filepath.Join(golden.Dir(t, folder), "train.safetensors"))
			run, err := model.NewExec(golden.Engine(t), store, func(root *model.Scope, embedding, tokens *Node) (*Node, *Node) {
				return config.Prefix(root, embedding), config.Logits(root, embedding, tokens)
			})
			if err != nil {
				t.Fatal(err)
			}
			out, err := run.Call(golden.Input(t, io, "step0.embedding"), golden.Input(t, io, "step0.tokens"))
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, "prefix", golden.Values(t, out[0]), golden.Floats(t, io, "step0.prefix"), tolerance)
			mask, dims := golden.Floats(t, io, "step0.mask"), out[1].Shape().Dimensions
			words := func(logits []float32) (kept []float32) {
				for row, values := range slices.Collect(slices.Chunk(logits, dims[2])) {
					if row%dims[1] == 0 || mask[row-1] != 0 {
						kept = append(kept, values...)
					}
				}
				return kept
			}
			golden.Compare(t, "logits", words(golden.Values(t, out[1])), words(golden.Floats(t, io, "step0.logits")), tolerance)
		})
	}
}

// expected is what ClipCap's predict.py wrote for a batch of embeddings: token ids
// by sequence, search and rank.
type expected struct {
	StopToken      int                          `json:"stop_token"`
	NeverStopToken int                          `json:"never_stop_token"`
	Cases          []map[string]json.RawMessage `json:"cases"`
}

// ids returns the texts of a case: a string for greedy search, else a list.
func (e expected) ids(t *testing.T, sequence int, key string) [][]int {
	raw := e.Cases[sequence][key]
	var texts []string
	if json.Unmarshal(raw, &texts) != nil {
		texts = make([]string, 1)
		if err := json.Unmarshal(raw, &texts[0]); err != nil {
			t.Fatalf("%s of sequence %d: %v", key, sequence, err)
		}
	}
	all := make([][]int, len(texts))
	for i, text := range texts {
		for _, field := range strings.Fields(text) {
			id, err := strconv.Atoi(field)
			if err != nil {
				t.Fatalf("%s of sequence %d: %v", key, sequence, err)
			}
			all[i] = append(all[i], id)
		}
	}
	return all
}

var keyPattern = regexp.MustCompile(`^(never_stop_)?(?:greedy|beam(\d+))_max(\d+)$`)

// options reads a search out of a case's key: greedy_max4, never_stop_beam5_max15.
func (e expected) options(t *testing.T, key string) decode.Options {
	match := keyPattern.FindStringSubmatch(key)
	if match == nil {
		t.Fatalf("case %q is no search that this test knows", key)
	}
	o := decode.PaperGreedy()
	o.StopTokens = []int{e.StopToken}
	if match[1] != "" {
		o.StopTokens = []int{e.NeverStopToken}
	}
	if match[2] != "" {
		o.Strategy = decode.Beam
		o.Beams, _ = strconv.Atoi(match[2])
		o.NBest = o.Beams
	}
	o.MaxLength, _ = strconv.Atoi(match[3])
	return o
}

// TestGoldenDecode decodes each embedding of the golden files, in a batch and alone.
func TestGoldenDecode(t *testing.T) {
	for _, folder := range folders() {
		t.Run(folder, func(t *testing.T) {
			config, store := load(t, folder, "decode_weights.pt")
			generator, err := clipcap.NewGenerator(golden.Engine(t), store, config)
			if err != nil {
				t.Fatal(err)
			}
			embeddings := rows(t, golden.Load(t, filepath.Join(golden.Dir(t, folder), "decode.safetensors")), "embedding")
			var want expected
			readJSON(t, filepath.Join(golden.Dir(t, folder), "decode.json"), &want)
			if len(want.Cases) != len(embeddings) || len(want.Cases) == 0 || len(want.Cases[0]) == 0 {
				t.Fatalf("%d cases for %d embeddings", len(want.Cases), len(embeddings))
			}
			for key := range want.Cases[0] {
				t.Run(key, func(t *testing.T) { compareDecoded(t, generator, embeddings, want, key) })
			}
		})
	}
}

func compareDecoded(t *testing.T, generator *clipcap.Generator, embeddings [][]float32, want expected, key string) {
	o := want.options(t, key)
	batch := search(t, generator, embeddings, o)
	for i := range embeddings {
		ids := want.ids(t, i, key)
		for name, got := range map[string][]decode.Hypothesis{
			"batch": batch[i], "single": search(t, generator, embeddings[i:i+1], o)[0],
		} {
			if found := tokens(got); !slices.EqualFunc(found, ids, slices.Equal) {
				t.Errorf("sequence %d, %s:\n got %v\nwant %v", i, name, found, ids)
			}
		}
	}
}

// search decodes embeddings from scratch.
func search(t testing.TB, generator *clipcap.Generator, embeddings [][]float32, o decode.Options) [][]decode.Hypothesis {
	session, err := generator.Start(embeddings, o.MaxLength)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	found, err := decode.Search(context.Background(), session, o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func tokens(hypotheses []decode.Hypothesis) [][]int {
	all := make([][]int, len(hypotheses))
	for i, h := range hypotheses {
		all[i] = h.Tokens
	}
	return all
}

// rows returns the rows of a matrix.
func rows(t *testing.T, f *weights.File, name string) [][]float32 {
	tensor, ok := f.Tensor(name)
	if !ok || len(tensor.Shape) != 2 {
		t.Fatalf("no matrix %s among %v", name, f.Names())
	}
	return slices.Collect(slices.Chunk(golden.Floats(t, f, name), tensor.Shape[1]))
}
