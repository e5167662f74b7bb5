package method_test

import (
	"context"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/internal/clipcap"
	"github.com/cutline-go/cutline/internal/decode"
	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/train"
)

// magicReference is the part of the reference that only MAGIC has.
type magicReference struct {
	*torchReference
	Start    int     `json:"start"`
	End      int     `json:"end"`
	Margin   float64 `json:"margin"`
	Scale    float64 `json:"scale"`
	Steps    int     `json:"steps"`
	Searches []struct {
		IDs   string  `json:"ids"`
		K     int     `json:"k"`
		Alpha float64 `json:"alpha"`
		Beta  float64 `json:"beta"`
	} `json:"searches"`
}

func readMAGIC(t *testing.T) *magicReference {
	r := &magicReference{torchReference: readTorch(t, "magic")}
	r.decode(t, r)
	return r
}

// captions are the reference's without their start and end.
func (r *magicReference) captions(t *testing.T) [][]int {
	t.Helper()
	lengths := r.ids(t, "lengths")[0]
	var out [][]int
	for i, row := range r.ids(t, "ids") {
		out = append(out, row[1:lengths[i]-1])
	}
	return out
}

func (r *magicReference) method(t *testing.T, engine compute.Backend, store *model.Store, o train.Optimizer) *method.MAGIC {
	t.Helper()
	m, err := method.NewMAGIC(engine, store, r.GPT, method.MAGICConfig{Margin: r.Margin, Optimizer: o, MaxTokens: 64}, r.Start, r.End)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGoldenMAGIC holds both losses and the gradient of their sum against PyTorch's.
func TestGoldenMAGIC(t *testing.T) {
	r := readMAGIC(t)
	store := r.store(t)
	m := r.method(t, golden.Engine(t), store, still())
	losses, err := m.Step(context.Background(), 0, method.Texts{Sentences: r.captions(t)})
	if err != nil {
		t.Fatal(err)
	}
	if losses[1].Name != "likelihood" || losses[2].Name != "contrast" {
		t.Fatalf("the log tells %v", losses)
	}
	golden.Compare(t, "contrast", []float32{float32(losses[2].Value)}, golden.Floats(t, r.file, "contrastive"), tolerance)
	r.expect(t, "magic", store, losses[1].Value, "mle", "grad.")
}

// TestGoldenMAGICSearch holds contrastive and guided search against PyTorch's, token by
// token. A table stands in for CLIP's text tower.
func TestGoldenMAGICSearch(t *testing.T) {
	r := readMAGIC(t)
	generator, err := clipcap.NewTextGenerator(golden.Engine(t), r.store(t), r.GPT)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Searches {
		c := decode.Contrast{K: s.K, Alpha: s.Alpha, Beta: s.Beta, Length: r.Steps, End: r.GPT.VocabSize}
		// Twice the same sequence, which a batch must not mix up.
		found := searchMAGIC(t, generator, [][]int{{r.Start}, {r.Start}}, c, r.guide(t))
		want := r.ids(t, s.IDs)[0]
		for i := range found {
			if !slices.Equal(found[i].Tokens, want) {
				t.Errorf("%+v, sequence %d: %v, want %v", s, i, found[i].Tokens, want)
			}
		}
	}
}

func searchMAGIC(t *testing.T, g *clipcap.Generator, prompts [][]int, c decode.Contrast, guide decode.Guide) []decode.Hypothesis {
	t.Helper()
	session, err := g.StartTexts(prompts, c.Length)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	found, err := decode.SearchContrastive(context.Background(), session, c, guide)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// guide likens the mean of the tokens' rows in the table to the photo.
func (r *magicReference) guide(t *testing.T) decode.Guide {
	photo, table := golden.Floats(t, r.file, "photo"), r.rows(t, "table")
	return func(_ context.Context, _ int, texts [][]int) ([]float64, error) {
		var out []float64
		for _, text := range texts {
			mean := make([]float32, len(photo))
			for _, id := range text {
				for j, v := range table[id] {
					mean[j] += v / float32(len(text))
				}
			}
			out = append(out, r.Scale*cosine(mean, photo))
		}
		return out, nil
	}
}

func cosine(a, b []float32) float64 {
	x, y := make([]float64, len(a)), make([]float64, len(b))
	dot := 0.0
	for j := range a {
		x[j], y[j] = float64(a[j]), float64(b[j])
		dot += x[j] * y[j]
	}
	return dot / norm(x) / norm(y)
}

// TestMAGICMoves the language model, which is all there is of it.
func TestMAGICMoves(t *testing.T) {
	r := readMAGIC(t)
	store, optimizer := r.store(t), still()
	optimizer.Schedule.Warmup = 0
	m := r.method(t, golden.Engine(t), store, optimizer)
	got := moved(t, store, func() {
		if _, err := m.Step(context.Background(), 0, method.Texts{Sentences: r.captions(t)}); err != nil {
			t.Fatal(err)
		}
	})
	if !slices.Equal(got, []string{clipcap.GPTScope}) {
		t.Errorf("moved: %v", got)
	}
}

// TestMAGICDifferences: MAGIC's code clips the gradient of each of four parts of a
// batch and adds them up; here a batch is clipped as one, and its parts are averaged, so
// that accumulating changes nothing but memory.
func TestMAGICDifferences(t *testing.T) {
	r := readMAGIC(t)
	captions := r.captions(t)
	same := [][]int{captions[0], captions[0]} // parts of equal length have equal weights
	var got [2][]float32
	for i, parts := range []int{0, 2} {
		store, optimizer := r.store(t), still()
		optimizer.Schedule.Warmup, optimizer.ClipNorm, optimizer.Accumulate = 0, 0.1, parts
		m := r.method(t, golden.Engine(t), store, optimizer)
		if _, err := m.Step(context.Background(), 0, method.Texts{Sentences: same}); err != nil {
			t.Fatal(err)
		}
		got[i] = exported(t, store)["gpt.transformer.ln_f.weight"]
	}
	golden.Compare(t, "in parts", got[1], got[0], tolerance)
}

// TestMAGICToy teaches the toy world's captions, without a photo or an embedding, and
// then guides the search by photos: by their likeness to the words so far, as CLIP would
// tell it. Without the guide every photo has the same caption. (Words are chosen one by
// one, so a photo that is nearer to a wrong first word is lost: some are.)
func TestMAGICToy(t *testing.T) {
	const updates = 120
	w := newToy(0, 0)
	engine, store := golden.Engine(t), seeded()
	network := toyNetwork().GPT
	network.VocabSize++ // the start token
	m, err := method.NewMAGIC(engine, store, network,
		method.MAGICConfig{Margin: 0.5, Optimizer: toyOptimizer(updates), MaxTokens: 8}, toyVocab, toyStop)
	if err != nil {
		t.Fatal(err)
	}
	var captions [][]int
	for _, caption := range w.captions {
		captions = append(captions, caption[:len(caption)-1]) // without the end
	}
	for update := range updates {
		if _, err := m.Step(context.Background(), update, method.Texts{Sentences: captions}); err != nil {
			t.Fatal(err)
		}
	}
	generator, err := clipcap.NewTextGenerator(engine, store, network)
	if err != nil {
		t.Fatal(err)
	}
	c := decode.Contrast{K: toyWords, Alpha: 0.1, Beta: 2, Length: 6, End: toyStop}
	if got := w.guided(t, generator, c); got < 0.75 {
		t.Errorf("guided, %.2f of the held-out scenes are captioned right", got)
	}
	// What guides is the order of likenesses, which an offset of all photos leaves; a turn
	// does not.
	if got := newToy(0, 0.5).guided(t, generator, c); got < 0.75 {
		t.Errorf("guided by photos that lie off, %.2f of the held-out scenes are captioned right", got)
	}
	if got := newToy(1, 0.5).guided(t, generator, c); got > 0.25 {
		t.Errorf("guided by photos that are turned, %.2f of the held-out scenes are captioned right", got)
	}
	c.Beta = 0
	if got := w.guided(t, generator, c); got > 1/16. {
		t.Errorf("without a guide, %.2f of the held-out scenes are captioned right", got)
	}
}

// guided is the share of held-out scenes that are captioned right when their photos
// guide the search.
func (w toy) guided(t *testing.T, g *clipcap.Generator, c decode.Contrast) float64 {
	t.Helper()
	photos := split(w.photos, true)
	var prompts [][]int
	for range photos {
		prompts = append(prompts, []int{toyVocab})
	}
	const scale = 50
	found := searchMAGIC(t, g, prompts, c, func(_ context.Context, i int, texts [][]int) ([]float64, error) {
		var out []float64
		for _, text := range texts {
			out = append(out, scale*cosine(w.embed(text), photos[i]))
		}
		return out, nil
	})
	right := 0
	for i, caption := range split(w.captions, true) {
		if slices.Equal(found[i].Tokens, caption[:len(caption)-1]) {
			right++
		}
	}
	return float64(right) / float64(len(found))
}
