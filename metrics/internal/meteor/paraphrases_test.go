package meteor

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
)

const pairs = "0.5\na couple of\ntwo\n" + "0.01\nriding a bike\ncycling\n" + "0.2\nnever seen\nunheard of\n"

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestParaphrases holds that phrases match in both directions, and against
// single words.
func TestParaphrases(t *testing.T) {
	candidate, reference := strings.Fields("two dogs cycling"), strings.Fields("a couple of dogs riding a bike")
	texts := slices.Values([][]string{candidate, reference})
	table, err := ReadParaphrases(bytes.NewReader(zipped(t, pairs)), texts)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.pairs) != 2 {
		t.Errorf("%d phrases are kept, want the 2 whose words occur", len(table.pairs))
	}
	for _, tt := range []struct{ candidate, reference []string }{{candidate, reference}, {reference, candidate}} {
		s := NewAligner(table).Best(tt.candidate, [][]string{tt.reference})
		if !s.isPerfect() {
			t.Errorf("%q and %q: %v, want all matched in one chunk", tt.candidate, tt.reference, s)
		}
		if got, want := matchedBy(s, paraphrase), len(tt.candidate)-1; got != want {
			t.Errorf("%q: %d words match as paraphrases, want %d", tt.candidate, got, want)
		}
	}
}

func TestReadParaphrasesErrors(t *testing.T) {
	whole := zipped(t, pairs)
	for _, tt := range []struct {
		what string
		data []byte
		want string
	}{
		{"no gzip", []byte(pairs), "invalid header"},
		{"cut off", whole[:len(whole)-9], "unexpected EOF"},
		{"half a pair", zipped(t, "0.5\na\n"), "after line 2"},
		{"an empty line", zipped(t, "0.5\n\nb\n"), "line 2 is empty"},
		{"a huge line", zipped(t, "0.5\n"+strings.Repeat("a", 1<<17)), "line 2: "},
	} {
		_, err := ReadParaphrases(bytes.NewReader(tt.data), slices.Values([][]string{{"a", "b"}}))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.what, err, tt.want)
		}
	}
}

func FuzzReadParaphrases(f *testing.F) {
	f.Add(zipped(f, pairs))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text := strings.Fields("a couple of dogs cycling")
		table, err := ReadParaphrases(bytes.NewReader(data), slices.Values([][]string{text}))
		if err != nil {
			return
		}
		if got := NewAligner(table).Best(text, [][]string{text[1:]}).Score(); !(got >= 0 && got <= 1) {
			t.Errorf("score %g", got)
		}
	})
}
