package align_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"unsafe"

	"github.com/edsrzf/mmap-go"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/golden"
)

// flatMemory is rows one after another, mapped or not.
type flatMemory struct {
	values []float32
	width  int
}

func (m flatMemory) Len() int   { return len(m.values) / m.width }
func (m flatMemory) Width() int { return m.width }
func (m flatMemory) Block(from, to int, into []float32) {
	copy(into, m.values[from*m.width:to*m.width])
}

func (m flatMemory) row(i int) []float32 { return m.values[i*m.width : (i+1)*m.width] }

// TestGoldenDeCapProjection holds the projection against PyTorch's.
func TestGoldenDeCapProjection(t *testing.T) {
	file := golden.Load(t, filepath.Join(golden.Carried(t, "decap"), "train.safetensors"))
	const width = 6
	memory := flatMemory{golden.Floats(t, file, "memory"), width}
	photos := slices.Collect(slices.Chunk(golden.Floats(t, file, "photos"), width))
	for _, temperature := range []float64{100, 150} {
		got, err := align.Project(memory, photos, temperature)
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "projection", flat(got), golden.Floats(t, file, "projected."+strconv.Itoa(int(temperature))), tolerance)
	}
}

// TestGoldenCgTGANAggregate holds the targets against those of the formula, in float64.
func TestGoldenCgTGANAggregate(t *testing.T) {
	file := golden.Load(t, filepath.Join(golden.Dir(t, "cgtgan"), "cgtgan.safetensors"))
	const width = 16
	corpus := flatMemory{golden.Floats(t, file, "corpus"), width}
	photos := slices.Collect(slices.Chunk(golden.Floats(t, file, "image"), width))
	for _, temperature := range []float64{100, 175} {
		got, err := align.Aggregate(corpus, photos, temperature)
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, "target", flat(got), golden.Floats(t, file, "agg_"+strconv.Itoa(int(temperature))), tolerance)
	}
}

// TestAggregateInBlocks: over a corpus of several blocks of rows of any length it is what
// the formula gives at once, in float64.
func TestAggregateInBlocks(t *testing.T) {
	const rows, width, temperature = 2500, 5, 40
	corpus := randomMemory(rows, width)
	for i := range corpus.values {
		corpus.values[i] *= 1 + float32(i/width%7)
	}
	photos := [][]float32{{1, 0, 0, 0, 0}, {-2, 1, 0, 3, 0}, corpus.row(2300)}
	got, err := align.Aggregate(corpus, photos, temperature)
	if err != nil {
		t.Fatal(err)
	}
	for i, photo := range photos {
		sum, total := make([]float64, width), 0.0
		for r := range rows {
			weight := math.Exp(temperature * (dot(align.Unit(photo), align.Unit(corpus.row(r))) - 1))
			total += weight
			for j, v := range corpus.row(r) {
				sum[j] += weight * float64(v)
			}
		}
		want := make([]float32, width)
		for j, v := range sum {
			want[j] = float32(v / total)
		}
		golden.Compare(t, "target", got[i], want, 1e-5)
	}
}

// randomMemory has rows of length 1.
func randomMemory(rows, width int) flatMemory {
	rng := rand.New(rand.NewPCG(7, 7))
	m := flatMemory{width: width}
	for range rows {
		x := make([]float32, width)
		for j := range x {
			x[j] = float32(rng.NormFloat64())
		}
		m.values = append(m.values, align.Unit(x)...)
	}
	return m
}

