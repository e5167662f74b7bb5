package clipcap_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/gpt2"
	"github.com/cutline-go/cutline/internal/mapper"
	"github.com/cutline-go/cutline/internal/weights"
)

// tiny is a captioner with random weights, larger than training starts with, so that
// its logits depend on all that they should.
type tiny struct {
	config    clipcap.Config
	engine    compute.Backend
	store     *model.Store
	generator *clipcap.Generator
	logits    *model.Exec // from embeddings [B, E] and tokens [B, T]
}

func newTiny(t *testing.T) *tiny { return newTinyOn(t, golden.Engine(t)) }

func newTinyOn(t testing.TB, engine compute.Backend) *tiny {
	c := clipcap.Config{
		Mapper: mapper.Config{Kind: mapper.KindMLP, ClipWidth: 6, PrefixLength: 4, Width: 32},
		GPT:    gpt2.Config{VocabSize: 50, Positions: 40, Width: 32, Layers: 2, Heads: 2, Epsilon: 1e-5},
	}
	store := model.NewStore()
	logits, err := model.NewExec(engine, store, c.Logits)
	if err != nil {
		t.Fatal(err)
	}
	generator, err := clipcap.NewGenerator(engine, store, c)
	if err != nil {
		t.Fatal(err)
	}
	m := &tiny{c, engine, store, generator, logits}
	m.recomputed(t, m.embeddings(1)[0], []int{1, 2}) // the first run draws the weights
	strengthen(t, store)
	return m
}

// strengthen multiplies the language model's matrices by ten.
func strengthen(t testing.TB, store *model.Store) {
	list, err := weights.Export(store, weights.F32, clipcap.MapperScope, clipcap.GPTScope)
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range list {
		values, err := tensor.Float32()
		if err != nil {
			t.Fatal(err)
		}
		if len(tensor.Shape) == 2 {
			for j := range values {
				values[j] *= 10
			}
		}
		if list[i], err = weights.FromFloat32(tensor.Name, weights.F32, tensor.Shape, values); err != nil {
			t.Fatal(err)
		}
	}
	if err := weights.Load(store, list); err != nil {
		t.Fatal(err)
	}
}

// embeddings returns n different ones.
func (c *tiny) embeddings(n int) [][]float32 {
	all := make([][]float32, n)
	for i := range all {
		for j := range c.config.Mapper.ClipWidth {
			all[i] = append(all[i], float32(math.Sin(float64(1+i*7+j*3))))
		}
	}
	return all
}

// recomputed returns the logits of one sequence's tokens without a cache: [T][V].
func (c *tiny) recomputed(t testing.TB, embedding []float32, tokens []int) [][]float32 {
	ids := make([]int32, len(tokens))
	for i, token := range tokens {
		ids[i] = int32(token)
	}
	out, err := c.logits.Call([][]float32{embedding}, [][]int32{ids})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(slices.Chunk(golden.Values(t, out[0]), c.config.GPT.VocabSize))
}

// TestFutureNeverChangesPast: a token changes the logits after it, and no others.
// Padding, which stands at the end, is the case of a future without meaning.
func TestFutureNeverChangesPast(t *testing.T) {
	c := newTiny(t)
	embedding, tokens := c.embeddings(1)[0], []int{3, 1, 4, 1, 5, 9, 2, 6}
	before := c.recomputed(t, embedding, tokens)
	for changed := range len(tokens) - 1 { // the last token predicts nothing
		padded := slices.Clone(tokens)
		for i := changed; i < len(tokens); i++ {
			padded[i] = 0
		}
		after := c.recomputed(t, embedding, padded)
		for i := range tokens {
			if same := slices.Equal(before[i], after[i]); same != (i <= changed) {
				t.Errorf("tokens from %d on changed: the logits of token %d are the same: %v", changed, i, same)
			}
		}
	}
}

// cacheless continues texts by reading them anew, one at a time.
type cacheless struct {
	*tiny
	t          *testing.T
	embeddings [][]float32
	rows       []text
}

type text struct {
	embedding []float32
	tokens    []int
}

func (m *cacheless) Prefill(context.Context) ([][]float32, error) {
	m.rows = nil
	for _, e := range m.embeddings {
		m.rows = append(m.rows, text{embedding: e})
	}
	return m.last(), nil
}

func (m *cacheless) Next(_ context.Context, tokens, parents []int) ([][]float32, error) {
	rows := make([]text, len(tokens))
	for i, token := range tokens {
		parent := m.rows[parents[i]]
		rows[i] = text{parent.embedding, append(slices.Clip(parent.tokens), token)}
	}
	m.rows = rows
	return m.last(), nil
}

func (m *cacheless) last() [][]float32 {
	logits := make([][]float32, len(m.rows))
	for i, row := range m.rows {
		// One token more, which predicts nothing, makes the row that follows the text.
		logits[i] = m.recomputed(m.t, row.embedding, append(slices.Clip(row.tokens), 0))[len(row.tokens)]
	}
	return logits
}

