package clipcap_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/golden"
)

// TestPrompt: behind a prompt a caption has the logits that it has behind the same tokens
// said, read at once and token by token; and a scale is a division of the embedding.
func TestPrompt(t *testing.T) {
	c := newTiny(t)
	engine, store := c.engine, c.store
	embedding, prompt, tokens := c.embeddings(1)[0], []int{7, 8}, []int{9, 2, 6}
	said := c.recomputed(t, embedding, slices.Concat(prompt, tokens))[len(prompt):]

	asked := c.config
	asked.Prompt, asked.Scale = prompt, 2
	doubled := slices.Clone(embedding)
	for i := range doubled {
		doubled[i] *= 2
	}
	logits, err := model.NewExec(engine, store, asked.Logits)
	if err != nil {
		t.Fatal(err)
	}
	out, err := logits.Call([][]float32{doubled}, [][]int32{{9, 2, 6}})
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "at once", golden.Values(t, out[0]), slices.Concat(said...), 1e-5)

	generator, err := clipcap.NewGenerator(engine, store, asked)
	if err != nil {
		t.Fatal(err)
	}
	session, err := generator.Start([][]float32{doubled}, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	next, err := session.Prefill(context.Background())
	for i := 0; err == nil && i < len(tokens); i++ {
		golden.Compare(t, "token by token", next[0], said[i], 1e-4)
		next, err = session.Next(context.Background(), tokens[i:i+1], []int{0})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPromptRefuses(t *testing.T) {
	c := newTiny(t).config
	for want, change := range map[string]func(c *clipcap.Config){
		"token 50 is outside": func(c *clipcap.Config) { c.Prompt = []int{50} },
		"fills the language":  func(c *clipcap.Config) { c.Prompt = make([]int, 36) },
		"scale is -1":         func(c *clipcap.Config) { c.Scale = -1 },
	} {
		broken := c
		change(&broken)
		if err := broken.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
