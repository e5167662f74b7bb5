package metrics

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// wordsOf makes a sample from captions without punctuation.
func wordsOf(candidate string, references ...string) Tokens {
	t := Tokens{Candidate: strings.Fields(candidate)}
	for _, r := range references {
		t.References = append(t.References, strings.Fields(r))
	}
	return t
}

// randomTokens makes captions of 4 to 12 words out of few, so that n-grams are
// shared.
func randomTokens(seed uint64, images, references int) []Tokens {
	random := rand.New(rand.NewPCG(seed, 1))
	caption := func() []string {
		words := make([]string, 4+random.IntN(9))
		for i := range words {
			words[i] = fmt.Sprint("w", random.IntN(9))
		}
		return words
	}
	samples := make([]Tokens, images)
	for i := range samples {
		samples[i] = Tokens{ID: fmt.Sprint(i), Candidate: caption()}
		for range references {
			samples[i].References = append(samples[i].References, caption())
		}
	}
	return samples
}

// all returns the metrics whose per-image scores are compared.
func all(samples []Tokens) []Scores {
	bleu := BLEU(samples)
	return append(bleu.Scores[:], ROUGEL(samples), CIDErD(samples, nil))
}

func TestReferenceAsCandidateIsMaximal(t *testing.T) {
	samples := randomTokens(1, 200, 1)
	best := slices.Clone(samples)
	for i := range best {
		best[i].Candidate = best[i].References[0]
	}
	maxima := map[string]float64{"rouge_l": 1, "cider": 10}
	others := all(samples)
	for k, scores := range all(best) {
		want, ok := maxima[scores.Name]
		if !ok {
			want = 1 // BLEU
		}
		for i, score := range scores.Images {
			if math.Abs(score-want) > 1e-8 {
				t.Errorf("%s of image %d is %g, want %g", scores.Name, i, score, want)
			}
			if others[k].Images[i] > score {
				t.Errorf("%s of image %d: %g for another caption, %g for the reference", scores.Name, i, others[k].Images[i], score)
			}
		}
		if math.Abs(scores.Corpus-want) > 1e-8 {
			t.Errorf("%s is %g, want %g", scores.Name, scores.Corpus, want)
		}
	}
}

func TestReferenceOrderDoesNotMatter(t *testing.T) {
	samples := randomTokens(2, 100, 5)
	reversed := slices.Clone(samples)
	for i := range reversed {
		reversed[i].References = slices.Clone(reversed[i].References)
		slices.Reverse(reversed[i].References)
	}
	other := all(reversed)
	for k, scores := range all(samples) {
		for i, score := range scores.Images {
			if math.Abs(score-other[k].Images[i]) > 1e-12 {
				t.Errorf("%s of image %d: %g, %g with its references reversed", scores.Name, i, score, other[k].Images[i])
			}
		}
	}
}

func TestBLEUCountsAddUp(t *testing.T) {
	samples := randomTokens(3, 60, 3)
	bleu := BLEU(samples)
	var chosen []Tokens
	var sum BLEUCounts
	for i, times := range map[int]int{5: 3, 0: 1, 17: 1, 59: 1, 23: 2} {
		chosen = append(chosen, slices.Repeat(samples[i:i+1], times)...)
		sum.Add(bleu.Images[i], times)
	}
	again := BLEU(chosen)
	for n, got := range sum.Scores() {
		if want := again.Scores[n].Corpus; got != want {
			t.Errorf("bleu%d of chosen images is %g, want %g", n+1, got, want)
		}
	}
}

// By hand: of two references equally far, the shorter counts, and n-grams count
// as often as the reference that has them most often.
func TestBLEUByHand(t *testing.T) {
	bleu := BLEU([]Tokens{wordsOf("a a a b", "a b", "a a c d e f")})
	if bleu.ReferenceLength != 2 {
		t.Errorf("reference length %d, want 2", bleu.ReferenceLength)
	}
	if want := [maxOrder]int{3, 2, 0, 0}; bleu.Correct != want {
		t.Errorf("correct %v, want %v", bleu.Correct, want)
	}
	if want := [maxOrder]int{4, 3, 2, 1}; bleu.Guesses != want {
		t.Errorf("guesses %v, want %v", bleu.Guesses, want)
	}
	short := BLEU([]Tokens{wordsOf("a b c", "a b c d e f")})
	if got, want := short.Scores[0].Corpus, math.Exp(1-6.0/3); math.Abs(got-want) > 1e-8 {
		t.Errorf("bleu1 of half the reference is %g, want %g", got, want)
	}
}

