package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/internal/evaluate"
	"github.com/cutline-go/cutline/metrics"
)

// analyzeGapCmd measures the gap between photos and their captions in a model's CLIP
// and, where the model captions, what becomes of captions along it.
type analyzeGapCmd struct {
	References       string    `required:"" placeholder:"FILE" help:"Photos' captions, in any format that eval takes."`
	ReferencesFormat string    `default:"auto" enum:"${captionFormats}" help:"Format of that file where its content does not tell: ${enum}."`
	Split            string    `placeholder:"NAME" help:"Only the photos of a split, such as val."`
	Photos           string    `required:"" placeholder:"PATH" help:"The photos: a folder or an uncompressed tar archive."`
	Limit            int       `default:"1000" placeholder:"N" help:"Photos that are looked at, from the first."`
	Mixup            []float64 `default:"0,0.25,0.5,0.75,1" placeholder:"λ,…" help:"Shares of the text in the embeddings that are captioned: 0 is the photo, 1 a caption of it."`
	Alignments       bool      `help:"Caption the photos by every alignment with these texts, too: mean, rotation, optimal transport."`
	SVG              string    `name:"svg" placeholder:"FILE" help:"Draw the curve to FILE."`
	Bootstrap        int       `default:"1000" placeholder:"N" help:"Resamples of the photos for intervals, drawn by --seed."`
	Format           string    `enum:"text,json" default:"text" help:"What to print: ${enum}."`
	modelFlags
	decodingFlags
}

// gapReport is what analyze modality-gap prints.
type gapReport struct {
	Model  string `json:"model"`
	CLIP   string `json:"clip"`
	Photos int    `json:"photo_count"`
	Texts  int    `json:"text_count"`
	*align.Gap
	Mixup      []mixupPoint     `json:"mixup,omitempty"`
	Alignments []alignmentScore `json:"alignments,omitempty"`
}

// mixupPoint is how good captions are at one mixture.
type mixupPoint struct {
	Lambda float64 `json:"lambda"`
	captionScore
}

// alignmentScore is how good they are by one alignment.
type alignmentScore struct {
	Name string `json:"alignment"`
	captionScore
}

// captionScore is of captions against references.
type captionScore struct {
	CIDEr    float64    `json:"cider"`
	Interval [2]float64 `json:"interval"`
	BLEU4    float64    `json:"bleu4"`
	Distinct float64    `json:"distinct_captions"`
}

func (cmd *analyzeGapCmd) Run(ctx context.Context, c *console) error {
	if err := cmd.check(); err != nil {
		return err
	}
	model, err := cmd.open(32)
	if err != nil {
		return err
	}
	defer model.Close()
	info := model.Info()
	if !info.Captions {
		if cmd.SVG != "" || cmd.Alignments {
			return fmt.Errorf("model %q is a CLIP alone: it writes no captions to draw a curve of", info.Name)
		}
	} else if model, err = cmd.apply(model); err != nil {
		return err
	}
	set, err := cmd.embed(ctx, c, model)
	if err != nil {
		return err
	}
	report := &gapReport{Model: info.Name, CLIP: info.CLIP, Photos: len(set.photos), Texts: len(set.texts)}
	if report.Gap, err = align.NewGap(set.photos, set.texts, set.of); err != nil {
		return err
	}
	if info.Captions {
		if err := cmd.captions(ctx, c, model, set, report); err != nil {
			return err
		}
	}
	if cmd.SVG != "" {
		if err := writeFile(cmd.SVG, report.draw); err != nil {
			return err
		}
	}
	if cmd.Format == "json" {
		return writeJSON(c.out, "", report)
	}
	return report.text(c.out)
}

func (cmd *analyzeGapCmd) check() error {
	for _, lambda := range cmd.Mixup {
		if !(lambda >= 0 && lambda <= 1) {
			return &usageError{fmt.Sprintf("--mixup has %g, want shares from 0 to 1", lambda), ""}
		}
	}
	switch {
	case cmd.Limit < 2:
		return &usageError{"--limit must be at least 2", ""}
	case cmd.Bootstrap < 1:
		return &usageError{"--bootstrap must be at least 1", ""}
	case cmd.SVG != "" && len(cmd.Mixup) == 0:
		return &usageError{"--svg draws the curve of --mixup", ""}
	}
	return nil
}

