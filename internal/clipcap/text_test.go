package clipcap_test

import (
	"context"
	"slices"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
)

// TestTextsGoOn: a language model alone, token by token, has the logits and hidden
// states of the whole text at once, whatever texts run beside it.
func TestTextsGoOn(t *testing.T) {
	c := gpt2.Config{VocabSize: 30, Positions: 20, Width: 16, Layers: 2, Heads: 2, Epsilon: 1e-5}
	engine, store := golden.Engine(t), model.NewStore()
	whole, err := model.NewExec(engine, store, func(root *model.Scope, ids *Node) (logits, hidden *Node) {
		scope := root.At(clipcap.GPTScope).At("transformer")
		hidden, _ = c.Hidden(scope, c.Embed(scope, ids))
		return c.Logits(scope, hidden), hidden
	})
	if err != nil {
		t.Fatal(err)
	}
	text := []int32{7, 3, 11, 2, 29, 5}
	out, err := whole.Call([][]int32{text})
	if err != nil {
		t.Fatal(err)
	}
	logits := slices.Collect(slices.Chunk(golden.Values(t, out[0]), c.VocabSize))
	hidden := slices.Collect(slices.Chunk(golden.Values(t, out[1]), c.Width))

	g, err := clipcap.NewTextGenerator(engine, store, c)
	if err != nil {
		t.Fatal(err)
	}
	session, err := g.StartTexts([][]int{{9, 9}, {7, 3}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	rows, err := session.Prefill(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; ; i++ {
		golden.Compare(t, "logits", rows[1], logits[i], 1e-5)
		golden.Compare(t, "hidden states", session.Hidden()[1], hidden[i], 1e-5)
		if i+1 == len(text) {
			break
		}
		next := int(text[i+1])
		if rows, err = session.Next(context.Background(), []int{4, next}, []int{1, 1}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTextsRefused(t *testing.T) {
	c := newTiny(t)
	if _, err := c.generator.StartTexts([][]int{{1}}, 3); err == nil {
		t.Error("a captioner goes on with a text")
	}
	g, err := clipcap.NewTextGenerator(golden.Engine(t), model.NewStore(), c.config.GPT)
	if err != nil {
		t.Fatal(err)
	}
	for name, texts := range map[string][][]int{
		"no texts": {}, "an empty text": {{}}, "two lengths": {{1}, {1, 2}},
		"a token outside of the vocabulary": {{c.config.GPT.VocabSize}}, "a negative token": {{-1}},
	} {
		if _, err := g.StartTexts(texts, 3); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := g.StartTexts([][]int{{1}}, c.config.GPT.Positions); err == nil {
		t.Error("more tokens than positions are taken")
	}
	if _, err := g.Start(c.embeddings(1), 3); err == nil {
		t.Error("a language model alone takes an embedding")
	}
}
