package tokenizer_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/tokenizer"
)

// goodVocab is a vocab.json of one token a line, goodMerges the merges to it.
func goodVocab(t testing.TB) string {
	bpe := train(t, tokenizer.GPT2, 260)
	var b strings.Builder
	b.WriteString("{\n")
	for id := range bpe.Size() {
		token, err := json.Marshal(bpe.Token(id))
		if err != nil {
			t.Fatal(err)
		}
		number, _ := json.Marshal(id)
		b.Write(token)
		b.WriteString(": ")
		b.Write(number)
		if id+1 < bpe.Size() {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n")
	return b.String()
}

func TestReadErrors(t *testing.T) {
	good := goodVocab(t)
	const line2 = `"!": 0,`
	if !strings.Contains(good, line2) {
		t.Fatal("the vocabulary has another layout")
	}
	tests := []struct {
		name, vocab, merges, want string
	}{
		{"empty", "", "", "vocab.json: line 1"},
		{"array", "[1]", "", "vocab.json: line 1: want one JSON object"},
		{"cut", good[:len(good)/2], "", "vocab.json: line "},
		{"more", good + "{}", "", "more follows"},
		{"string id", strings.Replace(good, line2, `"!": "0",`, 1), "", `vocab.json: line 2: token "!" has id "0", want a whole number`},
		{"nested", strings.Replace(good, line2, `"!": {},`, 1), "", "vocab.json: line 2"},
		{"fraction", strings.Replace(good, line2, `"!": 0.5,`, 1), "", "want a whole number"},
		{"huge", strings.Replace(good, line2, `"!": 99999999999999999999,`, 1), "", "want a whole number"},
		{"negative", strings.Replace(good, line2, `"!": -1,`, 1), "", `line 2: token "!" has id -1`},
		{"gap", strings.Replace(good, line2, `"!": 1000,`, 1), "", `line 2: token "!" has id 1000`},
		{"same id", strings.Replace(good, line2, `"!": 7,`, 1), "", "share id 7"},
		{"same token", strings.Replace(good, `"\"": 1,`, `"!": 1,`, 1), "", `line 3: token "!" is on line 2 already`},
		{"no byte", strings.Replace(good, line2, `"!!": 0,`, 1), "", `vocab.json: token "!" is missing`},
		{"no merge", good, "#version: 0.2\na\n", "merges.txt: line 2"},
		{"three parts", good, "a b c\n", "merges.txt: line 1"},
		{"unknown part", good, "#version: 0.2\nzz a\n", `merges.txt: line 2: merges "zz", which is not in the vocabulary`},
		{"unknown result", good, "#version: 0.2\n\na q\n", `merges.txt: line 3: makes "aq", which is not in the vocabulary`},
	}
	for _, test := range tests {
		_, err := tokenizer.Read(strings.NewReader(test.vocab), strings.NewReader(test.merges))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := tokenizer.Read(strings.NewReader(good), strings.NewReader("#version: 0.2\r\n\r\n")); err != nil {
		t.Errorf("a list without merges: %v", err)
	}
	if _, err := tokenizer.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "vocab.json") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestReadSecondMerge(t *testing.T) {
	bpe := train(t, tokenizer.GPT2, 260)
	first := bpe.Token(256)
	if len([]rune(first)) != 2 {
		t.Fatalf("the first merge makes %q", first)
	}
	pair := string([]rune(first)[:1]) + " " + string([]rune(first)[1:])
	_, err := tokenizer.Read(strings.NewReader(goodVocab(t)), strings.NewReader(pair+"\n"+pair+"\n"))
	if err == nil || !strings.Contains(err.Error(), "merges.txt: line 2") || !strings.Contains(err.Error(), "second time") {
		t.Errorf("error %v", err)
	}
}

// endless is a file without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '\n'
	}
	return len(p), nil
}

func TestReadIsBounded(t *testing.T) {
	good := strings.NewReader(goodVocab(t))
	if _, err := tokenizer.Read(endless{}, strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("vocab without end: %v", err)
	}
	if _, err := tokenizer.Read(good, endless{}); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("merges without end: %v", err)
	}
	if _, err := tokenizer.ReadCLIP(endless{}); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("clip merges without end: %v", err)
	}
}

