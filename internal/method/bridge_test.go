package method_test

import (
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/tokenizer"
)

// TestTable: a token of the language model stands for the mean of CLIP's tokens of its
// text, whatever its case and the space before it; what spells nothing, and what no
// token has, is 0.
func TestTable(t *testing.T) {
	corpus := slices.Values([]string{"A dog runs. A dog! A dog", "a dog runs on grass"})
	from, err := tokenizer.Train(tokenizer.GPT2, corpus, 290)
	if err != nil {
		t.Fatal(err)
	}
	to, err := tokenizer.Train(tokenizer.CLIP, corpus, 540)
	if err != nil {
		t.Fatal(err)
	}
	const width, vocabulary = 2, 300
	embeddings := make([]float32, to.Size()*width)
	for i := range embeddings {
		embeddings[i] = float32(i)
	}
	table, err := method.NewTable(from, to, vocabulary, embeddings, width)
	if err != nil {
		t.Fatal(err)
	}
	for id := range vocabulary {
		want := make([]float32, width)
		ids := to.Encode(from.Line([]int{id}))
		if text := from.Line([]int{id}); id < from.Size() && text != "" && len(ids) > 0 {
			for _, other := range ids {
				want[0] += float32(other*width) / float32(len(ids))
				want[1] += float32(other*width+1) / float32(len(ids))
			}
		}
		if got := table[id*width : id*width+width]; !slices.Equal(got, want) {
			t.Errorf("token %d, %q: %v, want %v", id, from.Token(id), got, want)
		}
	}
	dog, _ := from.ID("Ġdog")
	whole := to.Encode("dog")
	if len(whole) != 1 || table[dog*width] != float32(whole[0]*width) {
		t.Errorf("%q stands for %v, want token %v", from.Token(dog), table[dog*width], whole)
	}
	end, _ := from.ID("<|endoftext|>")
	if table[end*width+1] != 0 {
		t.Error("the end of all texts stands for something")
	}
	if _, err := method.NewTable(from, to, vocabulary, embeddings[:width], width); err == nil {
		t.Error("a table without the embeddings of all tokens is made")
	}
}
