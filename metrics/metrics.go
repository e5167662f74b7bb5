// Package metrics scores captions as the field does, without Java: BLEU,
// ROUGE-L, CIDEr-D, METEOR and SPICE over the PTB tokenizer of coco-caption,
// CLIPScore and self-retrieval from embeddings, and measures of diversity.
//
// A metric is a function from samples to Scores: one number over the corpus,
// aggregated exactly as the official code does it, and one for each image.
// All scores are fractions, as the official tools print them.
package metrics

// Sample is one image: a candidate caption and what people said of the image.
type Sample struct {
	ID         string
	Candidate  string
	References []string
}

// Tokens is a Sample after TokenizeAll.
type Tokens struct {
	ID         string
	Candidate  []string
	References [][]string
}

// Scores is what one metric gives, as fractions; CIDEr's are already times ten,
// as the official tool prints it.
type Scores struct {
	Name   string    // what was computed, such as "bleu4" or "meteor (exact+stem+synonym)"
	Corpus float64   // over the corpus, as the official code aggregates: not always the mean
	Images []float64 // for each image, in the order of the samples
}

// meanScores returns the scores whose aggregate is the mean.
func meanScores(name string, images []float64) Scores {
	sum := 0.0
	for _, score := range images {
		sum += score
	}
	return Scores{Name: name, Corpus: sum / float64(len(images)), Images: images}
}
