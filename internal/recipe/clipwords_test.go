package recipe_test

import (
	"math"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/tokenizer"
)

// TestScarcity holds that a token is the scarcer the fewer photos it is said of, however
// often it is said of one, and that there is no scarcity without words.
func TestScarcity(t *testing.T) {
	records := []dataset.Record{
		{Captions: []string{"a dog", "a dog"}}, {Captions: []string{"a cat"}}, {Captions: []string{"a dog and a cat"}}, {Captions: []string{"a"}},
	}
	texts := slices.Values([]string{"a dog", "a cat", "a dog and a cat"})
	bpe, err := tokenizer.Train(tokenizer.CLIP, texts, 540)
	if err != nil {
		t.Fatal(err)
	}
	if c := (recipe.CLIP{}).Classification(bpe, records); c != nil {
		t.Errorf("no words have %v", c)
	}
	got := recipe.CLIP{Words: 3}.Classification(bpe, records)
	if got.Weight != 3 {
		t.Errorf("their weight is %g, want 3", got.Weight)
	}
	for word, photos := range map[string]float64{"a": 4, "dog": 2, "cat": 2, "and": 1} {
		ids := bpe.Encode(word)
		last := ids[len(ids)-1]
		want := float32(math.Log(4 / (1 + photos)))
		if math.Abs(float64(got.Scarcity[last]-want)) > 1e-6 {
			t.Errorf("%q, tokens %v, has scarcity %g, want %g", word, ids, got.Scarcity[last], want)
		}
	}
}
