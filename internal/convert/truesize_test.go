//go:build truesize

package convert_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
)

// `make true-size` runs this over what reference/truesize.py wrote to the folder that
// CUTLINE_TRUE_SIZE names: it takes 6 GB of disk and some minutes.

// room is how much more memory than the files of a model are large may be taken to convert
// or to load it.
const room = 1.2

// trueSize is a model that the files make.
type trueSize struct {
	name    string // and of its tensors in expected.safetensors
	sources func(dir string) convert.Sources
	check   func(t *testing.T, folder *modelfolder.Folder, expected *weights.File, name string)
}

func trueSizes(t *testing.T) []trueSize {
	bpe := golden.Shared(t, "fixtures", "tokenizers", "bpe_simple_vocab_16e6.txt.gz")
	source := func(clip, gpt2, clipcap string) func(dir string) convert.Sources {
		return func(dir string) convert.Sources {
			in := func(name string) string {
				if name == "" {
					return ""
				}
				return filepath.Join(dir, name)
			}
			return convert.Sources{Name: "true-size", CLIP: in(clip), CLIPTokenizer: bpe, GPT2: in(gpt2), ClipCap: in(clipcap)}
		}
	}
	return []trueSize{
		{"vit", source("ViT-B-32.pt", "", ""), checkCLIP},
		{"rn", source("RN50x4.pt", "", ""), checkCLIP},
		{"gpt2", source("", "gpt2", ""), checkGPT2},
		{"mlp", source("ViT-B-32.pt", "gpt2", "coco_weights.pt"), checkClipCap},
		{"transformer", source("RN50x4.pt", "gpt2", "transformer_weights.pt"), checkClipCap},
	}
}

func TestTrueSize(t *testing.T) {
	dir := os.Getenv("CUTLINE_TRUE_SIZE")
	if dir == "" {
		t.Fatal("CUTLINE_TRUE_SIZE names no folder")
	}
	gpt2Folder(t, dir)
	expected := golden.Load(t, filepath.Join(dir, "expected.safetensors"))
	for _, test := range trueSizes(t) {
		t.Run(test.name, func(t *testing.T) {
			out := filepath.Join(dir, "out", test.name)
			size := 0.0
			for _, path := range checkpoints(test.sources(dir)) {
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				size += float64(info.Size())
			}
			measure(t, "convert", test.name, size)
			folder, err := modelfolder.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			written := 0.0
			for _, x := range folder.Tensors {
				written += float64(len(x.Data))
			}
			measure(t, "load", test.name, written)
			test.check(t, folder, expected, test.name)
			if err := folder.Close(); err != nil {
				t.Error(err)
			}
			if err := os.RemoveAll(out); err != nil {
				t.Error(err)
			}
		})
	}
}

// gpt2Folder puts pytorch_model.bin into a folder of Hugging Face's layout.
func gpt2Folder(t *testing.T, dir string) {
	t.Helper()
	folder := filepath.Join(dir, "gpt2")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	config := `{"model_type": "gpt2", "vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "layer_norm_epsilon": 1e-5}`
	if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	copyFile(t, golden.Shared(t, "fixtures", "tokenizers", "gpt2_vocab.json"), filepath.Join(folder, "vocab.json"))
	copyFile(t, golden.Shared(t, "fixtures", "tokenizers", "gpt2_merges.txt"), filepath.Join(folder, "merges.txt"))
	if err := os.Link(filepath.Join(dir, "pytorch_model.bin"), filepath.Join(folder, "pytorch_model.bin")); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
}

// checkpoints returns the files of tensors that a conversion reads.
func checkpoints(s convert.Sources) []string {
	gpt := ""
	if s.ClipCap == "" && s.GPT2 != "" {
		gpt = filepath.Join(s.GPT2, "pytorch_model.bin")
	}
	return slices.DeleteFunc([]string{s.CLIP, gpt, s.ClipCap}, func(path string) bool { return path == "" })
}

// measure does a job in a process of its own and holds its memory against size.
func measure(t *testing.T, job, name string, size float64) {
	t.Helper()
	command := exec.Command(os.Args[0], "-test.run=^TestTrueSizeJob$", "-test.v")
	command.Env = append(os.Environ(), "CUTLINE_TRUE_SIZE_JOB="+job+" "+name)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", job, err, out)
	}
	var seconds, peak float64
	for line := range strings.Lines(string(out)) {
		if _, err := fmt.Sscanf(line, "took %f s and %f bytes", &seconds, &peak); err == nil {
			break
		}
	}
	t.Logf("%s %s: %.1f s, peak %.0f MB for %.0f MB, %.2f times", job, name, seconds, peak/1e6, size/1e6, peak/size)
	if peak == 0 || peak > room*size {
		t.Errorf("%s %s: a peak of %.0f bytes for %.0f, more than %g times", job, name, peak, size, room)
	}
}

