package scenegraph

import (
	"math"
	"slices"
	"testing"
)

func TestGraphMerges(t *testing.T) {
	l := NewLexicon()
	for _, tt := range []struct {
		name     string
		captions [][]Tuple
		want     int // tuples
	}{
		{"an object twice", [][]Tuple{{{"dog"}}, {{"dog"}, {"dog", "big"}}}, 2},
		{"synonyms", [][]Tuple{{{"bike"}, {"bike", "big"}}, {{"bicycle"}, {"bicycle", "large"}}}, 2},
		{"no synonyms", [][]Tuple{{{"dog"}}, {{"cat"}}}, 2},
		{"a relation of synonyms", [][]Tuple{{{"man", "ride", "bike"}}, {{"man", "ride", "bicycle"}}}, 3},
		{"the relation turned round", [][]Tuple{{{"dog", "see", "cat"}, {"cat", "see", "dog"}}}, 4},
		{"two relations", [][]Tuple{{{"dog", "see", "cat"}, {"dog", "chew on", "cat"}}}, 4},
		{"nothing", nil, 0},
	} {
		if got := len(l.Graph(tt.captions...).tuples()); got != tt.want {
			t.Errorf("%s: %d tuples, want %d", tt.name, got, tt.want)
		}
	}
}

func TestF1(t *testing.T) {
	l := NewLexicon()
	for _, tt := range []struct {
		name                 string
		candidate, reference []Tuple
		want                 float64
	}{
		{"the same", []Tuple{{"dog"}, {"dog", "big"}}, []Tuple{{"dog"}, {"dog", "big"}}, 1},
		{"one of two, of three", []Tuple{{"dog"}, {"dog", "big"}}, []Tuple{{"dog"}, {"cat"}, {"tree"}}, 2 * (1. / 2) * (1. / 3) / (1./2 + 1./3)},
		{"a synonym in each slot", []Tuple{{"bicycle", "large"}}, []Tuple{{"bike", "big"}}, 1},
		{"an attribute of another", []Tuple{{"dog", "big"}}, []Tuple{{"dog"}, {"cat", "big"}}, 2 * (1. / 2) * (1. / 3) / (1./2 + 1./3)},
		{"the relation turned round", []Tuple{{"dog", "see", "cat"}}, []Tuple{{"cat", "see", "dog"}}, 2. / 3},
		{"nothing in common", []Tuple{{"dog"}}, []Tuple{{"cat"}}, 0},
		{"nothing said", nil, []Tuple{{"cat"}}, 0},
		{"nothing known", []Tuple{{"cat"}}, nil, 0},
	} {
		if got := F1(l.Graph(tt.candidate), l.Graph(tt.reference)); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestGraphForgetsOrder holds it where a merged concept draws in a third.
func TestGraphForgetsOrder(t *testing.T) {
	l := NewLexicon()
	captions := [][]Tuple{{{"piece"}}, {{"man"}}, {{"part"}, {"part", "large"}}, {{"person"}, {"person", "big"}}, {{"patch"}}}
	candidate := l.Graph([]Tuple{{"man"}, {"man", "big"}, {"part"}})
	want := F1(candidate, l.Graph(captions...))
	for range captions {
		captions = append(captions[1:], captions[0])
		if got := F1(candidate, l.Graph(captions...)); got != want {
			t.Errorf("%v: %v, want %v", captions, got, want)
		}
		slices.Reverse(captions[1:])
	}
}
