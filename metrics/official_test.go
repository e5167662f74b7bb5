package metrics

import (
	"encoding/json"
	"math"
	"os"
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

// The official tokenizer prints how many tokens it made, with one for each
// line's end.
func TestTokenTotals(t *testing.T) {
	samples := magic(t)
	var expected map[string]json.RawMessage
	readJSON(t, &expected, "fixtures", "metrics", "expected_official.json")
	var want struct {
		References int `json:"ptb_tokens_refs_incl_newlines"`
		Candidates int `json:"ptb_tokens_hyps_incl_newlines"`
	}
	const key = "magic_mscoco_magic_result.json (official, MAGIC evaluation_result.png)"
	if err := json.Unmarshal(expected[key], &want); err != nil {
		t.Fatal(err)
	}
	references, candidates := 0, 0
	for _, s := range samples {
		candidates += 1 + len(scanAll(s.Candidate, nil))
		for _, r := range s.References {
			references += 1 + len(scanAll(r, nil))
		}
	}
	t.Logf("references %d (official %d), candidates %d (%d)", references, want.References, candidates, want.Candidates)
}
