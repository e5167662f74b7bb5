package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// measurement is the scores of one trained model.
type measurement struct {
	trial
	sets    *sets
	results *results
}

// beams is how many a method's own captions are searched with unless its run says
// otherwise; what compares alignments searches greedily.
const beams = 5

// all measures what the run asks for.
func (m measurement) all(ctx context.Context, folder string) error {
	if m.run.Method == "magic" {
		plain, err := unguided(folder)
		if err != nil {
			return err
		}
		return errors.Join(
			m.with(folder, func(c *captioner.Captioner) error { return m.own(ctx, c, "guided", captioner.Decoding{}) }),
			m.with(plain, func(c *captioner.Captioner) error { return m.own(ctx, c, "unguided", captioner.Decoding{}) }),
		)
	}
	return m.with(folder, func(c *captioner.Captioner) error {
		for _, how := range m.aligns() {
			d := captioner.Decoding{Beams: cmp.Or(m.run.Beams, beams), Align: how}
			if err := m.own(ctx, c, how, d); err != nil {
				return err
			}
		}
		if !m.run.Moved {
			return nil
		}
		return m.moved(ctx, c)
	})
}

func (m measurement) aligns() []string {
	if len(m.run.Aligns) == 0 {
		return []string{"none"}
	}
	return m.run.Aligns
}

func (m measurement) with(folder string, use func(*captioner.Captioner) error) error {
	c, err := captioner.Open(folder, captioner.Options{Batch: 32})
	if err != nil {
		return err
	}
	defer c.Close()
	return use(c)
}

// own measures captions of the photos as the method has them, against all references.
func (m measurement) own(ctx context.Context, c *captioner.Captioner, way string, d captioner.Decoding) error {
	count := min(cmp.Or(m.run.Photos, len(m.sets.val.photos)), len(m.sets.val.photos))
	return m.score(ctx, c, key{m.run.Name, m.seed, way, own}, d, m.sets.val.photos[:count], 0)
}

// moved measures captions of mixtures of photo and text, and of photos moved by each
// alignment. The text is a photo's first caption, so the others are the references.
func (m measurement) moved(ctx context.Context, c *captioner.Captioner) error {
	photos, texts := m.sets.val.photos, m.sets.val.texts
	reference, corpus := m.sets.train.photos, m.sets.train.texts
	if c.Info().Normalizes {
		photos, texts, reference, corpus = align.Units(photos), align.Units(texts), align.Units(reference), align.Units(corpus)
	}
	greedy := captioner.Decoding{Beams: 1, Align: "none"}
	for _, lambda := range []float64{0.25, 0.5, 0.75, 1} {
		mixed := make([][]float32, len(photos))
		for i := range photos {
			mixed[i] = align.Mixup(texts[i], photos[i], lambda)
		}
		if err := m.score(ctx, c, key{m.run.Name, m.seed, fmt.Sprint(lambda), mixture}, greedy, mixed, 1); err != nil {
			return err
		}
	}
	aligned, err := align.Every(photos, reference, corpus)
	if err != nil {
		return err
	}
	for _, a := range aligned {
		if err := m.score(ctx, c, key{m.run.Name, m.seed, a.Name, alignment}, greedy, a.Photos, 1); err != nil {
			return err
		}
	}
	return nil
}

// score captions embeddings and compares with the references but for the first few,
// unless that was done before.
func (m measurement) score(ctx context.Context, c *captioner.Captioner, k key, d captioner.Decoding, embeddings [][]float32, leave int) error {
	if m.results.has(k) {
		return nil
	}
	c, err := c.With(d)
	if err != nil {
		return err
	}
	began := time.Now()
	var samples []metrics.Sample
	for caption, err := range c.CaptionEmbeddings(ctx, slices.Values(embeddings)) {
		if err != nil && !errors.Is(err, captioner.ErrEmpty) {
			return err
		}
		r := m.sets.val.records[len(samples)]
		samples = append(samples, metrics.Sample{ID: r.Image, Candidate: caption.Text, References: r.Captions[leave:]})
	}
	summary, err := evaluate.Bootstrap{Resamples: 1000, Seed: 1}.Summarize(ctx, samples)
	if err != nil {
		return err
	}
	out := result{key: k, Photos: len(samples), Summary: summary}
	var captions []string
	for _, s := range samples {
		captions = append(captions, s.Candidate)
	}
	for _, j := range m.sets.judges {
		by, err := j.look(ctx, captions)
		if err != nil {
			return err
		}
		out.Found = append(out.Found, by)
	}
	out.Captions = captions[:min(3, len(captions))]
	fmt.Fprintf(os.Stderr, "%s, %s %s: CIDEr %.3f, %s\n", m.name(), k.Kind, k.Way, summary.CIDEr, time.Since(began).Round(time.Second))
	return m.results.add(out)
}
