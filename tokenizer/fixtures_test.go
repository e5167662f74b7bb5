package tokenizer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/tokenizer"
)

// fixtures returns the folder of real vocabularies and vectors, or skips the test.
func fixtures(t testing.TB) string {
	t.Helper()
	return golden.Shared(t, "fixtures", "tokenizers")
}

func open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// real reads a published tokenizer from the fixtures.
func real(t testing.TB, style tokenizer.Style) *tokenizer.BPE {
	t.Helper()
	dir := fixtures(t)
	var bpe *tokenizer.BPE
	var err error
	if style == tokenizer.CLIP {
		bpe, err = tokenizer.ReadCLIP(open(t, filepath.Join(dir, "bpe_simple_vocab_16e6.txt.gz")))
	} else {
		bpe, err = tokenizer.Read(
			open(t, filepath.Join(dir, string(style)+"_vocab.json")),
			open(t, filepath.Join(dir, string(style)+"_merges.txt")))
	}
	if err != nil {
		t.Fatal(err)
	}
	if bpe.Style() != style {
		t.Fatalf("style is %s, want %s", bpe.Style(), style)
	}
	return bpe
}

// vector is one text with the ids that the reference implementations give it.
type vector struct {
	Text    string  `json:"text"`
	GPT2    []int   `json:"gpt2"`
	RoBERTa []int32 `json:"roberta"` // with <s> and </s>
	CLIP    []int   `json:"clip"`    // small file: with start and end
	CLIP77  []int   `json:"clip77"`
}

func readVectors(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures(t), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func TestFixtures(t *testing.T) {
	gpt2, roberta, clip := real(t, tokenizer.GPT2), real(t, tokenizer.RoBERTa), real(t, tokenizer.CLIP)
	var vectors []vector
	readVectors(t, "tokenizer_vectors.json", &vectors)
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		if got := gpt2.Encode(v.Text); !slices.Equal(got, v.GPT2) {
			t.Errorf("gpt2 %q:\n got %v\nwant %v", v.Text, got, v.GPT2)
		}
		if got := gpt2.Decode(v.GPT2); got != v.Text {
			t.Errorf("gpt2 decodes %q as %q", v.Text, got)
		}
		got, err := roberta.Context(v.Text, len(v.RoBERTa), false)
		if err != nil || !slices.Equal(got, v.RoBERTa) {
			t.Errorf("roberta %q: %v\n got %v\nwant %v", v.Text, err, got, v.RoBERTa)
		}
		ids := make([]int, len(v.RoBERTa))
		for i, id := range v.RoBERTa {
			ids[i] = int(id)
		}
		if got := roberta.Decode(ids); got != v.Text {
			t.Errorf("roberta decodes %q as %q", v.Text, got)
		}
		if v.CLIP == nil {
			continue // the file says why, for the one text
		}
		got, err = clip.Context(v.Text, len(v.CLIP), false)
		if err != nil || !slices.Equal(widen(got), v.CLIP) {
			t.Errorf("clip %q: %v\n got %v\nwant %v", v.Text, err, got, v.CLIP)
		}
	}
}

func TestFixturesLarge(t *testing.T) {
	gpt2, clip := real(t, tokenizer.GPT2), real(t, tokenizer.CLIP)
	var file struct{ Vectors []vector }
	readVectors(t, "tokenizer_vectors_large.json", &file)
	if len(file.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range file.Vectors {
		if got := gpt2.Encode(v.Text); !slices.Equal(got, v.GPT2) {
			t.Errorf("gpt2 %q:\n got %v\nwant %v", v.Text, got, v.GPT2)
		}
		if got := gpt2.Decode(v.GPT2); got != v.Text {
			t.Errorf("gpt2 decodes %q as %q", v.Text, got)
		}
		if tokenizer.IsRepaired(v.Text) {
			// These vectors were made without ftfy, which OpenAI's tokenizer runs.
			if got := tokenizer.EncodeUnrepaired(clip, v.Text); !slices.Equal(got, v.CLIP) {
				t.Errorf("clip without ftfy %q:\n got %v\nwant %v", v.Text, got, v.CLIP)
			}
			continue
		}
		if got := clip.Encode(v.Text); !slices.Equal(got, v.CLIP) {
			t.Errorf("clip %q:\n got %v\nwant %v", v.Text, got, v.CLIP)
		}
		// clip77 is not padded.
		want := append(slices.Clone(v.CLIP77), make([]int, 77-len(v.CLIP77))...)
		if got, err := clip.Context(v.Text, 77, true); err != nil || !slices.Equal(widen(got), want) {
			t.Errorf("clip77 %q: %v\n got %v\nwant %v", v.Text, err, got, want)
		}
	}
}

// TestFixturesDifferences pins where CLIP's ids part from vectors made without ftfy:
// only where the text has what ftfy replaces.
func TestFixturesDifferences(t *testing.T) {
	clip := real(t, tokenizer.CLIP)
	var file struct{ Vectors []vector }
	readVectors(t, "tokenizer_vectors_large.json", &file)
	same := map[string]string{"don’t curly": "don't curly", "ﬁ ligature": "fi ligature", "\x01control": "control"}
	for _, v := range file.Vectors {
		plain, known := same[v.Text]
		if differs := !slices.Equal(clip.Encode(v.Text), v.CLIP); differs != known {
			t.Errorf("clip %q: differs from the vector: %t, want %t", v.Text, differs, known)
		}
		if known && !slices.Equal(clip.Encode(v.Text), clip.Encode(plain)) {
			t.Errorf("clip reads %q as %q", v.Text, clip.Decode(clip.Encode(v.Text)))
		}
	}
}

func TestSaveReal(t *testing.T) {
	for _, style := range []tokenizer.Style{tokenizer.GPT2, tokenizer.RoBERTa, tokenizer.CLIP} {
		saveAndOpen(t, real(t, style))
	}
}

func widen(ids []int32) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = int(id)
	}
	return out
}