// gapSet is photos and their captions, embedded.
type gapSet struct {
	photos  [][]float32
	texts   [][]float32
	of      []int // the photo of each text
	first   []int // the first text of each photo
	samples []metrics.Sample
}

// embed embeds the photos and all their captions. A caption is read as a text, and so
// it is no reference of what is written about that text, where there are others.
func (cmd *analyzeGapCmd) embed(ctx context.Context, c *console, model *captioner.Captioner) (*gapSet, error) {
	files := evalFiles{References: cmd.References, ReferencesFormat: cmd.ReferencesFormat, Split: cmd.Split}
	references, err := files.readReferences()
	if err != nil {
		return nil, err
	}
	defer references.Close()
	photos, err := openPhotos(cmd.Photos)
	if err != nil {
		return nil, err
	}
	defer photos.close()
	pairing, err := photos.pair(references)
	if err != nil {
		return nil, err
	}
	defer pairing.Close()
	set, reader := &gapSet{}, likeness{model, photos.open}
	bar := newProgress(c.messages, min(cmd.Limit, pairing.Len()))
	defer bar.hide()
	for s, err := range pairing.Samples() {
		if err != nil {
			return nil, err
		}
		if len(set.photos) == cmd.Limit {
			break
		}
		if err := set.add(ctx, reader, s); err != nil {
			return nil, err
		}
		bar.step()
	}
	if len(set.photos) < 2 {
		return nil, errors.New("fewer than two photos with captions")
	}
	return set, nil
}

// add embeds a photo and its captions.
func (s *gapSet) add(ctx context.Context, reader likeness, sample dataset.Sample) error {
	if len(sample.References) == 0 {
		return nil
	}
	photo, err := reader.embedPhoto(ctx, sample.Candidates[0])
	if err != nil {
		return fmt.Errorf("%s: %w", sample.Candidates[0], err)
	}
	number := len(s.photos)
	s.photos, s.first = append(s.photos, photo), append(s.first, len(s.texts))
	for _, caption := range sample.References {
		text, err := reader.model.EmbedText(ctx, caption)
		if err != nil {
			return err
		}
		s.texts, s.of = append(s.texts, text), append(s.of, number)
	}
	others := sample.References
	if len(others) > 1 {
		others = others[1:]
	}
	s.samples = append(s.samples, metrics.Sample{ID: sample.Image, References: others})
	return nil
}

// captions captions along the curve, and by each alignment.
func (cmd *analyzeGapCmd) captions(ctx context.Context, c *console, model *captioner.Captioner, set *gapSet, report *gapReport) error {
	photos, texts := set.photos, set.firstTexts()
	if model.Info().Normalizes {
		photos, texts = align.Units(photos), align.Units(texts)
	}
	for _, lambda := range cmd.Mixup {
		mixed := make([][]float32, len(photos))
		for i := range photos {
			mixed[i] = align.Mixup(texts[i], photos[i], lambda)
		}
		score, err := cmd.score(ctx, c, model, mixed, set.samples)
		if err != nil {
			return err
		}
		report.Mixup = append(report.Mixup, mixupPoint{lambda, score})
	}
	if !cmd.Alignments {
		return nil
	}
	aligned, err := allAlignments(photos, texts)
	if err != nil {
		return err
	}
	for _, a := range aligned {
		score, err := cmd.score(ctx, c, model, a.photos, set.samples)
		if err != nil {
			return err
		}
		report.Alignments = append(report.Alignments, alignmentScore{a.name, score})
	}
	return nil
}

func (s *gapSet) firstTexts() [][]float32 {
	out := make([][]float32, len(s.first))
	for i, j := range s.first {
		out[i] = s.texts[j]
	}
	return out
}

