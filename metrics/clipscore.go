package metrics

import (
	"errors"
	"fmt"
	"math"
)

// CLIPScoreModel is the only CLIP whose numbers are CLIPScores, as OpenAI calls
// it. Weights of others for the same architecture go by another name.
const CLIPScoreModel = "ViT-B/32"

// CLIPScorePrompt stands before each caption and reference that is embedded for
// CLIPScore.
const CLIPScorePrompt = "A photo depicts "

// CLIPScores computes CLIPScore for each image, 2.5·max(cos, 0) of its
// embedding and its candidate's, and the mean (Hessel et al., 2021). Embeddings
// need not be normalized; one without direction has cosine 0 with all.
//
// The embeddings are of the CLIP that is named. Unless that is CLIPScoreModel,
// the scores are the plain cosines and named clip_similarity with that model,
// for they compare with nobody's CLIPScore.
//
// Two official conventions for the text exist, and a report has to say which
// one it follows. The program clipscore embeds the prompt and the caption as
// it is written; the evaluation beside coco-caption's other metrics embeds the
// prompt and the tokens of Tokenize joined by spaces, so without full stop.
//
// An error is returned unless each image has one candidate of the same width.
func CLIPScores(clip string, images, candidates [][]float32) (Scores, error) {
	if err := checkPairs(images, candidates); err != nil {
		return Scores{}, fmt.Errorf("clipscore: %w", err)
	}
	scores := make([]float64, len(images))
	for i := range images {
		scores[i] = cosineOf(images[i], candidates[i])
	}
	if clip != CLIPScoreModel {
		return meanScores("clip_similarity ("+clip+")", scores), nil
	}
	for i, cosine := range scores {
		scores[i] = clipScale * max(cosine, 0)
	}
	return meanScores("clipscore", scores), nil
}

// clipScale is what CLIPScore stretches the cosine by, since no pair of photo
// and caption comes near 1.
const clipScale = 2.5

// RefCLIPScores computes RefCLIPScore for each image and the mean: the harmonic
// mean of CLIPScore and of the greatest cosine between candidate and reference.
// As in the official code that cosine is not stretched by 2.5 and not clipped
// at 0, though the paper clips it. references[i] are the embeddings of image
// i's references, with the prompt and in the convention of the candidates.
//
// With another CLIP than CLIPScoreModel the cosine of image and candidate is
// not stretched either, and the name is ref_clip_similarity with that model.
// Errors are those of CLIPScores; an image without references is one too.
func RefCLIPScores(clip string, images, candidates [][]float32, references [][][]float32) (Scores, error) {
	if err := checkPairs(images, candidates); err != nil {
		return Scores{}, fmt.Errorf("refclipscore: %w", err)
	}
	if len(references) != len(images) {
		return Scores{}, fmt.Errorf("refclipscore: references of %d images for %d", len(references), len(images))
	}
	name, scale := "refclipscore", clipScale
	if clip != CLIPScoreModel {
		name, scale = "ref_clip_similarity ("+clip+")", 1.0
	}
	scores := make([]float64, len(images))
	for i, candidate := range candidates {
		closest, err := closestReference(candidate, references[i])
		if err != nil {
			return Scores{}, fmt.Errorf("refclipscore: image %d: %w", i, err)
		}
		scores[i] = harmonicMean(scale*max(cosineOf(images[i], candidate), 0), closest)
	}
	return meanScores(name, scores), nil
}

// closestReference returns the greatest cosine of the candidate with one of the
// references.
func closestReference(candidate []float32, references [][]float32) (float64, error) {
	if len(references) == 0 {
		return 0, errors.New("no reference")
	}
	closest := math.Inf(-1)
	for j, reference := range references {
		if len(reference) != len(candidate) {
			return 0, fmt.Errorf("reference %d is %d wide, the candidate %d", j, len(reference), len(candidate))
		}
		closest = max(closest, cosineOf(candidate, reference))
	}
	return closest, nil
}

// checkPairs tells whether there are as many candidates as images, all of one
// width.
func checkPairs(images, candidates [][]float32) error {
	if len(images) != len(candidates) {
		return fmt.Errorf("%d candidates for %d images", len(candidates), len(images))
	}
	for i := range images {
		if len(images[i]) != len(images[0]) || len(candidates[i]) != len(images[0]) {
			return fmt.Errorf("image %d is %d wide and its candidate %d, want %d",
				i, len(images[i]), len(candidates[i]), len(images[0]))
		}
	}
	return nil
}

func harmonicMean(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

// cosineOf returns the cosine of two vectors of one width, 0 where one of them
// is zero.
func cosineOf(a, b []float32) float64 {
	var dot, aa, bb float64
	for i, x := range a {
		y := float64(b[i])
		dot += float64(x) * y
		aa += float64(x) * float64(x)
		bb += y * y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return dot / math.Sqrt(aa*bb)
}
