package tokenizer_test

import (
	"cmp"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/tokenizer"
)

// TestTrainMerges checks the first merges of a corpus that can be counted by hand.
func TestTrainMerges(t *testing.T) {
	corpus := []string{"aab aab aab ab ab"} // pieces: "aab" 1, " aab" 2, " ab" 2
	bpe, err := tokenizer.Train(tokenizer.GPT2, slices.Values(corpus), 260)
	if err != nil {
		t.Fatal(err)
	}
	// "a b" 5 times; then "a ab" 3; then " ab" and " aab" 2 each, the smaller id first.
	want := []string{"ab", "aab", "Ġab", "<|endoftext|>"}
	for i, token := range want {
		if got := bpe.Token(256 + i); got != token {
			t.Errorf("token %d is %q, want %q", 256+i, got, token)
		}
	}
}

func TestTrainIsDeterministic(t *testing.T) {
	for _, style := range []tokenizer.Style{tokenizer.GPT2, tokenizer.CLIP, tokenizer.RoBERTa} {
		one := train(t, style, 700)
		backwards := slices.Clone(sentences)
		slices.Reverse(backwards)
		two, err := tokenizer.Train(style, slices.Values(backwards), 700)
		if err != nil {
			t.Fatal(err)
		}
		if one.Size() != two.Size() {
			t.Fatalf("%s: sizes %d and %d", style, one.Size(), two.Size())
		}
		for id := range one.Size() {
			if one.Token(id) != two.Token(id) {
				t.Fatalf("%s: token %d is %q and %q", style, id, one.Token(id), two.Token(id))
			}
		}
	}
}

// TestTrainLayout checks what the networks rely on: where the markers are, that id 0
// is "!", and that a word of the corpus that was merged whole is one token.
func TestTrainLayout(t *testing.T) {
	gpt2 := train(t, tokenizer.GPT2, 400)
	if id, _ := gpt2.ID("<|endoftext|>"); id != gpt2.Size()-1 {
		t.Errorf("gpt2: <|endoftext|> is %d of %d", id, gpt2.Size())
	}
	clip := train(t, tokenizer.CLIP, 600)
	start, _ := clip.ID("<|startoftext|>")
	end, _ := clip.ID("<|endoftext|>")
	if start != clip.Size()-2 || end != clip.Size()-1 {
		t.Errorf("clip: start %d, end %d of %d", start, end, clip.Size())
	}
	for _, bpe := range []*tokenizer.BPE{gpt2, clip} {
		if bpe.Token(0) != "!" {
			t.Errorf("%s: id 0 is %q", bpe.Style(), bpe.Token(0))
		}
	}
	if clip.Token(256) != "!</w>" {
		t.Errorf("clip: id 256 is %q", clip.Token(256))
	}
	if got := clip.Encode("DOGS"); len(got) != 1 || clip.Token(got[0]) != "dogs</w>" {
		t.Errorf("clip: dogs is %v", got)
	}
}

// TestTrainRoBERTa checks where the markers are, that no text makes one, and that the
// merges are GPT-2's.
func TestTrainRoBERTa(t *testing.T) {
	corpus := append(slices.Repeat([]string{"<s> <pad> <mask>"}, 9), sentences...)
	roberta, err := tokenizer.Train(tokenizer.RoBERTa, slices.Values(corpus), 400)
	if err != nil {
		t.Fatal(err)
	}
	if roberta.Style() != tokenizer.RoBERTa {
		t.Errorf("its style is %s", roberta.Style())
	}
	for id, token := range map[int]string{0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>", 4: "!", roberta.Size() - 1: "<mask>"} {
		if got := roberta.Token(id); got != token {
			t.Errorf("token %d is %q, want %q", id, got, token)
		}
	}
	ids := roberta.Encode("<s> <pad> <mask>")
	for _, marker := range []int{0, 1, 2, 3, roberta.Size() - 1} {
		if slices.Contains(ids, marker) {
			t.Errorf("text makes the marker %d: %v", marker, ids)
		}
	}
	gpt2, same := train(t, tokenizer.GPT2, 340), train(t, tokenizer.RoBERTa, 344)
	for id := range gpt2.Size() - 1 {
		if got, want := same.Token(4+id), gpt2.Token(id); got != want {
			t.Fatalf("token %d is %q, want %q", 4+id, got, want)
		}
	}
}

