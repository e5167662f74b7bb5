package evaluate

import (
	"context"

	"github.com/cutline-go/cutline/metrics"
)

// bleuScorer keeps BLEU's counts of each image, from which all is computed.
type bleuScorer struct {
	names  [4]string
	images []bleuImage
}

// bleuImage is metrics.BLEUCounts in 24 bytes. The number of guesses follows from the
// length.
type bleuImage struct {
	correct              [4]int32
	candidate, reference int32
}

func (b bleuImage) counts() metrics.BLEUCounts {
	counts := metrics.BLEUCounts{CandidateLength: int(b.candidate), ReferenceLength: int(b.reference)}
	for n, correct := range b.correct {
		counts.Guesses[n], counts.Correct[n] = max(0, int(b.candidate)-n), int(correct)
	}
	return counts
}

func (s *bleuScorer) Add(_ context.Context, b Block) error {
	r := metrics.BLEU(b.Tokens)
	for n, score := range r.Scores {
		s.names[n] = score.Name
	}
	for _, c := range r.Images {
		image := bleuImage{candidate: int32(c.CandidateLength), reference: int32(c.ReferenceLength)}
		for n, correct := range c.Correct {
			image.correct[n] = int32(correct)
		}
		s.images = append(s.images, image)
	}
	return nil
}

// over takes BLEU over images that occur so many times.
func (s *bleuScorer) over(times []int32) []float64 {
	var length, reference int
	var correct, short [4]int // short: how many n-grams a caption lacks of as many as words
	for i, image := range s.images {
		n := int(times[i])
		length += n * int(image.candidate)
		reference += n * int(image.reference)
		for k, c := range image.correct {
			correct[k] += n * int(c)
			short[k] += n * min(k, int(image.candidate))
		}
	}
	sum := metrics.BLEUCounts{Correct: correct, CandidateLength: length, ReferenceLength: reference}
	for k := range short {
		sum.Guesses[k] = length - short[k]
	}
	scores := sum.Scores()
	return scores[:]
}

func (s *bleuScorer) Scores(context.Context) ([]Score, error) {
	var all metrics.BLEUCounts
	for _, image := range s.images {
		all.Add(image.counts(), 1)
	}
	together := &family{s.over}
	scores := make([]Score, len(s.names))
	for n, name := range s.names {
		scores[n] = Score{
			Key: name, Name: name, Corpus: all.Scores()[n], images: len(s.images), family: together, member: n,
			image: func(i int) float64 { return s.images[i].counts().Scores()[n] },
			Counts: map[string]int{
				name + "_guess": all.Guesses[n], name + "_correct": all.Correct[n],
				"candidate_length": all.CandidateLength, "reference_length": all.ReferenceLength,
			},
		}
	}
	return scores, nil
}

func (*bleuScorer) Close() error { return nil }
