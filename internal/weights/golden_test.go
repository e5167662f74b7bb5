package weights_test

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

// sameTensors fails unless got and want hold the same tensors, bit for bit,
// under the names that rename gives to those of got; "" drops one.
func sameTensors(t *testing.T, got, want *weights.File, rename func(string) string) {
	t.Helper()
	var names []string
	for _, name := range got.Names() {
		renamed := rename(name)
		if renamed == "" {
			continue
		}
		names = append(names, renamed)
		a, _ := got.Tensor(name)
		b, ok := want.Tensor(renamed)
		if !ok {
			t.Errorf("unexpected tensor %s", renamed)
			continue
		}
		if a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data, b.Data) {
			t.Errorf("%s: %s %v differs from %s %v", renamed, a.DType, a.Shape, b.DType, b.Shape)
		}
	}
	slices.Sort(names)
	if len(names) == 0 || !slices.Equal(names, want.Names()) {
		t.Errorf("names are %v, want %v", names, want.Names())
	}
}

func keep(name string) string { return name }

// TestGoldenEncodings reads the same weights from each of torch's formats.
func TestGoldenEncodings(t *testing.T) {
	for _, test := range []struct{ dir, file, format string }{
		{"clip_vit", "state_dict.pt", "torch file"},
		{"clip_vit", "state_dict_legacy.pt", "legacy torch file"},
		{"clip_vit", "torchscript.pt", "TorchScript archive"},
		{"clip_rn", "torchscript.pt", "TorchScript archive"},
	} {
		t.Run(test.dir+"/"+test.file, func(t *testing.T) {
			dir := golden.Dir(t, test.dir)
			got := golden.Load(t, filepath.Join(dir, test.file))
			if got.Format() != test.format {
				t.Errorf("a %s, want a %s", got.Format(), test.format)
			}
			sameTensors(t, got, golden.Load(t, filepath.Join(dir, "openai.safetensors")), keep)
		})
	}
}

func TestGoldenHalf(t *testing.T) {
	dir := golden.Dir(t, "clip_vit")
	half := golden.Load(t, filepath.Join(dir, "openai_fp16.safetensors"))
	full := golden.Load(t, filepath.Join(dir, "openai.safetensors"))
	if !slices.Equal(half.Names(), full.Names()) {
		t.Fatalf("names are %v, want %v", half.Names(), full.Names())
	}
	for _, name := range full.Names() {
		f, _ := full.Tensor(name)
		h, _ := half.Tensor(name)
		values, err := f.Float32()
		if err != nil {
			t.Fatal(err)
		}
		rounded, err := weights.FromFloat32(name, weights.F16, f.Shape, values)
		if err != nil {
			t.Fatal(err)
		}
		if h.DType != weights.F16 || !slices.Equal(h.Shape, f.Shape) || !bytes.Equal(h.Data, rounded.Data) {
			t.Errorf("%s: not the float32 file rounded to half", name)
		}
		widened, err := h.Float32()
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, name, widened, values, 0x1p-11)
	}
}

func TestGoldenPytorchModel(t *testing.T) {
	dir := golden.Dir(t, "gpt2")
	got := golden.Load(t, filepath.Join(dir, "pytorch_model.bin"))
	want := golden.Load(t, filepath.Join(dir, "model.safetensors"))
	sameTensors(t, got, want, func(name string) string {
		name = strings.TrimPrefix(name, "transformer.")
		if _, ok := want.Tensor(name); !ok && mask(name) {
			return ""
		}
		return name
	})
}

// mask tells causal-mask buffers and the tied output layer, which only some
// files carry, from weights.
func mask(name string) bool {
	return strings.HasSuffix(name, ".attn.bias") || strings.HasSuffix(name, ".attn.masked_bias") || name == "lm_head.weight"
}

func TestGoldenClipCap(t *testing.T) {
	for _, name := range []string{"clipcap_mlp", "clipcap_transformer"} {
		for _, file := range []string{"weights.pt", "decode_weights.pt"} {
			t.Run(name+"/"+file, func(t *testing.T) {
				f := golden.Load(t, filepath.Join(golden.Dir(t, name), file))
				for _, name := range f.Names() {
					tensor, _ := f.Tensor(name)
					if tensor.DType != weights.F32 {
						if _, err := tensor.Int64(); err != nil {
							t.Error(err)
						}
						continue
					}
					values, err := tensor.Float32()
					if err != nil {
						t.Fatal(err)
					}
					if i := slices.IndexFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) }); i >= 0 {
						t.Errorf("%s[%d] is not a number", name, i)
					}
				}
				wte, _ := f.Tensor("gpt.transformer.wte.weight")
				head, ok := f.Tensor("gpt.lm_head.weight")
				if !ok || &wte.Data[0] != &head.Data[0] {
					t.Error("the tied output layer does not share the embedding's bytes")
				}
			})
		}
	}
}

// TestGoldenRewrite reads every safetensors file of the folder, writes its
// tensors, and reads them again.
func TestGoldenRewrite(t *testing.T) {
	for _, name := range []string{"clip_vit", "clip_rn", "gpt2", "clipcap_mlp", "roberta", "preprocess"} {
		files, err := filepath.Glob(filepath.Join(golden.Dir(t, name), "*.safetensors"))
		if err != nil || len(files) == 0 {
			t.Fatal(name, files, err)
		}
		for _, file := range files {
			want := golden.Load(t, file)
			var tensors []weights.Tensor
			for _, name := range want.Names() {
				tensor, _ := want.Tensor(name)
				tensors = append(tensors, tensor)
			}
			path := filepath.Join(t.TempDir(), "copy.safetensors")
			if err := weights.WriteSafetensors(path, tensors, want.Metadata()); err != nil {
				t.Fatal(err)
			}
			sameTensors(t, golden.Load(t, path), want, keep)
		}
	}
}
