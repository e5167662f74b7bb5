package tokenizer_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/tokenizer"
)

// sentences is a corpus large enough to have merges.
var sentences = []string{
	"A man with a red helmet on a small moped on a dirt road.",
	"A man riding on the back of a motorcycle, and isn't he happy?",
	"Two dogs play in the snow; the dogs don't mind the cold.",
	"A young girl is preparing to blow out her candle. 1 2 33 444",
	"café naïve résumé — “quoted”, 中文 and 日本語",
}

func train(t testing.TB, style tokenizer.Style, size int) *tokenizer.BPE {
	t.Helper()
	bpe, err := tokenizer.Train(style, slices.Values(sentences), size)
	if err != nil {
		t.Fatal(err)
	}
	return bpe
}

// saveAndOpen checks that a tokenizer is read back as it was saved.
func saveAndOpen(t testing.TB, bpe *tokenizer.BPE) *tokenizer.BPE {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tokenizer")
	if err := bpe.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := tokenizer.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Style() != bpe.Style() || again.Size() != bpe.Size() {
		t.Fatalf("saved %s of %d tokens, opened %s of %d", bpe.Style(), bpe.Size(), again.Style(), again.Size())
	}
	for id := range bpe.Size() {
		if bpe.Token(id) != again.Token(id) {
			t.Fatalf("token %d: saved %q, opened %q", id, bpe.Token(id), again.Token(id))
		}
	}
	for _, text := range sentences {
		if got, want := again.Encode(text), bpe.Encode(text); !slices.Equal(got, want) {
			t.Errorf("%q: saved encodes %v, opened %v", text, want, got)
		}
	}
	second := filepath.Join(t.TempDir(), "second")
	if err := again.Save(second); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"vocab.json", "merges.txt"} {
		first, _ := os.ReadFile(filepath.Join(dir, name))
		if next, err := os.ReadFile(filepath.Join(second, name)); err != nil || string(first) != string(next) {
			t.Errorf("%s changes when saved again: %v", name, err)
		}
	}
	return again
}

func TestSave(t *testing.T) {
	saveAndOpen(t, train(t, tokenizer.GPT2, 300))
	saveAndOpen(t, train(t, tokenizer.CLIP, 600))
}

func TestDecodeIsInverse(t *testing.T) {
	bpe := train(t, tokenizer.GPT2, 350)
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"a", "the ", " ", "  ", "\n", "'s", "'S", "é", "\u3000", "\x80", "\xe4\xb8", "7", "½", "<|endoftext|>", "\x00", "😀"}
	for range 2000 {
		var b strings.Builder
		for range random.IntN(40) {
			if random.IntN(4) == 0 {
				b.WriteByte(byte(random.Uint32()))
			} else {
				b.WriteString(alphabet[random.IntN(len(alphabet))])
			}
		}
		if got := bpe.Decode(bpe.Encode(b.String())); got != b.String() {
			t.Fatalf("%q comes back as %q", b.String(), got)
		}
	}
}

func TestPieces(t *testing.T) {
	gpt2, clip := real(t, tokenizer.GPT2), real(t, tokenizer.CLIP)
	tokens := func(bpe *tokenizer.BPE, text string) string {
		var out []string
		for _, id := range bpe.Encode(text) {
			out = append(out, bpe.Token(id))
		}
		return strings.Join(out, "|")
	}
	tests := []struct {
		bpe        *tokenizer.BPE
		text, want string
	}{
		{gpt2, "it's IT'S", "it|'s|ĠIT|'|S"},
		{gpt2, "a  b", "a|Ġ|Ġb"},
		{gpt2, "a \n b", "a|Ġ|Ċ|Ġb"},
		{gpt2, "a\u00a0b", "a|Âł|b"},
		{gpt2, "end   ", "end|Ġ|Ġ|Ġ"},
		{gpt2, "<|endoftext|>", "<|||end|of|text|||>"},
		{clip, "It'S  DOGS'", "it</w>|'s</w>|dogs</w>|'</w>"},
		{clip, "1234", "1</w>|2</w>|3</w>|4</w>"},
		{clip, "hi<|endoftext|>!<|endoftext|>", "hi</w>|<|endoftext|>|!|<||</w>|endof|text</w>|||></w>"},
		{clip, "<|StartOfText|>", "<|startoftext|>"},
		{clip, "&amp;amp;lt; &#65;", "<</w>|a</w>"},
		{clip, "ΟΔΟΣ", tokens(clip, "οδος")},
		{clip, "“Curly”", "\"</w>|curly</w>|\"</w>"},
		{clip, "ＦＵＬＬ", "full</w>"},
		{clip, "cafÃ©", "cafÃ©</w>"},
		{clip, "", ""},
		{clip, " \u00a0\n", ""},
	}
	for _, test := range tests {
		if got := tokens(test.bpe, test.text); got != test.want {
			t.Errorf("%s %q:\n got %s\nwant %s", test.bpe.Style(), test.text, got, test.want)
		}
	}
}