// The greatest precision and the greatest recall may be those of different
// references, so that the score exceeds that of each reference alone.
func TestROUGEMaximaAreTakenApart(t *testing.T) {
	const short, long = "a cat", "a dog sits on the red mat by the door with a bone"
	candidate := "a dog sits on a mat"
	of := func(references ...string) float64 {
		return ROUGEL([]Tokens{wordsOf(candidate, references...)}).Corpus
	}
	// The long one: common "a dog sits on mat", P = 5/6, R = 5/13. The short one:
	// common "a", P = 1/6, R = 1/2.
	const beta2, p, r = 1.2 * 1.2, 5.0 / 6, 1.0 / 2
	if got, want := of(short, long), (1+beta2)*p*r/(r+beta2*p); math.Abs(got-want) > 1e-12 {
		t.Errorf("both references: %g, want %g", got, want)
	}
	if both, one := of(short, long), max(of(short), of(long)); both <= one {
		t.Errorf("both references give %g, one alone %g", both, one)
	}
}

// The official code splits at single spaces, which makes one empty token of an
// empty caption.
func TestROUGEOfEmptyCaptions(t *testing.T) {
	for _, c := range []struct {
		candidate, reference string
		want                 float64
	}{{"", "", 1}, {"", "a dog", 0}, {"a dog", "", 0}} {
		if got := ROUGEL([]Tokens{wordsOf(c.candidate, c.reference)}).Corpus; got != c.want {
			t.Errorf("%q against %q: %g, want %g", c.candidate, c.reference, got, c.want)
		}
	}
}

// One image has all n-grams in all documents, whose inverse frequency is
// log 1 = 0: a perfect caption scores 0 (coco-caption's issue 9).
func TestCIDErOfOneImageIsZero(t *testing.T) {
	one := []Tokens{wordsOf("a dog on a mat", "a dog on a mat")}
	if got := CIDErD(one, nil).Corpus; got != 0 {
		t.Errorf("one image scores %g, want 0", got)
	}
	two := append(one, wordsOf("cats eat red fish", "cats eat red fish"))
	if got := CIDErD(two, nil).Corpus; math.Abs(got-10) > 1e-9 {
		t.Errorf("two images score %g, want 10", got)
	}
}

// The official code takes the number of bigrams for the length. That matters at
// the end of the scale only: no word and one word are equally long.
func TestCIDErLengthIsBigrams(t *testing.T) {
	var v tfidf
	for words, want := range []int{0, 0, 1, 2} {
		v.profile.fill(slices.Repeat([]string{"w"}, words))
		if got := v.bigrams(); got != want {
			t.Errorf("%d words are %d long, want %d", words, got, want)
		}
	}
	// A candidate of one word among four: 3 bigrams apart, not 3 words, and all
	// similarity is that of its unigram: 1/2 = 1/√4 of words equally rare.
	samples := []Tokens{wordsOf("dog", "a dog sits here"), wordsOf("x", "y")}
	want := 10.0 / 4 / 2 * math.Exp(-3*3/(2*6*6.0))
	if got := CIDErD(samples, nil).Images[0]; math.Abs(got-want) > 1e-12 {
		t.Errorf("%g, want %g", got, want)
	}
}

func TestSamplesWithoutReferencesScoreNothing(t *testing.T) {
	for _, candidate := range []string{"", "a dog sits here"} {
		samples := []Tokens{{Candidate: strings.Fields(candidate)}, wordsOf("a cat", "a cat")}
		for _, scores := range all(samples) {
			if got := scores.Images[0]; got > 1e-3 || math.IsNaN(got) {
				t.Errorf("%q: %s is %g, want 0", candidate, scores.Name, got)
			}
		}
	}
}

func TestDocumentFrequencyFile(t *testing.T) {
	samples := randomTokens(4, 50, 3)
	var file bytes.Buffer
	if err := WriteDocumentFrequencies(&file, samples); err != nil {
		t.Fatal(err)
	}
	df, err := ReadDocumentFrequencies(&file)
	if err != nil {
		t.Fatal(err)
	}
	want, got := CIDErD(samples, nil), CIDErD(samples, df)
	if !slices.Equal(want.Images, got.Images) {
		t.Error("the scores change with the file of the same frequencies")
	}
	for _, bad := range []string{
		"", "[]", `{"images": 0, "document_frequencies": {"a": 1}}`, `{"images": 5}`,
		`{"images": 5, "document_frequencies": {"a b c d e": 1}}`,
		`{"images": 5, "document_frequencies": {"a": -1}}`,
	} {
		if _, err := ReadDocumentFrequencies(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is taken for document frequencies", bad)
		}
	}
}

func FuzzReadDocumentFrequencies(f *testing.F) {
	f.Add([]byte(`{"images": 2, "document_frequencies": {"a": 1, "a b": 2}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		df, err := ReadDocumentFrequencies(bytes.NewReader(data))
		if err != nil {
			return
		}
		score := CIDErD([]Tokens{wordsOf("a b", "a b", "b a")}, df).Corpus
		if math.IsNaN(score) || math.IsInf(score, 0) {
			t.Errorf("%q: CIDEr is %g", data, score)
		}
	})
}
