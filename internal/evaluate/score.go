package evaluate

import (
	"math"

	"github.com/cutline-go/cutline/metrics"
)

// Score is what a metric gives over a set of images, and the way to take it again
// over any multiset of them.
type Score struct {
	Key    string // short and fixed, such as "bleu4"
	Name   string // what ran, such as "meteor (exact+stem+synonym)"
	Part   string // of the images, if it is not of all
	Corpus float64
	Counts map[string]int // raw counts that it was computed from, by names; most have none

	images int
	image  func(i int) float64
	family *family // nil where images may not be drawn twice
	member int
}

// family is scores that are taken together over images, the ith of which occurs times[i]
// times.
type family struct{ over func(times []int32) []float64 }

// NewMean returns a score whose value over a set of images is their mean.
func NewMean(key string, s metrics.Scores) Score {
	return Score{
		Key: key, Name: s.Name, Corpus: s.Corpus,
		images: len(s.Images), image: func(i int) float64 { return s.Images[i] },
		family: &family{func(times []int32) []float64 { return []float64{meanOver(s.Images, times)} }},
	}
}

func meanOver(values []float64, times []int32) float64 {
	var sum, n float64
	for i, v := range values {
		if times[i] != 0 { // not a number times nothing is not a number
			sum += float64(times[i]) * v
			n += float64(times[i])
		}
	}
	return sum / n
}

// Image returns the score of one image.
func (s Score) Image(i int) float64 { return s.image(i) }

// overAll takes scores over images, the ith of which occurs times[i] times. They are NaN
// where a score says nothing of images that occur twice.
func overAll(scores []Score, times []int32) []float64 {
	values := make([]float64, len(scores))
	var last *family
	var taken []float64
	for i, s := range scores {
		if s.family == nil {
			values[i] = math.NaN()
			continue
		}
		if s.family != last {
			last, taken = s.family, s.family.over(times)
		}
		values[i] = taken[s.member]
	}
	return values
}

// Within returns the scores over some of the images, as if there were no others but for
// what the metrics learnt from all, such as CIDEr's document frequencies.
func Within(scores []Score, part string, member []bool) []Score {
	within := &family{func(times []int32) []float64 {
		masked := make([]int32, len(times))
		for i, is := range member {
			if is {
				masked[i] = times[i]
			}
		}
		return overAll(scores, masked)
	}}
	once := make([]int32, len(member))
	for i := range once {
		once[i] = 1
	}
	list := make([]Score, len(scores))
	for i, value := range within.over(once) {
		s := scores[i]
		list[i] = Score{
			Key: s.Key + "/" + part, Name: s.Name + ", " + part, Part: part, Corpus: value,
			images: s.images, image: s.image, family: within, member: i,
		}
	}
	return list
}
