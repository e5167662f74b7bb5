package metrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// jarResult is one image as the jar writes it: precision, recall, F1 and
// counts by category, of which F1 is read.
type jarResult struct {
	ImageID jarID `json:"image_id"`
	Scores  map[string]struct {
		F json.RawMessage `json:"f"`
	} `json:"scores"`
}

// jarID is an image id: the jar gives back what it was handed, but versions of
// it are around that print an id of digits as a number.
type jarID string

func (id *jarID) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err == nil {
		*id = jarID(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return fmt.Errorf("image_id is %s", data)
	}
	*id = jarID(n.String())
	return nil
}

// parseJarOutput returns the scores in the order of the samples. The official
// name of the whole is "All".
func parseJarOutput(data []byte, samples []Sample) (SPICEScores, error) {
	var results []jarResult
	if err := json.Unmarshal(data, &results); err != nil {
		return SPICEScores{}, err
	}
	byID := make(map[string]map[string]float64, len(results))
	for _, r := range results {
		if _, twice := byID[string(r.ImageID)]; twice {
			return SPICEScores{}, fmt.Errorf("image %q occurs twice", r.ImageID)
		}
		f1 := make(map[string]float64, len(r.Scores))
		for category, score := range r.Scores {
			f, err := parseF1(score.F)
			if err != nil {
				return SPICEScores{}, fmt.Errorf("image %q, %s: %w", r.ImageID, category, err)
			}
			f1[category] = f
		}
		byID[string(r.ImageID)] = f1
	}
	return collect(byID, samples)
}

// collect puts the F1 scores of the images into the order of the samples.
func collect(byID map[string]map[string]float64, samples []Sample) (SPICEScores, error) {
	columns := make(map[string][]float64)
	for i, s := range samples {
		f1, known := byID[s.ID]
		if !known {
			return SPICEScores{}, fmt.Errorf("image %q is missing", s.ID)
		}
		if _, known := f1["All"]; !known {
			return SPICEScores{}, fmt.Errorf("image %q has no score \"All\"", s.ID)
		}
		for category := range f1 {
			if columns[category] == nil {
				columns[category] = slices.Repeat([]float64{math.NaN()}, len(samples))
			}
			columns[category][i] = f1[category]
		}
	}
	if len(byID) != len(samples) {
		return SPICEScores{}, fmt.Errorf("%d images for %d", len(byID), len(samples))
	}
	whole := SPICEScores{Scores: meanScores("spice", columns["All"])}
	delete(columns, "All")
	for _, category := range slices.Sorted(maps.Keys(columns)) {
		name := "spice " + strings.ToLower(category)
		scores := meanScores(name, columns[category])
		scores.Corpus = meanScores(name, slices.DeleteFunc(slices.Clone(scores.Images), math.IsNaN)).Corpus
		whole.Categories = append(whole.Categories, scores)
	}
	return whole, nil
}

// parseF1 reads an F1 score; null, as the jar writes NaN, is NaN.
func parseF1(data json.RawMessage) (float64, error) {
	if len(data) == 0 {
		return 0, errors.New("no F1")
	}
	if bytes.Equal(data, []byte("null")) {
		return math.NaN(), nil
	}
	var f float64
	if err := json.Unmarshal(data, &f); err != nil || f < 0 || f > 1 {
		return 0, fmt.Errorf("F1 is %.40s", data)
	}
	return f, nil
}