// searches are kinds of search for the tiny captioner.
func searches() map[string]decode.Options {
	greedy := decode.PaperGreedy()
	greedy.MaxLength, greedy.StopTokens = 12, []int{13, 7, 21}
	beam := greedy
	beam.Strategy, beam.Beams, beam.NBest = decode.Beam, 5, 5
	sample := greedy
	sample.Strategy, sample.NBest, sample.TopP = decode.Sample, 3, 0.95
	return map[string]decode.Options{"greedy": greedy, "beam": beam, "sample": sample}
}

func TestCachedIsRecomputed(t *testing.T) {
	c := newTiny(t)
	for name, o := range searches() {
		embeddings := c.embeddings(3)
		cached := search(t, c.generator, embeddings, o)
		recomputed, err := decode.Search(t.Context(), &cacheless{tiny: c, t: t, embeddings: embeddings}, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cached {
			compareHypotheses(t, name, cached[i], recomputed[i])
		}
	}
}

func TestBatchIsItsSingles(t *testing.T) {
	c := newTiny(t)
	for name, o := range searches() {
		embeddings := c.embeddings(5)
		for i, batch := range search(t, c.generator, embeddings, o) {
			single := o
			single.Seed += uint64(i)
			compareHypotheses(t, name, batch, search(t, c.generator, embeddings[i:i+1], single)[0])
		}
	}
}

// TestRoomChangesNothing: positions of the cache that no token has reached are as
// if they were not there.
func TestRoomChangesNothing(t *testing.T) {
	c := newTiny(t)
	o := searches()["beam"]
	embeddings := c.embeddings(2)
	session, err := c.generator.Start(embeddings, c.config.GPT.Positions-c.config.Mapper.PrefixLength)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	roomy, err := decode.Search(t.Context(), session, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, tight := range search(t, c.generator, embeddings, o) {
		compareHypotheses(t, "beam", tight, roomy[i])
	}
}

func TestBeamOfOneIsGreedy(t *testing.T) {
	c := newTiny(t)
	greedy := searches()["greedy"]
	beam := greedy
	beam.Strategy, beam.Beams = decode.Beam, 1
	embeddings := c.embeddings(4)
	for i, want := range search(t, c.generator, embeddings, greedy) {
		compareHypotheses(t, "beam of one", search(t, c.generator, embeddings, beam)[i], want)
	}
}

func compareHypotheses(t *testing.T, what string, got, want []decode.Hypothesis) {
	t.Helper()
	if len(got) == 0 || !slices.EqualFunc(tokens(got), tokens(want), slices.Equal) {
		t.Errorf("%s: %v, want %v", what, tokens(got), tokens(want))
		return
	}
	for i := range got {
		if math.Abs(got[i].LogProb-want[i].LogProb) > tolerance {
			t.Errorf("%s: log-probability %g, want %g", what, got[i].LogProb, want[i].LogProb)
		}
	}
}

// TestStartRefuses what the network cannot read.
func TestStartRefuses(t *testing.T) {
	c := newTiny(t)
	if _, err := c.generator.Start([][]float32{{1, 2}}, 5); err == nil {
		t.Error("an embedding of another width is accepted")
	}
	if _, err := c.generator.Start(c.embeddings(1), c.config.GPT.Positions); err == nil {
		t.Error("more tokens than positions are accepted")
	}
}

// TestNextRefuses what would be read outside of the tables.
func TestNextRefuses(t *testing.T) {
	c := newTiny(t)
	session, err := c.generator.Start(c.embeddings(2), 28)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	next := func(tokens, parents []int) error {
		_, err := session.Next(t.Context(), tokens, parents)
		return err
	}
	if next([]int{1}, []int{0}) == nil {
		t.Error("a token before the prefix is accepted")
	}
	if _, err := session.Prefill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][2][]int{
		{{}, {}}, {{1, 2}, {0}}, {{-1}, {0}}, {{c.config.GPT.VocabSize}, {0}}, {{1}, {-1}}, {{1}, {2}},
	} {
		if next(bad[0], bad[1]) == nil {
			t.Errorf("tokens %v for the rows %v are accepted", bad[0], bad[1])
		}
	}
	for range 28 {
		if err := next([]int{1}, []int{0}); err != nil {
			t.Fatal(err)
		}
	}
	if next([]int{1}, []int{0}) == nil {
		t.Error("a token beyond the cache is accepted")
	}
}

// TestNormalizers: a session's normalizers are those of the logits that it returned last.
func TestNormalizers(t *testing.T) {
	c := newTiny(t)
	session, err := c.generator.Start(c.embeddings(3), 4)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	check := func(logits [][]float32, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		got := session.Normalizers()
		if len(got) != len(logits) {
			t.Fatalf("%d normalizers of %d rows", len(got), len(logits))
		}
		for i, row := range logits {
			sum := 0.0
			for _, x := range row {
				sum += math.Exp(float64(x))
			}
			if want := math.Log(sum); math.Abs(got[i]-want) > 2e-6*max(1, math.Abs(want)) {
				t.Errorf("row %d: %.9g, want %.9g", i, got[i], want)
			}
		}
	}
	check(session.Prefill(context.Background()))
	check(session.Next(context.Background(), []int{1, 2, 3}, []int{0, 1, 2}))
	check(session.Next(context.Background(), []int{4, 5}, []int{2, 0}))
}
