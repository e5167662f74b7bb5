package metrics

import (
	"bytes"
	"compress/gzip"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestMETEORMAGIC compares with what METEOR gives for MAGIC's captions without
// the table of paraphrases, which lifts it to the published 0.174.
func TestMETEORMAGIC(t *testing.T) {
	got := METEOR(TokenizeAll(magic(t)), nil)
	const want, tolerance = 0.1684, 0.0005
	t.Logf("%s: %.5f", got.Name, got.Corpus)
	if math.Abs(got.Corpus-want) > tolerance {
		t.Errorf("%s is %.5f, want %.4f within %g", got.Name, got.Corpus, want, tolerance)
	}
	if want := "meteor (exact+stem+synonym)"; got.Name != want {
		t.Errorf("the name is %q, want %q", got.Name, want)
	}
}

// TestMETEORExample compares with the official numbers of CLIPScore's example,
// which show that the corpus score is not the mean.
func TestMETEORExample(t *testing.T) {
	var expected map[string]struct {
		METEOR float64 `json:"METEOR"`
	}
	readJSON(t, &expected, "fixtures", "metrics", "expected_official.json")
	for _, which := range []string{"good", "bad"} {
		got := METEOR(TokenizeAll(clipscoreExample(t, which)), nil)
		want := expected["clipscore_example_"+which].METEOR
		if math.Round(got.Corpus*1e4) != math.Round(want*1e4) {
			t.Errorf("%s: %.5f, want %.4f", which, got.Corpus, want)
		}
		if mean := (got.Images[0] + got.Images[1]) / 2; math.Abs(mean-got.Corpus) < 1e-4 {
			t.Errorf("%s: the mean is %.5f too", which, mean)
		}
	}
}

// clipscoreExample returns the samples of CLIPScore's README, with its "good"
// or "bad" captions.
func clipscoreExample(t *testing.T, which string) []Sample {
	t.Helper()
	var captions map[string]string
	var references map[string][]string
	readJSON(t, &captions, "fixtures", "clipscore", which+"_captions.json")
	readJSON(t, &references, "fixtures", "clipscore", "refs.json")
	var samples []Sample
	for id, caption := range captions {
		samples = append(samples, Sample{id, caption, references[id]})
	}
	return samples
}

func meteorSamples() []Tokens {
	sample := func(candidate string, references ...string) Tokens {
		s := Tokens{Candidate: strings.Fields(candidate)}
		for _, r := range references {
			s.References = append(s.References, strings.Fields(r))
		}
		return s
	}
	return []Tokens{
		sample("a dog runs on the grass", "a brown dog is running over grass", "the dog plays", "dog"),
		sample("two kids ride bikes", "a couple of children on bicycles", "kids riding a bike"),
		sample("a man", "a woman with an umbrella", "a person", "a man"),
	}
}

func TestMETEORScoreOfSums(t *testing.T) {
	samples := meteorSamples()
	r := METEOR(samples, nil)
	of := func(indices ...int) float64 {
		var sum METEORStatistics
		for _, i := range indices {
			sum.Add(r.Statistics[i], 1)
		}
		return sum.Score()
	}
	if got := of(0, 1, 2); got != r.Corpus {
		t.Errorf("all images score %g, want %g", got, r.Corpus)
	}
	twice := METEOR([]Tokens{samples[1], samples[0], samples[1]}, nil)
	if got := of(1, 0, 1); got != twice.Corpus {
		t.Errorf("images 1, 0 and 1 score %g, want %g", got, twice.Corpus)
	}
	if got := of(); got != 0 {
		t.Errorf("no image scores %g, want 0", got)
	}
}

func TestMETEORProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	samples := meteorSamples()
	want := METEOR(samples, nil)
	for i := range samples {
		random.Shuffle(len(samples[i].References), func(a, b int) {
			r := samples[i].References
			r[a], r[b] = r[b], r[a]
		})
	}
	if got := METEOR(samples, nil); !slices.Equal(got.Images, want.Images) {
		t.Errorf("with references shuffled: %v, want %v", got.Images, want.Images)
	}
	for i := range samples {
		samples[i].References = append(samples[i].References, samples[i].Candidate)
	}
	if got := METEOR(samples, nil); got.Corpus != 1 || slices.Min(got.Images) != 1 {
		t.Errorf("captions against themselves score %v, in all %g, want 1", got.Images, got.Corpus)
	}
	lonely := []Tokens{{Candidate: []string{"a"}}, {References: [][]string{{"a"}, {}}}}
	if got := METEOR(lonely, nil); !slices.Equal(got.Images, []float64{0, 0}) || got.Corpus != 0 {
		t.Errorf("without references and without a caption: %v, in all %g, want 0", got.Images, got.Corpus)
	}
}

func TestMETEORParaphrases(t *testing.T) {
	var table bytes.Buffer
	z := gzip.NewWriter(&table)
	if _, err := z.Write([]byte("0.5\na couple of\ntwo\n0.5\nnot\nhere\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	samples := meteorSamples()
	paraphrases, err := ReadMETEORParaphrases(&table, samples)
	if err != nil {
		t.Fatal(err)
	}
	with, without := METEOR(samples, paraphrases), METEOR(samples, nil)
	if with.Images[1] <= without.Images[1] || with.Images[0] != without.Images[0] {
		t.Errorf("with paraphrases: %v, want more than %v for the second image alone", with.Images, without.Images)
	}
	if want := "meteor (exact+stem+synonym+paraphrase)"; with.Name != want {
		t.Errorf("the name is %q, want %q", with.Name, want)
	}
	if _, err := ReadMETEORParaphrases(strings.NewReader("no table"), samples); err == nil {
		t.Error("a text that is no table is read without an error")
	}
}

func BenchmarkMETEOR(b *testing.B) {
	samples := TokenizeAll(magic(b))
	b.ReportAllocs()
	for b.Loop() {
		METEOR(samples, nil)
	}
	b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "captions/s")
}
