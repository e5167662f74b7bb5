package metrics

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"strings"
)

// DocumentFrequencies says of every n-gram, n = 1 to 4, in the references of
// how many images it occurs. CIDEr weighs by it.
type DocumentFrequencies struct {
	logImages float64
	counts    map[gram]int
}

// CountDocuments counts the n-grams in the references of the samples.
func CountDocuments(samples []Tokens) *DocumentFrequencies {
	counter := DocumentCounter{grams: newGramCounter(math.MaxInt)}
	_ = counter.Add(samples) // fails on a full disk alone, and uses none
	return &DocumentFrequencies{math.Log(float64(len(samples))), counter.grams.counts}
}

// inverse returns log(images) − log(max(1, frequency)), which is negative only
// where a file counts an n-gram in more images than it says there are.
func (df *DocumentFrequencies) inverse(g gram) float64 {
	return df.logImages - math.Log(float64(max(df.counts[g], 1)))
}

// frequencyFile is document frequencies as they are stored.
type frequencyFile struct {
	Images      float64           `json:"images"`
	Frequencies map[string]uint32 `json:"document_frequencies"`
}

// ReadDocumentFrequencies reads the JSON that WriteDocumentFrequencies writes,
//
//	{"images": 40504, "document_frequencies": {"a": 40301, "a man": 9321}}
//
// with the tokens of an n-gram joined by spaces, or the pickled dictionary of
// coco-val-df.p and its like, which are used in training with CIDEr: {"document_frequency":
// {("a", "man"): 9321}, "ref_len": 10.6}. There ref_len is the logarithm of the number of
// images, in files of later programs the number itself; it is the logarithm where an
// n-gram occurs in more images than that.
func ReadDocumentFrequencies(r io.Reader) (*DocumentFrequencies, error) {
	in := bufio.NewReader(r)
	var df *DocumentFrequencies
	start, err := in.Peek(1)
	switch {
	case err != nil:
	case start[0] == '{' || start[0] == '[':
		df, err = readFrequencyJSON(in)
	default:
		df, err = readFrequencyPickle(in)
	}
	if err == nil && (math.IsNaN(df.logImages) || df.logImages < 0 || len(df.counts) == 0) {
		err = fmt.Errorf("%.6g images and %d n-grams, want both", math.Exp(df.logImages), len(df.counts))
	}
	if err != nil {
		return nil, fmt.Errorf("document frequencies: %w", err)
	}
	return df, nil
}

func readFrequencyJSON(r io.Reader) (*DocumentFrequencies, error) {
	var file frequencyFile
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		return nil, err
	}
	df := &DocumentFrequencies{math.Log(file.Images), make(map[gram]int, len(file.Frequencies))}
	for key, count := range file.Frequencies {
		g, err := gramOf(strings.Split(key, " "))
		if err != nil {
			return nil, err
		}
		df.counts[g] = int(count)
	}
	return df, nil
}

// gramOf returns the n-gram of all the tokens.
func gramOf(tokens []string) (gram, error) {
	if len(tokens) < 1 || len(tokens) > maxOrder {
		return 0, fmt.Errorf("%.80q has %d tokens, want 1 to %d", strings.Join(tokens, " "), len(tokens), maxOrder)
	}
	return appendGrams(nil, appendWords(nil, tokens), len(tokens))[0], nil
}

// WriteDocumentFrequencies counts the n-grams in the references of the samples
// and writes them for ReadDocumentFrequencies.
func WriteDocumentFrequencies(w io.Writer, samples []Tokens) error {
	frequencies := map[string]uint32{}
	for _, s := range samples {
		found := map[string]bool{}
		for _, reference := range s.References {
			for n := 1; n <= maxOrder; n++ {
				for i := range len(reference) - n + 1 {
					found[strings.Join(reference[i:i+n], " ")] = true
				}
			}
		}
		for key := range maps.Keys(found) {
			frequencies[key]++
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frequencyFile{float64(len(samples)), frequencies}); err != nil {
		return fmt.Errorf("document frequencies: %w", err)
	}
	return nil
}