// TestProjectInBlocks: over a memory of several blocks, the last of which is not full,
// it is what the formula gives at once, in float64.
func TestProjectInBlocks(t *testing.T) {
	const rows, width, temperature = 2500, 5, 40
	memory := randomMemory(rows, width)
	photos := [][]float32{{1, 0, 0, 0, 0}, {-2, 1, 0, 3, 0}, memory.row(2300)}
	got, err := align.Project(memory, photos, temperature)
	if err != nil {
		t.Fatal(err)
	}
	nearest, err := align.Nearest(memory, photos)
	if err != nil {
		t.Fatal(err)
	}
	for i, photo := range photos {
		sum, best := make([]float64, width), 0
		for r := range rows {
			cos := dot(align.Unit(photo), memory.row(r))
			if cos > dot(align.Unit(photo), memory.row(best)) {
				best = r
			}
			for j, v := range memory.row(r) {
				sum[j] += math.Exp(temperature*(cos-1)) * float64(v)
			}
		}
		want := make([]float32, width)
		for j, v := range sum {
			want[j] = float32(v)
		}
		golden.Compare(t, "projection", got[i], align.Unit(want), 1e-5)
		if nearest[i] != best {
			t.Errorf("nearest to photo %d is row %d, want %d", i, nearest[i], best)
		}
	}
	if nearest[2] != 2300 {
		t.Errorf("nearest to row 2300 is row %d", nearest[2])
	}
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for j := range a {
		sum += float64(a[j]) * float64(b[j])
	}
	return sum
}

func TestProjectRefuses(t *testing.T) {
	memory, nan := randomMemory(3, 4), float32(math.NaN())
	for name, run := range map[string]func() error{
		"an empty memory": func() error {
			_, err := align.Project(flatMemory{width: 4}, [][]float32{{1, 0, 0, 0}}, 100)
			return err
		},
		"another width": func() error { _, err := align.Project(memory, [][]float32{{1, 0}}, 100); return err },
		"NaN":           func() error { _, err := align.Nearest(memory, [][]float32{{nan, 0, 0, 0}}); return err },
		"a row of zeros": func() error {
			_, err := align.Project(flatMemory{make([]float32, 8), 4}, [][]float32{{1, 0, 0, 0}}, 100)
			return err
		},
		"temperature NaN": func() error {
			_, err := align.Aggregate(memory, [][]float32{{1, 0, 0, 0}}, math.NaN())
			return err
		},
		"temperature 0": func() error { _, err := align.Project(memory, [][]float32{{1, 0, 0, 0}}, 0); return err },
	} {
		if run() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// BenchmarkProject is DeCap's projection at the paper's size: 500,000 texts of width
// 512 in a mapped file of 1 GB, of which Go's heap holds next to nothing.
func BenchmarkProject(b *testing.B) { benchmarkMemory(b, align.Project) }

// BenchmarkAggregate is CgT-GAN's CLIP-agg over as many.
func BenchmarkAggregate(b *testing.B) { benchmarkMemory(b, align.Aggregate) }

func benchmarkMemory(b *testing.B, run func(memory align.Memory, photos [][]float32, t float64) ([][]float32, error)) {
	const rows, width = 500_000, 512
	memory := mapped(b, rows, width)
	for _, photos := range []int{1, 8, 64} {
		b.Run(strconv.Itoa(photos)+" photos", func(b *testing.B) {
			var queries [][]float32
			for i := range photos {
				queries = append(queries, memory.row(i*1000))
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				if _, err := run(memory, queries, 100); err != nil {
					b.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/(1<<20), "heap-MB/op")
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*photos), "ms/photo")
		})
	}
}

// mapped writes a memory to a file and maps it.
func mapped(b *testing.B, rows, width int) flatMemory {
	file, err := os.Create(filepath.Join(b.TempDir(), "memory"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	x, data := make([]float32, width), make([]byte, 0, 4*width)
	for range rows {
		for j := range x {
			x[j] = rng.Float32() - 0.5
		}
		data = data[:0]
		for _, v := range align.Unit(x) {
			data = binary.NativeEndian.AppendUint32(data, math.Float32bits(v))
		}
		if _, err := file.Write(data); err != nil {
			b.Fatal(err)
		}
	}
	mapping, err := mmap.Map(file, mmap.RDONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = mapping.Unmap() })
	return flatMemory{unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(mapping))), rows*width), width}
}
