package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestGramCounter holds that a counter counts as one without limit does, however
// little fits in memory, and that it hands out its counts in order.
func TestGramCounter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	grams := make([]gram, 20_000)
	want := map[gram]int{}
	for i := range grams {
		grams[i] = mix(gram(random.IntN(6000)))
		want[grams[i]]++
	}
	for _, limit := range []int{1, 10, 999, len(want), len(want) + 1} {
		c := newGramCounter(limit)
		if err := c.add(grams); err != nil {
			t.Fatal(err)
		}
		if spilled := len(c.runs) > 0; spilled != (limit < len(want)) {
			t.Errorf("limit %d: spilled %v", limit, spilled)
		}
		var got []gramCount
		err := c.sorted(func(counts []gramCount) error {
			got = append(got, counts...)
			return nil
		})
		if err != nil || !slices.Equal(got, sortedCounts(want, math.MaxInt)) {
			t.Errorf("limit %d: %d counts, want %d, %v", limit, len(got), len(want), err)
		}
		if err := c.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestDocumentCounter holds that CIDEr is the same, to the bit, whether its document
// frequencies fit in memory or not, and in whatever portions the samples come.
func TestDocumentCounter(t *testing.T) {
	samples := randomTokens(5, 300, 3)
	want := CIDErD(samples, nil)
	for _, limit := range []int{50, 1000, 1 << 20} {
		counter := DocumentCounter{grams: newGramCounter(limit)}
		for portion := range slices.Chunk(samples, 70) {
			if err := counter.Add(portion); err != nil {
				t.Fatal(err)
			}
		}
		var got []float64
		for portion := range slices.Chunk(samples, 41) {
			df, err := counter.Frequencies(portion)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, CIDErD(portion, df).Images...)
		}
		if !slices.Equal(got, want.Images) {
			t.Errorf("limit %d: other scores than with all in memory", limit)
		}
		if err := counter.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCountersOfMAGIC holds the same of published captions.
func TestCountersOfMAGIC(t *testing.T) {
	tokens := TokenizeAll(magic(t))
	counter := DocumentCounter{grams: newGramCounter(30_000)}
	if err := counter.Add(tokens); err != nil {
		t.Fatal(err)
	}
	df, err := counter.Frequencies(tokens)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := CIDErD(tokens, df), CIDErD(tokens, nil); !slices.Equal(got.Images, want.Images) {
		t.Error("CIDEr changes where document frequencies go through a file")
	}
	var captions [][]string
	for _, s := range tokens {
		captions = append(captions, s.Candidate)
	}
	distinct := DistinctCounter{n: 2, grams: newGramCounter(1000)}
	if err := distinct.Add(captions); err != nil {
		t.Fatal(err)
	}
	got, err := distinct.Share()
	if want := Distinct(captions, 2); err != nil || got != want {
		t.Errorf("distinct-2 is %g, want %g, %v", got, want, err)
	}
}

// TestCounterWithoutDisk holds that a full disk is an error.
func TestCounterWithoutDisk(t *testing.T) {
	t.Setenv("TMPDIR", "no such folder")
	counter := DocumentCounter{grams: newGramCounter(100_000)}
	random := rand.New(rand.NewPCG(2, 2))
	for range 100 {
		grams := make([]gram, 10_000)
		for i := range grams {
			grams[i] = gram(random.Uint64())
		}
		if err := counter.grams.add(grams); err != nil {
			return
		}
	}
	t.Error("a million n-grams found room without a disk")
}