func TestContext(t *testing.T) {
	bpe := train(t, tokenizer.CLIP, 600)
	start, _ := bpe.ID("<|startoftext|>")
	end, _ := bpe.ID("<|endoftext|>")
	ids := bpe.Encode("a man a plan")
	full := slices.Concat([]int{start}, ids, []int{end})
	tests := []struct {
		length   int
		truncate bool
		want     []int
	}{
		{len(full) + 2, false, append(slices.Clone(full), 0, 0)},
		{len(full), false, full},
		{len(full) - 1, false, nil},
		{len(full) - 1, true, append(slices.Clone(full[:len(full)-2]), end)},
		{2, true, []int{start, end}},
		{1, true, nil},
		{-1, true, nil},
	}
	for _, test := range tests {
		got, err := bpe.Context("A man, a plan"[:5]+" a plan", test.length, test.truncate)
		if (err != nil) != (test.want == nil) || !slices.Equal(widen(got), test.want) {
			t.Errorf("length %d, truncate %t: %v, %v, want %v", test.length, test.truncate, got, err, test.want)
		}
	}
	if _, err := train(t, tokenizer.GPT2, 300).Context("a", 10, true); err == nil {
		t.Error("gpt2 has a context")
	}
}

func TestDecode(t *testing.T) {
	clip := train(t, tokenizer.CLIP, 600)
	text := "a man isn't 3"
	ids, err := clip.Context(text, 40, false)
	if err != nil {
		t.Fatal(err)
	}
	ids = ids[:len(clip.Encode(text))+2]
	if got := clip.Decode(widen(ids)); got != "a man isn 't 3" {
		t.Errorf("clip decodes as %q", got)
	}
	gpt2 := train(t, tokenizer.GPT2, 300)
	end, _ := gpt2.ID("<|endoftext|>")
	if got := gpt2.Decode([]int{-1, 0, gpt2.Size(), end}); got != "!<|endoftext|>" {
		t.Errorf("gpt2 decodes as %q", got)
	}
	if gpt2.Token(-1) != "" || gpt2.Token(gpt2.Size()) != "" {
		t.Error("a token outside the vocabulary has a name")
	}
}

// TestMergeWays compares the two ways to merge a piece, also under merges in an
// order that no training gives.
func TestMergeWays(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var merges [][2]string
		parts := []string{"a", "b", "c"}
		seen := make(map[[2]string]bool)
		for range 1 + random.IntN(12) {
			m := [2]string{parts[random.IntN(len(parts))], parts[random.IntN(len(parts))]}
			if !seen[m] && len(m[0]+m[1]) < 8 {
				seen[m] = true
				merges = append(merges, m)
				parts = append(parts, m[0]+m[1])
			}
		}
		random.Shuffle(len(merges), func(i, j int) { merges[i], merges[j] = merges[j], merges[i] })
		bpe, err := tokenizer.BuildForTest(merges)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			piece := make([]byte, 1+random.IntN(60))
			for i := range piece {
				piece[i] = "abc"[random.IntN(3)]
			}
			short, long := tokenizer.MergeShort(bpe, string(piece)), tokenizer.MergeLong(bpe, string(piece))
			if !slices.Equal(short, long) {
				t.Fatalf("merges %v, piece %s:\nshort %v\n long %v", merges, piece, short, long)
			}
		}
	}
}

func lines(n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		random := rand.New(rand.NewPCG(5, 6))
		for range n {
			words := make([]string, 12)
			for i := range words {
				words[i] = fmt.Sprintf("w%d", int(random.ExpFloat64()*2000))
			}
			if !yield(strings.Join(words, " ")) {
				return
			}
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	text := strings.Repeat(strings.Join(sentences[:4], "\n")+"\n", 200)
	for _, style := range []tokenizer.Style{tokenizer.GPT2, tokenizer.CLIP} {
		bpe := real(b, style)
		b.Run(string(style), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				bpe.Encode(text)
			}
		})
	}
	bpe := real(b, tokenizer.GPT2)
	word := strings.Repeat("antidisestablishmentarianism", 1<<20/28)
	b.Run("one word", func(b *testing.B) {
		b.SetBytes(int64(len(word)))
		for b.Loop() {
			bpe.Encode(word)
		}
	})
}

func BenchmarkTrain(b *testing.B) {
	for b.Loop() {
		if _, err := tokenizer.Train(tokenizer.GPT2, lines(20000), 8000); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen reads tokenizers from the files that they are published as.
func BenchmarkOpen(b *testing.B) {
	for _, style := range []tokenizer.Style{tokenizer.GPT2, tokenizer.CLIP} {
		b.Run(string(style), func(b *testing.B) {
			b.ReportAllocs()
			dir := b.TempDir()
			if err := real(b, style).Save(dir); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := tokenizer.Open(dir); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
