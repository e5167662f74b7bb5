package decode

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSameSeedSameSamples(t *testing.T) {
	o := strategies()["sample"]
	m := newTable(t, 1, 3, 30)
	first := mustSearch(t, m, o)
	for i, again := range mustSearch(t, m, o) {
		if !same(again, first[i]) {
			t.Errorf("sequence %d: %v, then %v", i, first[i], again)
		}
	}
	o.Seed = 1000
	if same(mustSearch(t, m, o)[0], first[0]) {
		t.Errorf("seeds 7 and 1000 both draw %v", first[0])
	}
	o.Seed, o.NBest = 7, 2
	for i, few := range mustSearch(t, m, o) {
		for _, h := range few {
			if !slices.ContainsFunc(first[i], func(other Hypothesis) bool { return same([]Hypothesis{h}, []Hypothesis{other}) }) {
				t.Errorf("sequence %d: %v is among 2 draws, not among 5", i, h.Tokens)
			}
		}
	}
}

// TestCertainSamples: with nothing left to chance, sampling is greedy.
func TestCertainSamples(t *testing.T) {
	greedy := strategies()["greedy"]
	for name, change := range map[string]func(*Options){
		"top_k":       func(o *Options) { o.TopK = 1 },
		"top_p":       func(o *Options) { o.TopP = 1e-9 },
		"temperature": func(o *Options) { o.Temperature = 1e-300 },
	} {
		o := greedy
		o.Strategy = Sample
		change(&o)
		for seed := range uint64(20) {
			m := newTable(t, seed, 1, 40)
			if got, want := mustSearch(t, m, o)[0], mustSearch(t, m, greedy)[0]; !same(got, want) {
				t.Fatalf("%s, seed %d: %v, want %v", name, seed, got, want)
			}
		}
	}
}

// naivePool is the definition of what may be drawn, and how probable it is.
func naivePool(row []float32, o Options, banned []int) map[int]float64 {
	kept := naiveTop(row, len(row), banned)
	if o.TopK > 0 {
		kept = kept[:min(o.TopK, len(kept))]
	}
	total, held := 0.0, 0.0
	for _, c := range kept {
		total += math.Exp(float64(c.logit) / o.Temperature)
	}
	pool := make(map[int]float64)
	for _, c := range kept {
		if held >= o.TopP*total {
			break
		}
		pool[c.token] = math.Exp(float64(c.logit) / o.Temperature)
		held += pool[c.token]
	}
	for token := range pool {
		pool[token] /= held
	}
	return pool
}

// TestPool holds the sets to draw from against the definition, nucleuses of more
// tokens than one selection takes among them.
func TestPool(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	large := 0
	for range 300 {
		row := make([]float32, 1+random.IntN(2000))
		for i := range row {
			row[i] = float32(random.NormFloat64())
		}
		banned := random.Perm(len(row))[:random.IntN(min(len(row), 20))]
		o := Options{Temperature: 0.3 + random.Float64(), TopP: 1 - random.Float64()}
		if random.IntN(2) == 0 {
			o.TopK = 1 + random.IntN(len(row))
		}
		s := &search{options: o, banned: banned}
		s.pool(row)
		total, want := s.weigh(), naivePool(row, o, banned)
		if len(s.choices) != len(want) {
			t.Fatalf("%+v: %d of %d tokens, want %d", o, len(s.choices), len(row), len(want))
		}
		for i, c := range s.choices {
			if p, ok := want[c.token]; !ok || math.Abs(s.weights[i]/total-p) > 1e-9 {
				t.Fatalf("%+v: token %d with probability %g, want %g", o, c.token, s.weights[i]/total, p)
			}
		}
		if o.TopK == 0 && len(want) > 600 {
			large++
		}
	}
	if large == 0 {
		t.Error("no nucleus was large")
	}
}

// TestDraws compares frequencies with probabilities.
func TestDraws(t *testing.T) {
	const draws = 50_000
	row := newTable(t, 9, 1, 12).row([]int{0})
	for name, o := range strategies() {
		if o.Strategy != Sample {
			continue
		}
		o.MaxLength, o.MinLength, o.NBest = 1, 1, draws // 3 and 5 are banned
		count := make([]float64, len(row))
		for _, h := range mustSearch(t, &scripted{prefill: [][]float32{row}}, o)[0] {
			count[h.Tokens[0]]++
		}
		want := naivePool(row, o, o.StopTokens)
		for token, n := range count {
			p := want[token]
			if deviation := math.Sqrt(draws * p * (1 - p)); math.Abs(n-draws*p) > 5*deviation {
				t.Errorf("%s: token %d came %g times of %d, its probability is %g", name, token, n, draws, p)
			}
		}
	}
}

// TestDrawsAreIndependent: neighbours of a seed, of a sequence and of a draw do not
// follow one another.
func TestDrawsAreIndependent(t *testing.T) {
	const seeds, sequences, draws = 30, 30, 30
	o := Options{NBest: draws}
	values := make(map[[2]uint64]float64) // by effective seed and draw
	for o.Seed = 0; o.Seed < seeds; o.Seed++ {
		for i := range sequences {
			for j, s := range o.samples(i) {
				values[[2]uint64{o.Seed + uint64(i), uint64(j)}] = s.random.Float64()
			}
		}
	}
	for _, step := range [][2]uint64{{1, 0}, {0, 1}, {1, 1}} {
		sum, n := 0.0, 0.0
		for key, x := range values {
			if y, ok := values[[2]uint64{key[0] + step[0], key[1] + step[1]}]; ok {
				sum += 12 * (x - 0.5) * (y - 0.5)
				n++
			}
		}
		if correlation := sum / n; math.Abs(correlation) > 5/math.Sqrt(n) {
			t.Errorf("draws %v apart have the correlation %g", step, correlation)
		}
	}
}