// TestTrainAgrees checks that encoding replays training: a merge more changes no
// earlier token and makes the corpus shorter.
func TestTrainAgrees(t *testing.T) {
	bpe := train(t, tokenizer.GPT2, 290)
	short := 0
	for _, text := range sentences {
		short += len(bpe.Encode(text))
	}
	smaller := train(t, tokenizer.GPT2, 289)
	long := 0
	for _, text := range sentences {
		long += len(smaller.Encode(text))
	}
	if short >= long {
		t.Errorf("one merge more makes %d tokens of %d", short, long)
	}
	for id := range smaller.Size() - 1 {
		if bpe.Token(id) != smaller.Token(id) {
			t.Errorf("token %d is %q, or %q with one merge less", id, bpe.Token(id), smaller.Token(id))
		}
	}
}

// TestTrainRecounts compares training with one that counts all pairs anew for each
// merge. The words are of few letters, so that pairs overlap and counts tie.
func TestTrainRecounts(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 30 {
		words := make([]string, 40)
		for i := range words {
			letters := make([]byte, 1+random.IntN(9))
			for j := range letters {
				letters[j] = "abc"[random.IntN(3)]
			}
			words[i] = string(letters)
		}
		const size = 290
		bpe, err := tokenizer.Train(tokenizer.GPT2, slices.Values([]string{" " + strings.Join(words, " ")}), size)
		if err != nil {
			t.Fatal(err)
		}
		want := recount(bpe, words, size-257)
		for i, token := range want {
			if got := bpe.Token(256 + i); got != token {
				t.Fatalf("words %v: merge %d makes %q, want %q of %q", words, i, got, token, want)
			}
		}
		if bpe.Size() != 257+len(want) {
			t.Fatalf("%d tokens, want %d", bpe.Size(), 257+len(want))
		}
	}
}

// recount returns the tokens that so many merges make of words that each follow a
// space; bpe gives the ids of the bytes.
func recount(bpe *tokenizer.BPE, words []string, merges int) []string {
	ids := make(map[string]int)
	var pieces [][]string
	for _, word := range words {
		piece := append([]string{"Ġ"}, strings.Split(word, "")...)
		for _, s := range piece {
			ids[s], _ = bpe.ID(s)
		}
		pieces = append(pieces, piece)
	}
	var made []string
	for len(made) < merges {
		counts := make(map[[2]string]int)
		for _, piece := range pieces {
			for i := range len(piece) - 1 {
				counts[[2]string{piece[i], piece[i+1]}]++
			}
		}
		var best [2]string
		for pair, n := range counts {
			if _, known := ids[pair[0]+pair[1]]; known || n < 2 {
				continue
			}
			byID := cmp.Or(cmp.Compare(ids[best[0]], ids[pair[0]]), cmp.Compare(ids[best[1]], ids[pair[1]]))
			if n > counts[best] || n == counts[best] && byID > 0 {
				best = pair
			}
		}
		if counts[best] == 0 {
			break
		}
		token := best[0] + best[1]
		ids[token] = 256 + len(made)
		made = append(made, token)
		for p, piece := range pieces {
			var out []string
			for i := 0; i < len(piece); i++ {
				if i+1 < len(piece) && piece[i] == best[0] && piece[i+1] == best[1] {
					out = append(out, token)
					i++
				} else {
					out = append(out, piece[i])
				}
			}
			pieces[p] = out
		}
	}
	return made
}

func TestTrainErrors(t *testing.T) {
	for _, test := range []struct {
		style tokenizer.Style
		size  int
		want  string
	}{
		{"bert", 1000, "style"},
		{"", 1000, "style"},
		{tokenizer.GPT2, 256, "257"},
		{tokenizer.CLIP, 513, "514"},
		{tokenizer.RoBERTa, 260, "261"},
		{tokenizer.GPT2, 1 << 30, "size"},
	} {
		_, err := tokenizer.Train(test.style, slices.Values(sentences), test.size)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %d: %v, want %q", test.style, test.size, err, test.want)
		}
	}
	empty, err := tokenizer.Train(tokenizer.CLIP, slices.Values([]string{"", "x"}), 1000)
	if err != nil || empty.Size() != 514 {
		t.Errorf("a corpus without pairs: %v", err)
	}
}

// TestTrainText trains on a book and reads the result back.
func TestTrainText(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(fixtures(t), "..", "..", "data", "text", "tinyshakespeare.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, style := range []tokenizer.Style{tokenizer.GPT2, tokenizer.CLIP, tokenizer.RoBERTa} {
		bpe, err := tokenizer.Train(style, strings.Lines(string(data)), 3000)
		if err != nil {
			t.Fatal(err)
		}
		if bpe.Size() != 3000 {
			t.Errorf("%s: %d tokens", style, bpe.Size())
		}
		saveAndOpen(t, bpe)
	}
}
