package meteor

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
)

// segment is a segment of a file of segments whose statistics are known.
type segment struct {
	Name       string     `json:"image_name"`
	References []string   `json:"refs"`
	Candidate  string     `json:"hyp"`
	Statistics Statistics `json:"meteor_stats"`
	Score      float64    `json:"meteor"`
}

func segments(t testing.TB) []segment {
	t.Helper()
	data := read(t, "fixtures", "metrics", "flickr30k_magic_tokenized_with_meteor_nopara.json")
	var all []segment
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(golden.Shared(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (s segment) texts() (candidate []string, references [][]string) {
	for _, reference := range s.References {
		references = append(references, strings.Fields(reference))
	}
	return strings.Fields(s.Candidate), references
}

// TestSegments compares the statistics and the score of every segment, and the
// score of all.
func TestSegments(t *testing.T) {
	aligner := NewAligner(nil)
	var sum, wantSum Statistics
	all, differ := segments(t), 0
	for _, s := range all {
		got := aligner.Best(s.texts())
		if got != s.Statistics {
			differ++
			t.Errorf("%s, %q:\n got %v\nwant %v", s.Name, s.Candidate, got, s.Statistics)
		}
		if math.Abs(got.Score()-s.Score) > 1e-6 {
			t.Errorf("%s, %q: score %g, want %g", s.Name, s.Candidate, got.Score(), s.Score)
		}
		sum.Add(got, 1)
		wantSum.Add(s.Statistics, 1)
	}
	if sum != wantSum {
		t.Errorf("all segments: got %v, want %v", sum, wantSum)
	}
	t.Logf("the statistics of %d of %d segments differ; all score %.5f", differ, len(all), sum.Score())
}

// TestAlign holds the alignment of awkward texts.
func TestAlign(t *testing.T) {
	for _, tt := range []struct {
		what, candidate, reference string
		exact, stem, synonym       int // words matched in the candidate
		chunks                     int
	}{
		{"nothing", "", "", 0, 0, 0, 0},
		{"nothing in common", "zebra", "giraffe", 0, 0, 0, 0},
		{"one text", "a dog and a dog", "a dog and a dog", 5, 0, 0, 1},
		{"two chunks", "dog runs a", "a dog runs", 3, 0, 0, 2},
		{"a repeated word stays with its neighbour", "the cat", "the dog the cat", 2, 0, 0, 1},
		// "dogs" and "dog" match by stem and by synset, so neither match is
		// certain. In the search both weigh nothing, and alone they would only
		// make a chunk.
		{"a stem beside an exact match", "dogs bark", "dog bark", 1, 1, 0, 1},
		{"a stem alone", "dogs", "dog", 0, 0, 0, 0},
		{"a synonym", "kid", "child", 0, 0, 1, 1},
		{"an irregular form", "bikes", "bicycle", 0, 0, 1, 1},
	} {
		s := NewAligner(nil).Best(strings.Fields(tt.candidate), [][]string{strings.Fields(tt.reference)})
		got := []int{matchedBy(s, exact), matchedBy(s, stem), matchedBy(s, synonym), s[atChunks]}
		if want := []int{tt.exact, tt.stem, tt.synonym, tt.chunks}; !slices.Equal(got, want) {
			t.Errorf("%s: exact, stem, synonym and chunks are %v, want %v", tt.what, got, want)
		}
	}
}

// matchedBy returns the words of the candidate that a matcher matched.
func matchedBy(s Statistics, matcher int) int {
	return s[atMatches+4*matcher] + s[atMatches+4*matcher+2]
}

// TestExactMatches holds that the search loses no exact match of short texts:
// it finds as many as the texts have words in common.
func TestExactMatches(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("a the dog dogs hound bike bicycle bikes two kids")
	text := func() []string {
		text := make([]string, 1+random.IntN(8))
		for i := range text {
			text[i] = words[random.IntN(len(words))]
		}
		return text
	}
	aligner := NewAligner(nil)
	for range 2000 {
		candidate, reference := text(), text()
		common := 0
		for _, word := range words {
			common += min(count(candidate, word), count(reference, word))
		}
		s := aligner.Best(candidate, [][]string{reference})
		if got := matchedBy(s, exact); got != common {
			t.Errorf("%q and %q: %d exact matches, want %d", candidate, reference, got, common)
		}
	}
}

func count(text []string, word string) int {
	n := 0
	for _, w := range text {
		if w == word {
			n++
		}
	}
	return n
}

// TestLong holds that a hostile text is scored in a moment, and that what is
// not aligned still counts in the lengths.
func TestLong(t *testing.T) {
	candidate := slices.Repeat([]string{"a"}, 50*longest)
	reference := slices.Repeat([]string{"a", "b"}, 25*longest)
	s := NewAligner(nil).Best(candidate, [][]string{reference})
	if s[atLengths] != len(candidate) || s[atLengths+1] != len(reference) {
		t.Errorf("lengths %v, want %d and %d", s[:2], len(candidate), len(reference))
	}
	if got := s[atMatchedWords]; got != longest/2 {
		t.Errorf("%d words are matched, want %d", got, longest/2)
	}
	if got := NewAligner(nil).Best(candidate, [][]string{candidate}).Score(); got != 1 {
		t.Errorf("a long text scores %g against itself, want 1", got)
	}
}

func FuzzBest(f *testing.F) {
	for _, text := range []string{"", "a dog 's ball", "u.s.-based ... ''", "a a b a", "\xff\uffff–'"} {
		f.Add(text, "a dog runs")
	}
	aligner := NewAligner(nil)
	aligner.Best([]string{"a"}, [][]string{{"a"}}) // reads WordNet, which takes too long for an input on a busy machine
	f.Fuzz(func(t *testing.T, candidate, reference string) {
		c, r := strings.Split(candidate, " "), strings.Split(reference, " ")
		if got := aligner.Best(c, [][]string{r}).Score(); !(got >= 0 && got <= 1) {
			t.Errorf("%q against %q scores %g", candidate, reference, got)
		}
		want := min(1, float64(len(normalize(c))))
		if got := aligner.Best(c, [][]string{r, c}).Score(); math.Abs(got-want) > 1e-12 {
			t.Errorf("%q scores %g against itself, want %g", candidate, got, want)
		}
	})
}

func BenchmarkBest(b *testing.B) {
	all := segments(b)
	aligner := NewAligner(nil)
	for i := 0; b.Loop(); i++ {
		aligner.Best(all[i%len(all)].texts())
	}
}

func BenchmarkBestLong(b *testing.B) {
	for _, words := range []int{100, longest} {
		b.Run(fmt.Sprint(words), func(b *testing.B) {
			aligner := NewAligner(nil)
			for b.Loop() {
				aligner.Best(slices.Repeat([]string{"a"}, words), [][]string{slices.Repeat([]string{"a", "b"}, words/2)})
			}
		})
	}
}
