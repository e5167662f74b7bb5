package dataset_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/weights"
)

const (
	embeddingRows  = 600 // in more than two chunks
	embeddingWidth = 3
	embeddingKey   = "0123abcd"
)

// source computes rows whose values tell where they stand, and notes from where on it
// was asked.
type source struct {
	asked []int
	fail  int // the row at which it gives up, 0: never
}

func (s *source) fill(_ context.Context, from, to int) ([][]float32, error) {
	if s.fail > 0 && to > s.fail {
		return nil, errors.New("stop here")
	}
	s.asked = append(s.asked, from)
	var rows [][]float32
	for i := from; i < to; i++ {
		rows = append(rows, []float32{float32(i), float32(-i), 0.5})
	}
	return rows, nil
}

func openEmbeddings(t *testing.T, dir string, s *source) {
	t.Helper()
	e, err := dataset.EmbeddingCache{Dir: dir}.Open(t.Context(), embeddingKey, embeddingRows, embeddingWidth, s.fill)
	if err != nil {
		t.Fatal(err)
	}
	if e.Len() != embeddingRows || e.Width() != embeddingWidth {
		t.Fatalf("%d rows of width %d", e.Len(), e.Width())
	}
	for i := range embeddingRows {
		if want := []float32{float32(i), float32(-i), 0.5}; !slices.Equal(e.Row(i), want) {
			t.Fatalf("row %d is %v, want %v", i, e.Row(i), want)
		}
	}
	if b := e.Block(299, 301); len(b) != 6 || b[0] != 299 || b[4] != -300 {
		t.Errorf("block 299 to 301 is %v", b)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

func TestEmbeddingsAreComputedOnce(t *testing.T) {
	dir := t.TempDir()
	first, second := &source{}, &source{}
	openEmbeddings(t, dir, first)
	openEmbeddings(t, dir, second)
	if !slices.Equal(first.asked, []int{0, 256, 512}) || len(second.asked) != 0 {
		t.Errorf("computed from %v, and again from %v", first.asked, second.asked)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != embeddingKey+".safetensors" {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	file, err := weights.Open(filepath.Join(dir, embeddingKey+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if list := file.Tensors(); len(list) != 1 || list[0].Name != "embeddings" || !slices.Equal(list[0].Shape, []int{600, 3}) {
		t.Errorf("as safetensors the file holds %v", list)
	}
}

// TestDamagedEmbeddingsAreRebuilt tells that no file is trusted that is not what was
// written.
func TestDamagedEmbeddingsAreRebuilt(t *testing.T) {
	for name, damage := range map[string]func(data []byte) []byte{
		"truncated":      func(data []byte) []byte { return data[:len(data)-1] },
		"longer":         func(data []byte) []byte { return append(data, 0) },
		"a changed row":  func(data []byte) []byte { data[len(data)-9] ^= 1; return data },
		"another header": func(data []byte) []byte { data[60] ^= 1; return data },
		"empty":          func([]byte) []byte { return nil },
		"text":           func([]byte) []byte { return []byte(strings.Repeat("text ", 5000)) },
	} {
		dir := t.TempDir()
		openEmbeddings(t, dir, &source{})
		path := filepath.Join(dir, embeddingKey+".safetensors")
		data, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, damage(data), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		again := &source{}
		openEmbeddings(t, dir, again)
		if len(again.asked) != 3 {
			t.Errorf("%s: computed again from %v", name, again.asked)
		}
	}
}

// TestInterruptedEmbeddingsGoOn holds that what was computed is not computed again,
// unless it was damaged.
func TestInterruptedEmbeddingsGoOn(t *testing.T) {
	for _, damaged := range []bool{false, true} {
		dir := t.TempDir()
		cache := dataset.EmbeddingCache{Dir: dir}
		_, err := cache.Open(t.Context(), embeddingKey, embeddingRows, embeddingWidth, (&source{fail: 590}).fill)
		if err == nil || !strings.Contains(err.Error(), "stop here") {
			t.Fatalf("the first attempt ended with %v", err)
		}
		want := []int{512}
		if damaged {
			partial := filepath.Join(dir, embeddingKey+".partial")
			data, err := os.ReadFile(partial)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)-1] ^= 1
			if err := os.WriteFile(partial, data, 0o644); err != nil {
				t.Fatal(err)
			}
			want = []int{0, 256, 512}
		}
		second := &source{}
		openEmbeddings(t, dir, second)
		if !slices.Equal(second.asked, want) {
			t.Errorf("damaged %v: went on from %v", damaged, second.asked)
		}
	}
}

func TestEmbeddingsAreMadeByOne(t *testing.T) {
	dir := t.TempDir()
	var calls atomic.Int32
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			e, err := dataset.EmbeddingCache{Dir: dir}.Open(t.Context(), embeddingKey, embeddingRows, embeddingWidth, func(ctx context.Context, from, to int) ([][]float32, error) {
				calls.Add(1)
				return new(source).fill(ctx, from, to)
			})
			if err != nil {
				t.Error(err)
				return
			}
			_ = e.Close()
		})
	}
	all.Wait()
	if calls.Load() != 3 {
		t.Errorf("%d chunks were computed, want 3", calls.Load())
	}
}

func TestEmbeddingsRefused(t *testing.T) {
	nan := float32(math.NaN())
	row := func(values ...float32) func(context.Context, int, int) ([][]float32, error) {
		return func(context.Context, int, int) ([][]float32, error) { return [][]float32{{1, 2, 3}, values}, nil }
	}
	for want, fill := range map[string]func(context.Context, int, int) ([][]float32, error){
		"embedding 1: value 2 is NaN":        row(1, 2, nan),
		"embedding 1 is 2 wide, want 3":      row(1, 2),
		"600 rows were computed, want 256":   func(context.Context, int, int) ([][]float32, error) { return make([][]float32, 600), nil },
		"embedding 1: value 0 is +Inf":       row(float32(math.Inf(1)), 2, 3),
		"2 rows were computed, want 256":     nil,
		`the key "../up" is not hexadecimal`: nil,
	} {
		key, rows := embeddingKey, 2
		switch {
		case strings.HasPrefix(want, "the key"):
			key = "../up"
		case strings.Contains(want, "256"):
			rows = 600
		}
		if fill == nil {
			fill = row(1, 2, 3)
		}
		dir := t.TempDir()
		_, err := dataset.EmbeddingCache{Dir: dir}.Open(t.Context(), key, rows, 3, fill)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		if whole, _ := filepath.Glob(filepath.Join(dir, "*.safetensors")); whole != nil {
			t.Errorf("%s: left %v", want, whole)
		}
	}
	if _, err := dataset.NewEmbeddings([][]float32{{1}, {nan}}); err == nil {
		t.Error("NaN in memory was taken")
	}
}

// BenchmarkEmbeddings maps half a million rows of CLIP's width and multiplies all of
// them with a query, block by block, as a memory of captions does. It writes a
// gigabyte.
func BenchmarkEmbeddings(b *testing.B) {
	const rows, width, block = 500_000, 512, 4096
	cache := dataset.EmbeddingCache{Dir: b.TempDir()}
	fill := func(_ context.Context, from, to int) ([][]float32, error) {
		out := make([][]float32, to-from)
		for i := range out {
			out[i] = make([]float32, width)
			out[i][0] = float32(from + i)
		}
		return out, nil
	}
	e, err := cache.Open(b.Context(), embeddingKey, rows, width, fill)
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	b.SetBytes(rows * width * 4)
	for b.Loop() {
		var sum float32
		for from := 0; from < rows; from += block {
			for _, v := range e.Block(from, min(from+block, rows)) {
				sum += v
			}
		}
		if sum == 0 {
			b.Fatal("nothing was read")
		}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapSys)/1e6, "heap-MB") // the most that it was
}