// TestTrueSizeJob is the process that measure starts.
func TestTrueSizeJob(t *testing.T) {
	job, name, ok := strings.Cut(os.Getenv("CUTLINE_TRUE_SIZE_JOB"), " ")
	if !ok {
		return // TestTrueSize starts it
	}
	dir := os.Getenv("CUTLINE_TRUE_SIZE")
	out, start := filepath.Join(dir, "out", name), time.Now()
	for _, test := range trueSizes(t) {
		switch {
		case test.name != name:
		case job == "convert":
			if _, err := convert.Folder(t.Context(), golden.Engine(t), out, test.sources(dir)); err != nil {
				t.Fatal(err)
			}
		default:
			folder, err := modelfolder.Open(out)
			if err != nil {
				t.Fatal(err)
			}
			if err := folder.Load(golden.Engine(t), model.NewStore()); err != nil {
				t.Fatal(err)
			}
		}
	}
	fmt.Printf("took %f s and %f bytes\n", time.Since(start).Seconds(), peak(t))
}

// peak is the most memory that this process had in use, mapped files included.
func peak(t *testing.T) float64 {
	t.Helper()
	file, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kib float64
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %f kB", &kib); err == nil {
			return 1024 * kib
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

func checkCLIP(t *testing.T, folder *modelfolder.Folder, expected *weights.File, name string) {
	engine, store := golden.Engine(t), model.NewStore()
	if err := folder.Load(engine, store); err != nil {
		t.Fatal(err)
	}
	encoder, err := clip.NewEncoder(engine, store, *folder.Config.CLIP)
	if err != nil {
		t.Fatal(err)
	}
	pixels := golden.Floats(t, expected, name+".image")
	image, err := encoder.Image(t.Context(), slices.Collect(slices.Chunk(pixels, len(pixels)/2)))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := tensors.CopyFlatData[int32](golden.Input(t, expected, name+".tokens"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := encoder.Text(t.Context(), slices.Collect(slices.Chunk(ids, len(ids)/2)))
	if err != nil {
		t.Fatal(err)
	}
	compareTrue(t, expected, name+".image_features", slices.Concat(image...))
	compareTrue(t, expected, name+".text_features", slices.Concat(text...))
}

func checkGPT2(t *testing.T, folder *modelfolder.Folder, expected *weights.File, name string) {
	c := *folder.Config.LanguageModel
	out := runTrue(t, folder, func(root *model.Scope, inputs []*Node) []*Node {
		gpt := root.At(clipcap.GPTScope).At("transformer")
		hidden, _ := c.Hidden(gpt, c.Embed(gpt, inputs[0]))
		return []*Node{c.Logits(gpt, hidden)}
	}, golden.Input(t, expected, name+".ids"))
	compareTrue(t, expected, name+".logits", golden.Values(t, out[0]))
}

func checkClipCap(t *testing.T, folder *modelfolder.Folder, expected *weights.File, name string) {
	c := *folder.Config.Captioner
	out := runTrue(t, folder, func(root *model.Scope, inputs []*Node) []*Node {
		return []*Node{c.Prefix(root, inputs[0]), c.Logits(root, inputs[0], inputs[1])}
	}, golden.Input(t, expected, name+".embedding"), golden.Input(t, expected, name+".captions"))
	compareTrue(t, expected, name+".prefix", golden.Values(t, out[0]))
	compareTrue(t, expected, name+".logits", golden.Values(t, out[1]))
}

func runTrue(t *testing.T, folder *modelfolder.Folder, network func(*model.Scope, []*Node) []*Node, inputs ...any) []*tensors.Tensor {
	t.Helper()
	engine, store := golden.Engine(t), model.NewStore()
	if err := folder.Load(engine, store); err != nil {
		t.Fatal(err)
	}
	run, err := model.NewExec(engine, store, network)
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.Call(inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compareTrue holds values against PyTorch's, within the bound of float32 activations:
// it computed in float32 over the weights as the file has them.
func compareTrue(t *testing.T, expected *weights.File, name string, got []float32) {
	t.Helper()
	want := golden.Floats(t, expected, name)
	golden.Compare(t, name, got, want, 1e-4)
	worst, most := 0.0, 0.0
	for i, w := range want {
		worst, most = max(worst, max(float64(got[i]-w), float64(w-got[i]))), max(most, float64(max(w, -w)))
	}
	t.Logf("%s: error %.2g of the largest value", name, worst/most)
}
