package metrics

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
)

// official are the numbers that the official tools printed.
type official struct {
	TestLength int           `json:"testlen"`
	RefLength  int           `json:"reflen"`
	Guess      [maxOrder]int `json:"guess"`
	Correct    [maxOrder]int `json:"correct"`
	BLEU1      float64       `json:"Bleu_1"`
	BLEU2      float64       `json:"Bleu_2"`
	BLEU3      float64       `json:"Bleu_3"`
	BLEU4      float64       `json:"Bleu_4"`
	ROUGEL     float64       `json:"ROUGE_L"`
	CIDEr      float64       `json:"CIDEr"`
}

func readJSON(t testing.TB, value any, elem ...string) {
	t.Helper()
	data, err := os.ReadFile(golden.Shared(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatal(err)
	}
}

// readExpected reads what the official tools printed for the one experiment
// whose name begins so.
func readExpected(t testing.TB, value any, name string) {
	t.Helper()
	var experiments map[string]json.RawMessage
	readJSON(t, &experiments, "fixtures", "metrics", "expected_official.json")
	for key, data := range experiments {
		if !strings.HasPrefix(key, name) {
			continue
		}
		if err := json.Unmarshal(data, value); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no experiment %s", name)
}

// magic returns MAGIC's captions of COCO's Karpathy test images.
func magic(t testing.TB) []Sample {
	t.Helper()
	var predictions map[string]map[string]string
	var references map[string][]string
	readJSON(t, &predictions, "data", "metric_check", "coco_karpathy_test_preds.json")
	readJSON(t, &references, "data", "metric_check", "coco_karpathy_test_refs.json")
	var samples []Sample
	for id, caption := range predictions["magic"] {
		samples = append(samples, Sample{id, caption, references[id]})
	}
	return samples
}

func TestMAGIC(t *testing.T) {
	samples := magic(t)
	var published struct {
		Official official `json:"official"`
	}
	readJSON(t, &published, "data", "metric_check", "published.json")
	want := published.Official
	tokens := TokenizeAll(samples)
	bleu := BLEU(tokens)
	const most = 3 // tokens that may be cut differently
	near := func(what string, got, want int) {
		t.Helper()
		t.Logf("%s: %d, official %d", what, got, want)
		if got-want > most || want-got > most {
			t.Errorf("%s: %d, want %d within %d", what, got, want, most)
		}
	}
	near("candidate length", bleu.CandidateLength, want.TestLength)
	near("reference length", bleu.ReferenceLength, want.RefLength)
	for n := range maxOrder {
		near("guesses", bleu.Guesses[n], want.Guess[n])
		near("correct", bleu.Correct[n], want.Correct[n])
	}
	printed := func(s Scores, want float64) {
		t.Helper()
		t.Logf("%s: %.5f, official %.3f", s.Name, s.Corpus, want)
		if math.Round(s.Corpus*1e3) != math.Round(want*1e3) {
			t.Errorf("%s: %.4f, want %.3f", s.Name, s.Corpus, want)
		}
	}
	for n, b := range [...]float64{want.BLEU1, want.BLEU2, want.BLEU3, want.BLEU4} {
		printed(bleu.Scores[n], b)
	}
	printed(ROUGEL(tokens), want.ROUGEL)
	printed(CIDErD(tokens, nil), want.CIDEr)
}

// The official tokenizer prints how many tokens it made of a file, newlines
// included. It reads captions as one text: "Nintendo Wii U." is followed by "A
// group", so it takes the U for a letter and not for an initial. Hence all are
// read here as one text too; one by one, the references have a token less.
func TestTokenTotals(t *testing.T) {
	var results []struct {
		Captions   []string `json:"captions"`
		Prediction string   `json:"prediction"`
	}
	readJSON(t, &results, "fixtures", "metrics", "magic_mscoco_magic_result.json")
	var want struct {
		References int `json:"ptb_tokens_refs_incl_newlines"`
		Candidates int `json:"ptb_tokens_hyps_incl_newlines"`
	}
	readExpected(t, &want, "magic_mscoco_magic_result.json")
	var references, candidates []string
	for _, r := range results {
		references = append(references, r.Captions...)
		candidates = append(candidates, r.Prediction)
	}
	for _, file := range []struct {
		name     string
		captions []string
		want     int
	}{{"references", references, want.References}, {"candidates", candidates, want.Candidates}} {
		newlines := len(file.captions) - 1
		if got := newlines + len(scanAll(strings.Join(file.captions, "\n"), nil)); got != file.want {
			t.Errorf("%s: %d tokens and newlines, want %d", file.name, got, file.want)
		}
		single := newlines
		for _, caption := range file.captions {
			single += len(scanAll(caption, nil))
		}
		t.Logf("%s: %d tokens and newlines, read one by one %d", file.name, file.want, single)
	}
}

// The demonstration of coco-caption counts what its candidates have.
func TestFakeCaptionGuesses(t *testing.T) {
	var results []struct {
		Caption string `json:"caption"`
	}
	readJSON(t, &results, "fixtures", "metrics", "captions_val2014_fakecap_results.json")
	var want struct {
		Counts official `json:"bleu_counts"`
	}
	readExpected(t, &want, "coco_caption_demo_fakecap")
	samples := make([]Sample, len(results))
	for i, r := range results {
		samples[i].Candidate = r.Caption
	}
	bleu := BLEU(TokenizeAll(samples))
	if bleu.CandidateLength != want.Counts.TestLength {
		t.Errorf("%d tokens, want %d", bleu.CandidateLength, want.Counts.TestLength)
	}
	if bleu.Guesses != want.Counts.Guess {
		t.Errorf("guesses %v, want %v", bleu.Guesses, want.Counts.Guess)
	}
}

// The README of clipscore scores one good and one bad caption of two images.
func TestCLIPScoreExamples(t *testing.T) {
	type printed struct {
		BLEU1 float64 `json:"BLEU-1"`
		BLEU2 float64 `json:"BLEU-2"`
		BLEU3 float64 `json:"BLEU-3"`
		BLEU4 float64 `json:"BLEU-4"`
		ROUGE float64 `json:"ROUGE"`
		CIDEr float64 `json:"CIDER"`
	}
	var good, bad printed
	readExpected(t, &good, "clipscore_example_good")
	readExpected(t, &bad, "clipscore_example_bad")
	var references map[string][]string
	readJSON(t, &references, "fixtures", "clipscore", "refs.json")
	for file, want := range map[string]printed{"good_captions.json": good, "bad_captions.json": bad} {
		var captions map[string]string
		readJSON(t, &captions, "fixtures", "clipscore", file)
		var samples []Sample
		for id, caption := range captions {
			samples = append(samples, Sample{id, caption, references[id]})
		}
		tokens := TokenizeAll(samples)
		bleu := BLEU(tokens)
		for _, score := range []struct {
			got  Scores
			want float64
		}{
			{bleu.Scores[0], want.BLEU1}, {bleu.Scores[1], want.BLEU2},
			{bleu.Scores[2], want.BLEU3}, {bleu.Scores[3], want.BLEU4},
			{ROUGEL(tokens), want.ROUGE}, {CIDErD(tokens, nil), want.CIDEr},
		} {
			if math.Round(score.got.Corpus*1e4) != math.Round(score.want*1e4) {
				t.Errorf("%s: %s is %.6f, want %.4f", file, score.got.Name, score.got.Corpus, score.want)
			}
		}
	}
}

// BenchmarkMAGIC is BLEU, ROUGE-L and CIDEr-D of MAGIC's 4,982 captions and all
// their references, tokenizing included.
func BenchmarkMAGIC(b *testing.B) {
	samples := magic(b)
	b.ReportAllocs()
	for b.Loop() {
		score(samples)
	}
	b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "images/s")
}

func score(samples []Sample) (bleu BLEUResult, rougeL, cider Scores) {
	tokens := TokenizeAll(samples)
	return BLEU(tokens), ROUGEL(tokens), CIDErD(tokens, nil)
}