func TestReadCLIPErrors(t *testing.T) {
	for name, test := range map[string]struct{ file, want string }{
		"bad gzip": {"\x1f\x8bnot a gzip file", "bpe_simple_vocab_16e6.txt: gzip"},
		"twice":    {"name#version: 0.2\na b\na b\n", `line 3: makes "ab"`},
		"unknown":  {"name#version: 0.2\nab c\n", `line 2: merges "ab"`},
		"a byte":   {"name#version: 0.2\na </w>\n", `line 2: makes "a</w>"`},
	} {
		_, err := tokenizer.ReadCLIP(strings.NewReader(test.file))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
	bpe, err := tokenizer.ReadCLIP(strings.NewReader("name#version: 0.2\na b</w>\n"))
	if err != nil || bpe.Style() != tokenizer.CLIP || bpe.Size() != 515 {
		t.Fatalf("a list of one merge: %v", err)
	}
	if got := bpe.Encode("AB"); !slices.Equal(got, []int{512}) {
		t.Errorf("encodes %v", got)
	}
}

// TestLongWords encodes what would take hours if the time were quadratic.
func TestLongWords(t *testing.T) {
	gpt2, clip := train(t, tokenizer.GPT2, 300), train(t, tokenizer.CLIP, 600)
	for name, unit := range map[string]string{
		"one letter": "a", "word": "motorcycle", "spaces": " ", "entities": "&amp;", "nested": "amp;",
		"mojibake": "Ã©", "curly": "’", "bytes": "\xff", "digits": "12", "escapes": "\x1b[",
	} {
		text := "&" + strings.Repeat(unit, 1<<20/len(unit))
		if got := gpt2.Decode(gpt2.Encode(text)); got != text {
			t.Errorf("gpt2: %s comes back with %d bytes", name, len(got))
		}
		if len(clip.Encode(text)) == 0 {
			t.Errorf("clip: %s has no tokens", name)
		}
	}
}

func FuzzEncode(f *testing.F) {
	gpt2, clip := train(f, tokenizer.GPT2, 400), train(f, tokenizer.CLIP, 700)
	for _, text := range append(sentences, "", "\xff\xed\xa0\xbd", "&#x110000;&#1;&eacute", "â€œÃ©", "<|endoftext|>", "'S'ſ İΣ", strings.Repeat("ab", 50)) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ids := gpt2.Encode(text)
		if got := gpt2.Decode(ids); got != text {
			t.Errorf("%q comes back as %q", text, got)
		}
		ids = clip.Encode(text)
		for _, id := range ids {
			if id < 0 || id >= clip.Size() {
				t.Errorf("id %d of %d", id, clip.Size())
			}
		}
		if _, err := clip.Context(text, 77, true); err != nil {
			t.Error(err)
		}
		if text != "" {
			if short, long := tokenizer.MergeShort(gpt2, text), tokenizer.MergeLong(gpt2, text); !slices.Equal(short, long) {
				t.Errorf("%q: %v and %v", text, short, long)
			}
		}
	})
}

func FuzzOpen(f *testing.F) {
	good := goodVocab(f)
	f.Add(good, "#version: 0.2\n")
	f.Add(good[:100], "a b\n")
	f.Add(`{"a":0,}`, "")
	f.Add(`{"a":0 "b":1}`, "")
	f.Add(`{"\ud800":0}`, "")
	f.Fuzz(func(t *testing.T, vocab, merges string) {
		_, _ = tokenizer.ReadCLIP(strings.NewReader(merges))
		bpe, err := tokenizer.Read(strings.NewReader(vocab), strings.NewReader(merges))
		if err != nil {
			return
		}
		text := "a man on the moon\xff"
		if got := bpe.Decode(bpe.Encode(text)); bpe.Style() == tokenizer.GPT2 && got != text {
			t.Errorf("comes back as %q", got)
		}
	})
}

// FuzzVocab holds the reader of vocab.json against encoding/json: what it takes has the
// same members there, and what they are written as by it is read as the same.
func FuzzVocab(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":0}`, "{\n \"a\" : 1 ,\r\n\t\"b\":0}\n", `{"\u0120the":0,"\"":1,"\ud83d\ude00":2}`, `{"a":00}`, `{"a":0,}`, `{"a" 0}`, `{"\x":0}`, "{\"\xff\":0}", `{"a":0}{}`, "{\"\x01\":0}", `{"a`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		tokens, err := tokenizer.ReadVocab(strings.NewReader(file))
		var members map[string]int
		jsonErr := json.Unmarshal([]byte(file), &members)
		if err == nil && (jsonErr != nil || len(members) != len(tokens)) {
			t.Fatalf("%q read as %q, but by encoding/json as %v, %v", file, tokens, members, jsonErr)
		}
		for id, token := range tokens {
			if members[token] != id {
				t.Errorf("%q: %q has id %d, by encoding/json %d", file, token, id, members[token])
			}
		}
		ids := slices.Sorted(maps.Values(members))
		for i, id := range ids {
			if i != id {
				return
			}
		}
		again, _ := json.Marshal(members)
		if tokens, err = tokenizer.ReadVocab(strings.NewReader(string(again))); jsonErr == nil && members != nil && (err != nil || len(tokens) != len(members)) {
			t.Errorf("%q, which encoding/json wrote, read as %q, %v", again, tokens, err)
		}
	})
}
