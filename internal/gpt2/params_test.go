package gpt2_test

import (
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/weights"
)

// TestParameters counts the parameters of OpenAI's checkpoint, the tied head once.
func TestParameters(t *testing.T) {
	const want = 124_439_808
	store := model.NewStore()
	if err := weights.Declare(golden.Engine(t), store, gpt2.Small().Declare); err != nil {
		t.Fatal(err)
	}
	got := 0
	for v := range store.IterVariables() {
		got += v.Shape().Size()
	}
	if got != want {
		t.Errorf("Small has %d parameters, want %d", got, want)
	}
}
