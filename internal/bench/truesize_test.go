package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/engine"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

// precisions are the types of weights that a file may have.
var precisions = []weights.DType{weights.F16, weights.F32}

// clipCapTensors are small random weights of the sizes of ClipCap's networks.
func clipCapTensors(b *testing.B, e compute.Backend, dtype weights.DType) []weights.Tensor {
	b.Helper()
	store := model.NewStore()
	if err := weights.Declare(e, store, clipCap().Declare); err != nil {
		b.Fatal(err)
	}
	gpt := gpt2.Small()
	const offsets = 1 << 20 // tensors begin at different values
	shape := []int{gpt.VocabSize*gpt.Width + offsets}
	values := make([]float32, shape[0])
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = 0.04 * (rng.Float32() - 0.5)
	}
	largest, err := weights.FromFloat32("largest", dtype, shape, values)
	if err != nil {
		b.Fatal(err)
	}
	size := len(largest.Data) / len(values)
	var tensors []weights.Tensor
	for v := range store.IterVariables() {
		t := weights.Tensor{Name: weights.TensorName(v.Path()), DType: dtype, Shape: v.Shape().Dimensions}
		t.Data = largest.Data[size*rng.IntN(offsets):][:size*v.Shape().Size()]
		tensors = append(tensors, t)
	}
	return tensors
}

// openClipCap opens networks of such weights from a file.
func openClipCap(b *testing.B, e compute.Backend, dtype weights.DType) *Networks {
	b.Helper()
	path := filepath.Join(b.TempDir(), "model.safetensors")
	if err := weights.WriteSafetensors(path, clipCapTensors(b, e, dtype), nil); err != nil {
		b.Fatal(err)
	}
	debug.FreeOSMemory()
	file, err := weights.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = file.Close() })
	networks, err := Open(e, &modelfolder.Folder{Model: modelfolder.Model{Config: clipCap(), Tensors: file.Tensors()}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(networks.Close)
	return networks
}

// BenchmarkMemory is the most memory that weights of the sizes of ClipCap's networks take
// until they are loaded, and until they have captioned photos, beside what is needed at
// least: the weights once, and the activations that are in use at once. The process counts
// as a whole, so each line needs one of its own.
func BenchmarkMemory(b *testing.B) {
	for _, dtype := range precisions {
		for _, batch := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/batch %d", dtype, batch), func(b *testing.B) {
				e, err := engine.New(engine.FromEnvironment())
				if err != nil {
					b.Fatal(err)
				}
				defer e.Finalize()
				for b.Loop() {
					networks := openClipCap(b, e, dtype)
					loaded := float64(PeakMemory())
					if err := networks.Caption(b.Context(), grey(b), batch); err != nil {
						b.Fatal(err)
					}
					size := map[weights.DType]int{weights.F16: 2, weights.F32: 4}[dtype]
					least, usage, peak := float64(size*networks.Parameters()), e.Usage(), float64(PeakMemory())
					b.ReportMetric(least/1e6, "MB-of-weights")
					b.ReportMetric(float64(usage.Least)/1e6, "MB-of-activations-least")
					b.ReportMetric(float64(usage.Taken)/1e6, "MB-of-activations-taken")
					b.ReportMetric(loaded/1e6, "MB-loaded")
					b.ReportMetric(peak/1e6, "MB-captioned")
					b.ReportMetric(peak/(least+float64(usage.Least)), "times-the-least")
				}
			})
		}
	}
}

// BenchmarkPrecision is what the networks' stages take, in milliseconds, with halves and
// with float32s.
func BenchmarkPrecision(b *testing.B) {
	for _, dtype := range precisions {
		networks := openClipCap(b, golden.Engine(b), dtype)
		for _, batch := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/batch %d", dtype, batch), func(b *testing.B) {
				for b.Loop() {
					stages, err := networks.Stages(b.Context(), Repeats{WarmUp: 2, Runs: 9}, grey(b), batch)
					if err != nil {
						b.Fatal(err)
					}
					for i, unit := range []string{"ms/image", "ms/prefix", "ms/token"} {
						b.ReportMetric(stages[len(stages)-3+i].Median, unit)
					}
				}
			})
		}
	}
}

// BenchmarkColdStart is a process that captions one photo with ClipCap's networks, whose
// weights are random, from its start to its end. The file was just written, so that the
// system still has it in memory.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	program, photo := filepath.Join(dir, "cutline"), filepath.Join(dir, "photo.jpg")
	build := exec.Command("go", "build", "-o", program, "github.com/cutline-go/cutline/cmd/cutline")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatal(err, string(out))
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, 640, 480)), nil); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(photo, file.Bytes(), 0o666); err != nil {
		b.Fatal(err)
	}
	for _, dtype := range precisions {
		folder := filepath.Join(dir, string(dtype))
		writeClipCap(b, folder, dtype)
		b.Run(string(dtype), func(b *testing.B) {
			var busy time.Duration
			for b.Loop() {
				var messages strings.Builder
				caption := exec.Command(program, "caption", "--model", folder, photo)
				caption.Stderr = &messages
				if out, err := caption.Output(); err != nil || len(bytes.TrimSpace(out)) == 0 {
					b.Fatalf("%v: %q, %s", err, out, messages.String())
				}
				busy += caption.ProcessState.UserTime() + caption.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms")
			b.ReportMetric(float64(busy.Milliseconds())/float64(b.N), "ms-of-processors")
		})
		doctor, err := exec.Command(program, "doctor", "--model", folder).CombinedOutput()
		b.Logf("%s\n%s", dtype, doctor)
		if err != nil {
			b.Error(err)
		}
	}
}

// writeClipCap writes a model folder of random weights with the published tokenizers, whose
// captions have 15 tokens.
func writeClipCap(b *testing.B, dir string, dtype weights.DType) {
	b.Helper()
	open := func(name string) *os.File {
		file, err := os.Open(golden.Shared(b, "fixtures", "tokenizers", name))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = file.Close() })
		return file
	}
	m := modelfolder.Model{Config: clipCap(), Tensors: clipCapTensors(b, golden.Engine(b), dtype)}
	m.Config.Version, m.Config.Name, m.Config.CLIPName = modelfolder.Version, ClipCapName, "ViT-B/32"
	m.Config.MaxTokens = averageLength
	var err error
	if m.CLIPTokenizer, err = tokenizer.ReadCLIP(open("bpe_simple_vocab_16e6.txt.gz")); err != nil {
		b.Fatal(err)
	}
	if m.GPTTokenizer, err = tokenizer.Read(open("gpt2_vocab.json"), open("gpt2_merges.txt")); err != nil {
		b.Fatal(err)
	}
	if err := modelfolder.Write(dir, m); err != nil {
		b.Fatal(err)
	}
}
