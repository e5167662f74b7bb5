package align_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/weights"
)

const tolerance = 1e-4 // of the golden files, for activations

// reference is SciPy's alignment of 40 photos and 40 texts of width 12.
type reference struct {
	Reg      float64   `json:"sinkhorn_reg"`
	Lambdas  []float64 `json:"mixup_lambda_of_text"`
	Exact    float64   `json:"exact_cost"`
	Sinkhorn float64   `json:"sinkhorn_cost"`

	file          *weights.File
	photos, texts [][]float32
}

func readReference(t *testing.T) *reference {
	dir := golden.Dir(t, "align")
	data, err := os.ReadFile(filepath.Join(dir, "align.json"))
	if err != nil {
		t.Fatal(err)
	}
	r := &reference{file: golden.Load(t, filepath.Join(dir, "align.safetensors"))}
	if err := json.Unmarshal(data, r); err != nil {
		t.Fatal(err)
	}
	r.photos, r.texts = r.rows(t, "image"), r.rows(t, "text")
	return r
}

func (r *reference) rows(t *testing.T, name string) [][]float32 {
	const count = 40
	flat := golden.Floats(t, r.file, name)
	out := make([][]float32, count)
	for i := range out {
		out[i] = flat[i*len(flat)/count : (i+1)*len(flat)/count]
	}
	return out
}

func flat(rows [][]float32) []float32 {
	var out []float32
	for _, row := range rows {
		out = append(out, row...)
	}
	return out
}

// planned lists all entries of a plan, and its cost.
func planned(p align.Plan, cost [][]float64) (entries []float32, total float64) {
	for i, row := range cost {
		for j, mass := range p.Row(i) {
			entries = append(entries, float32(mass))
			total += mass * row[j]
		}
	}
	return entries, total
}

func TestGoldenMeanShift(t *testing.T) {
	r := readReference(t)
	from, to := centre(t, r.photos), centre(t, r.texts)
	var shifted [][]float32
	for _, photo := range r.photos {
		shifted = append(shifted, align.MeanShift(photo, from, to))
	}
	golden.Compare(t, "mean shift", flat(shifted), golden.Floats(t, r.file, "mean_shifted_image"), tolerance)
}

func TestGoldenTransport(t *testing.T) {
	r := readReference(t)
	cost, err := align.Cost(r.photos, r.texts)
	if err != nil {
		t.Fatal(err)
	}
	var distances []float32
	for _, row := range cost {
		for _, c := range row {
			distances = append(distances, float32(c))
		}
	}
	golden.Compare(t, "cost", distances, golden.Floats(t, r.file, "cost"), tolerance)

	exact, err := align.NewExact(r.photos, r.texts)
	if err != nil {
		t.Fatal(err)
	}
	plan, total := planned(exact, cost)
	golden.Compare(t, "exact plan", plan, golden.Floats(t, r.file, "ot_plan_exact"), tolerance)
	golden.Compare(t, "exact cost", []float32{float32(total)}, []float32{float32(r.Exact)}, tolerance)
	golden.Compare(t, "barycentric map", flat(align.Barycentric(exact, r.photos, r.texts)),
		golden.Floats(t, r.file, "ot_barycentric"), tolerance)

	sinkhorn, err := align.NewSinkhorn(r.photos, r.texts, r.Reg)
	if err != nil {
		t.Fatal(err)
	}
	plan, total = planned(sinkhorn, cost)
	golden.Compare(t, "Sinkhorn plan", plan, golden.Floats(t, r.file, "sinkhorn_plan"), tolerance)
	golden.Compare(t, "Sinkhorn cost", []float32{float32(total)}, []float32{float32(r.Sinkhorn)}, tolerance)
}

func TestGoldenMixup(t *testing.T) {
	r := readReference(t)
	var mixed [][]float32
	for _, lambda := range r.Lambdas {
		for i, photo := range r.photos {
			mixed = append(mixed, align.Mixup(r.texts[i], photo, lambda))
		}
	}
	golden.Compare(t, "mixup", flat(mixed), golden.Floats(t, r.file, "mixup"), tolerance)
}

func centre(t *testing.T, rows [][]float32) []float32 {
	t.Helper()
	c, err := align.Centre(slices.Values(rows))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
