package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestCLIPScores(t *testing.T) {
	images := [][]float32{{3, 0}, {1, 0}, {1, 0}, {0, 0}}
	candidates := [][]float32{{0.6, 0.8}, {-1, 0}, {0, 2}, {1, 1}}
	references := [][][]float32{{{0, 1}, {6, 8}}, {{-1, 0}}, {{0, -1}}, {{1, 1}}}
	for _, c := range []struct {
		clip, name, refName string
		want, refWant       []float64
	}{
		{CLIPScoreModel, "clipscore", "refclipscore",
			[]float64{1.5, 0, 0, 0}, []float64{2 * 1.5 * 1 / 2.5, 0, 0, 0}},
		{"RN50x4", "clip_similarity (RN50x4)", "ref_clip_similarity (RN50x4)",
			[]float64{0.6, -1, 0, 0}, []float64{2 * 0.6 * 1 / 1.6, 0, 0, 0}},
	} {
		scores, err := CLIPScores(c.clip, images, candidates)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := RefCLIPScores(c.clip, images, candidates, references)
		if err != nil {
			t.Fatal(err)
		}
		if scores.Name != c.name || ref.Name != c.refName {
			t.Errorf("names %q and %q, want %q and %q", scores.Name, ref.Name, c.name, c.refName)
		}
		for i := range images {
			if math.Abs(scores.Images[i]-c.want[i]) > 1e-7 {
				t.Errorf("%s of image %d is %g, want %g", c.name, i, scores.Images[i], c.want[i])
			}
			if math.Abs(ref.Images[i]-c.refWant[i]) > 1e-7 {
				t.Errorf("%s of image %d is %g, want %g", c.refName, i, ref.Images[i], c.refWant[i])
			}
		}
	}
}

// The cosine with a reference is not clipped in the official code: a candidate
// far from its references goes below zero.
func TestRefCLIPScoreIsNotClipped(t *testing.T) {
	ref, err := RefCLIPScores(CLIPScoreModel, [][]float32{{1, 0}}, [][]float32{{1, 0}}, [][][]float32{{{-1, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * 2.5 * -1 / (2.5 - 1); math.Abs(ref.Corpus-want) > 1e-7 {
		t.Errorf("%g, want %g", ref.Corpus, want)
	}
}

func TestEmbeddingsThatDoNotFit(t *testing.T) {
	two, one, wide := [][]float32{{1}, {1}}, [][]float32{{1}}, [][]float32{{1}, {1, 2}}
	for _, c := range []struct{ images, candidates [][]float32 }{{two, one}, {two, wide}, {wide, two}} {
		if _, err := CLIPScores("x", c.images, c.candidates); err == nil {
			t.Errorf("clipscore of %v and %v", c.images, c.candidates)
		}
		if _, err := SelfRetrieval(c.images, c.candidates); err == nil {
			t.Errorf("self-retrieval of %v and %v", c.images, c.candidates)
		}
	}
	for _, references := range [][][][]float32{nil, {{}}, {{{1, 2}}}} {
		if _, err := RefCLIPScores("x", one, one, references); err == nil {
			t.Errorf("refclipscore with references %v", references)
		}
	}
}

func TestSelfRetrieval(t *testing.T) {
	images := [][]float32{{1, 0, 0}, {0, 5, 0}, {0, 0, 1}, {1, 1, 0}, {1, 0, 1}, {0, 1, 1}, {-1, 0, 0}}
	candidates := [][]float32{{1, 0.1, 0.1}, {0, 1, 0}, {0, 0, 9}, {1, 1, 1}, {-1, 0, -1}, {0, 3, 3}, {0, 1, 0}}
	// The fourth is as near to three images, the fifth points away from its own,
	// and the seventh is as near to its own as to three others and nearer to three.
	want := []int{1, 1, 1, 3, 7, 1, 7}
	got, err := SelfRetrieval(images, candidates)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got.Ranks) != fmt.Sprint(want) {
		t.Errorf("ranks %v, want %v", got.Ranks, want)
	}
	if got.R1.Corpus != 4.0/7 || got.R5.Corpus != 5.0/7 {
		t.Errorf("r@1 %g, r@5 %g; want 4/7 and 5/7", got.R1.Corpus, got.R5.Corpus)
	}
	same := [][]float32{{1}, {1}, {1}, {1}, {1}, {1}}
	if got, err = SelfRetrieval(same, same); err != nil || got.R5.Corpus != 0 {
		t.Errorf("of embeddings all the same, r@5 is %g (%v), want 0", got.R5.Corpus, err)
	}
}

func BenchmarkSelfRetrieval(b *testing.B) {
	const images, width = 1000, 512
	random := rand.New(rand.NewPCG(1, 1))
	vectors := make([][]float32, images)
	for i := range vectors {
		vectors[i] = make([]float32, width)
		for j := range vectors[i] {
			vectors[i][j] = float32(random.NormFloat64())
		}
	}
	for b.Loop() {
		if _, err := SelfRetrieval(vectors, vectors); err != nil {
			b.Fatal(err)
		}
	}
}