// score captions embeddings and compares with the references.
func (cmd *analyzeGapCmd) score(ctx context.Context, c *console, model *captioner.Captioner, embeddings [][]float32, samples []metrics.Sample) (captionScore, error) {
	bar := newProgress(c.messages, len(embeddings))
	defer bar.hide()
	scored, distinct := slices.Clone(samples), make(map[string]bool)
	i := 0
	for caption, err := range model.CaptionEmbeddings(ctx, slices.Values(embeddings)) {
		if err != nil && !errors.Is(err, captioner.ErrEmpty) {
			return captionScore{}, err
		}
		scored[i].Candidate = caption.Text // none counts as the worst
		distinct[caption.Text] = true
		bar.step()
		i++
	}
	scores, err := scoreInMemory(ctx, scored)
	if err != nil {
		return captionScore{}, err
	}
	intervals, err := evaluate.Bootstrap{Resamples: cmd.Bootstrap, Seed: cmd.Seed}.Intervals(scores)
	if err != nil {
		return captionScore{}, err
	}
	out := captionScore{Distinct: float64(len(distinct)) / float64(len(embeddings))}
	for i, s := range scores {
		switch s.Key {
		case "cider":
			out.CIDEr, out.Interval = s.Corpus, [2]float64{intervals[i].Low, intervals[i].High}
		case "bleu4":
			out.BLEU4 = s.Corpus
		}
	}
	return out, nil
}

// scoreInMemory takes CIDEr and BLEU.
func scoreInMemory(ctx context.Context, samples []metrics.Sample) ([]evaluate.Score, error) {
	var scorers []evaluate.Scorer
	for _, metric := range []evaluate.Metric{evaluate.CIDEr, evaluate.BLEU} {
		scorer, err := metric.Scorer(evaluate.Resources{})
		if err != nil {
			return nil, err
		}
		scorers = append(scorers, scorer)
	}
	return evaluate.Run(ctx, evaluate.InMemory(samples), scorers, nil)
}

// alignedPhotos are photos after an alignment.
type alignedPhotos struct {
	name   string
	photos [][]float32
}

// sinkhornReg is the regularisation of the entropic plans: small beside distances of
// unit embeddings, which are around 1.
const sinkhornReg = 0.02

// allAlignments aligns photos with one text each, of which every one is of a photo
// here: as the paper did, with the set itself as the reference.
func allAlignments(photos, texts [][]float32) ([]alignedPhotos, error) {
	from, err := align.Centre(slices.Values(photos))
	if err != nil {
		return nil, err
	}
	to, err := align.Centre(slices.Values(texts))
	if err != nil {
		return nil, err
	}
	mean := make([][]float32, len(photos))
	for i, photo := range photos {
		mean[i] = align.MeanShift(photo, from, to)
	}
	out := []alignedPhotos{{"none", photos}, {"mean", mean}}
	for _, signs := range []align.Signs{align.AsDecomposed, align.BySkewness, align.ByPairs} {
		r, err := align.NewRotation(photos, texts, signs)
		if err != nil {
			return nil, err
		}
		rotated := make([][]float32, len(photos))
		for i, photo := range photos {
			rotated[i] = r.Rotate(photo)
		}
		out = append(out, alignedPhotos{"rotation, signs by " + string(signs), rotated})
	}
	exact, err := align.NewExact(photos, texts)
	if err != nil {
		return nil, err
	}
	literal, err := align.Literal(exact, photos, texts)
	if err != nil {
		return nil, err
	}
	sinkhorn, err := align.NewSinkhorn(photos, texts, sinkhornReg)
	if err != nil {
		return nil, err
	}
	return append(out,
		alignedPhotos{"transport, literal", literal},
		alignedPhotos{"transport, barycentric", align.Barycentric(exact, photos, texts)},
		alignedPhotos{"Sinkhorn, barycentric", align.Barycentric(sinkhorn, photos, texts)},
	), nil
}

// lambdaName is how a share is written.
func lambdaName(lambda float64) string { return fmt.Sprint(math.Round(lambda*1000) / 1000) }
