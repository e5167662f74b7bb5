package zerocap_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/internal/zerocap"
)

// What float32 costs after five steps of a gradient, relative to the largest value.
const tolerance = 1e-3

// reference is what reference/zerocap.py computed.
type reference struct {
	GPT       gpt2.Config `json:"gpt"`
	ClipWidth int         `json:"clip_width"`
	Prompt    []int       `json:"prompt"`
	Texts     [][]int     `json:"texts"`
	Cases     []struct {
		Name        string  `json:"name"`
		Steps       int     `json:"steps"`
		StepSize    float64 `json:"step_size"`
		NormPower   float64 `json:"norm_power"`
		KL          float64 `json:"kl"`
		Temperature float64 `json:"temperature"`
		Candidates  int     `json:"candidates"`
		Fusion      float64 `json:"fusion"`
		EndFactor   float64 `json:"end_factor"`
		StartFactor float64 `json:"start_factor"`
		Beams       int     `json:"beams"`
		Length      int     `json:"length"`
		Stop        []int   `json:"stop"`
	} `json:"cases"`

	file   *weights.File
	engine compute.Backend
}

func read(t *testing.T) (*reference, *model.Store) {
	t.Helper()
	r := &reference{engine: golden.Engine(t)}
	r.file = golden.Torch(t, "zerocap", r)
	return r, golden.Store(t, r.file)
}

// config is that of case i.
func (r *reference) config(i int) zerocap.Config {
	c := r.Cases[i]
	return zerocap.Config{
		Steps: c.Steps, StepSize: c.StepSize, NormPower: c.NormPower, KL: c.KL, Temperature: c.Temperature,
		Candidates: c.Candidates, Fusion: c.Fusion, EndFactor: c.EndFactor, StartFactor: c.StartFactor,
	}
}

// guide is the table in the place of CLIP's text tower.
func (r *reference) guide(t *testing.T) decode.Guide {
	table, photos := golden.Floats(t, r.file, "table"), golden.Floats(t, r.file, "photos")
	return func(_ context.Context, i int, texts [][]int) ([]float64, error) {
		photo := photos[i*r.ClipWidth : (i+1)*r.ClipWidth]
		out := make([]float64, len(texts))
		for j, text := range texts {
			mean := make([]float64, r.ClipWidth)
			for _, id := range text {
				for k := range mean {
					mean[k] += float64(table[id*r.ClipWidth+k])
				}
			}
			dot, a, b := 0.0, 0.0, 0.0
			for k, v := range mean {
				dot, a, b = dot+v*float64(photo[k]), a+v*v, b+float64(photo[k])*float64(photo[k])
			}
			out[j] = dot / math.Sqrt(a*b)
		}
		return out, nil
	}
}

func (r *reference) session(t *testing.T, store *model.Store, i, photos int) *zerocap.Session {
	t.Helper()
	writer, err := zerocap.NewWriter(r.engine, store, r.GPT, r.config(i))
	if err != nil {
		t.Fatal(err)
	}
	session, err := writer.Start(photos, r.Prompt, r.Cases[i].Stop, r.Cases[i].Length, r.guide(t))
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// TestGoldenZeroCap holds p* of texts of several lengths, some side by side, against
// PyTorch's, whose gradients go through a cache of its own; and the beams.
func TestGoldenZeroCap(t *testing.T) {
	r, store := read(t)
	for number, c := range r.Cases {
		session := r.session(t, store, number, 2)
		compare := func(text int, logits []float32) {
			golden.Compare(t, fmt.Sprintf("%s: text %v", c.Name, r.Texts[text]), normalized(logits), golden.Floats(t, r.file, fmt.Sprintf("%s.row.%d", c.Name, text)), tolerance)
		}
		rows, err := session.Prefill(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		compare(0, rows[0])
		// Texts 1 and 3 are of photo 1, text 2 is of photo 0; see the script.
		if rows, err = session.Next(t.Context(), []int{4, 9, 20}, []int{1, 0, 1}); err != nil {
			t.Fatal(err)
		}
		compare(1, rows[0])
		if rows, err = session.Next(t.Context(), []int{1, 5}, []int{1, 2}); err != nil {
			t.Fatal(err)
		}
		compare(2, rows[0])
		compare(3, rows[1])

		found, err := decode.Search(t.Context(), r.session(t, store, number, 2), decode.Options{
			Strategy: decode.Beam, Beams: c.Beams, NBest: c.Beams, MaxLength: c.Length, StopTokens: c.Stop,
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, beams := range found {
			for j, h := range beams {
				tensor, _ := r.file.Tensor(fmt.Sprintf("%s.beam.%d.%d", c.Name, i, j))
				want, err := tensor.Int64()
				if err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(h.Tokens, want, func(a int, b int64) bool { return int64(a) == b }) {
					t.Errorf("%s: beam %d of photo %d is %v, want %v", c.Name, j, i, h.Tokens, want)
				}
				golden.Compare(t, "its log-probability", []float32{float32(h.LogProb)}, golden.Floats(t, r.file, fmt.Sprintf("%s.total.%d.%d", c.Name, i, j)), tolerance)
			}
		}
	}
}

func normalized(logits []float32) []float32 {
	sum, out := 0.0, make([]float32, len(logits))
	for _, v := range logits {
		sum += math.Exp(float64(v))
	}
	for i, v := range logits {
		out[i] = float32(float64(v) - math.Log(sum))
	}
	return out
}

// TestZeroCapDifferences: a text's probabilities are its own, where the authors' code
// divides them by the sum over all beams; so they sum to 1, and do not depend on which
// texts stand beside it.
func TestZeroCapDifferences(t *testing.T) {
	r, store := read(t)
	alone, err := r.session(t, store, 0, 1).Prefill(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	beside, err := r.session(t, store, 0, 2).Prefill(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "beside another", beside[0], alone[0], 1e-5)
}

func TestRefuses(t *testing.T) {
	r, store := read(t)
	for field, change := range map[string]func(*zerocap.Config){
		"steps":       func(c *zerocap.Config) { c.Steps = -1 },
		"candidates":  func(c *zerocap.Config) { c.Candidates = 0 },
		"step size":   func(c *zerocap.Config) { c.StepSize = math.NaN() },
		"temperature": func(c *zerocap.Config) { c.Temperature = 0 },
		"fusion":      func(c *zerocap.Config) { c.Fusion = 1.5 },
	} {
		c := zerocap.Paper()
		change(&c)
		if _, err := zerocap.NewWriter(r.engine, store, r.GPT, c); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v, want %q", err, field)
		}
	}
	for _, c := range []zerocap.Config{zerocap.Paper(), zerocap.PaperArithmetic()} {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	writer, err := zerocap.NewWriter(r.engine, store, r.GPT, zerocap.Paper())
	if err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{0, 19} {
		if _, err := writer.Start(1, r.Prompt, nil, most, nil); err == nil {
			t.Errorf("a prompt of 3 and %d tokens is taken", most)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.session(t, store, 0, 1).Prefill(ctx); err == nil {
		t.Error("a context that is done does not end it")
	}
}
