package clipcap_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/cutline-go/cutline/internal/decode"
)

// observed is a language model that has something done after each of its answers.
type observed struct {
	decode.LanguageModel
	after func(logits [][]float32)
}

func (o observed) Prefill(ctx context.Context) ([][]float32, error) {
	logits, err := o.LanguageModel.Prefill(ctx)
	o.after(logits)
	return logits, err
}

func (o observed) Next(ctx context.Context, tokens, parents []int) ([][]float32, error) {
	logits, err := o.LanguageModel.Next(ctx, tokens, parents)
	o.after(logits)
	return logits, err
}

// TestGoroutinesHaveTheBitsOfOne: eight that caption at once have all logits as one alone has
// them, to the bit.
func TestGoroutinesHaveTheBitsOfOne(t *testing.T) {
	c := newTiny(t)
	embeddings := c.embeddings(8)
	run := func(i int, o decode.Options) (all []float32) {
		session, err := c.generator.Start(embeddings[i:i+1], o.MaxLength)
		if err != nil {
			t.Error(err)
			return nil
		}
		defer session.Close()
		_, err = decode.Search(t.Context(), observed{session, func(logits [][]float32) {
			for _, row := range logits {
				all = append(all, row...)
			}
		}}, o)
		if err != nil {
			t.Error(err)
		}
		return all
	}
	for name, o := range searches() {
		var alone [8][]float32
		for i := range alone {
			alone[i] = run(i, o)
		}
		var all sync.WaitGroup
		for i := range alone {
			all.Go(func() {
				for range 5 {
					if !slices.Equal(run(i, o), alone[i]) {
						t.Errorf("%s: goroutine %d has other bits", name, i)
					}
				}
			})
		}
		all.Wait()
	}
}

// TestCancellingLeavesNothing: however far a caption has come when it is cancelled, no buffer
// of the engine and no goroutine is left.
func TestCancellingLeavesNothing(t *testing.T) {
	engine := newCounted(t)
	c := newTinyOn(t, engine)
	o := searches()["beam"]
	o.StopTokens = nil
	caption := func(ctx context.Context, after func([][]float32)) error {
		session, err := c.generator.Start(c.embeddings(3), o.MaxLength)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		_, err = decode.Search(ctx, observed{session, after}, o)
		return err
	}
	if err := caption(t.Context(), func([][]float32) {}); err != nil { // compiles the graphs
		t.Fatal(err)
	}
	buffers, goroutines := engine.live.Load(), runtime.NumGoroutine()
	for length := range o.MaxLength {
		ctx, cancel := context.WithCancel(t.Context())
		steps := 0
		err := caption(ctx, func([][]float32) {
			if steps++; steps > length {
				cancel()
			}
		})
		cancel()
		if ended := length == o.MaxLength-1; ended != (err == nil) || !ended && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after token %d: %v", length+1, err)
		}
		if n := engine.live.Load(); n != buffers {
			t.Errorf("cancelled after token %d: %d buffers, %d before", length+1, n, buffers)
		}
	}
	for range 20 { // from elsewhere, at any time
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if err := caption(ctx, func([][]float32) {}); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		<-ctx.Done()
	}
	if n := engine.live.Load(); n != buffers {
		t.Errorf("%d buffers, %d before", n, buffers)
	}
	for n := 0; runtime.NumGoroutine() > goroutines; n++ {
		if runtime.Gosched(); n > 1e6 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
}
