package metrics

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
)

// DocumentFrequencies says of every n-gram, n = 1 to 4, in the references of
// how many images it occurs. CIDEr weighs by it.
type DocumentFrequencies struct {
	logImages float64
	counts    map[gram]uint32
}

// CountDocuments counts the n-grams in the references of the samples.
func CountDocuments(samples []Tokens) *DocumentFrequencies {
	df := &DocumentFrequencies{logImages: math.Log(float64(len(samples))), counts: map[gram]uint32{}}
	var lock sync.Mutex
	parallel(len(samples), func(begin, end int) {
		var found, grams, words []gram
		for _, s := range samples[begin:end] {
			grams = grams[:0]
			for _, reference := range s.References {
				words = appendWords(words[:0], reference)
				for n := 1; n <= maxOrder; n++ {
					grams = appendGrams(grams, words, n)
				}
			}
			slices.Sort(grams)
			found = append(found, slices.Compact(grams)...)
		}
		lock.Lock()
		defer lock.Unlock()
		for _, g := range found {
			df.counts[g]++
		}
	})
	return df
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

// ReadDocumentFrequencies reads the JSON that WriteDocumentFrequencies writes:
//
//	{"images": 40504, "document_frequencies": {"a": 40301, "a man": 9321}}
//
// with the tokens of an n-gram joined by spaces. The pickled files that are
// used in training with CIDEr (coco-val-df.p and its like) hold the same with
// tuples for keys and the logarithm of the number of images as ref_len; one
// line of Python makes them JSON, where d is the unpickled dictionary:
//
//	json.dump({"images": math.exp(d["ref_len"]), "document_frequencies":
//	    {" ".join(k): int(v) for k, v in d["document_frequency"].items()}}, f)
func ReadDocumentFrequencies(r io.Reader) (*DocumentFrequencies, error) {
	var file frequencyFile
	decoder := json.NewDecoder(r)
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("document frequencies: %w", err)
	}
	if file.Images < 1 || len(file.Frequencies) == 0 {
		return nil, fmt.Errorf("document frequencies: %g images and %d n-grams, want both",
			file.Images, len(file.Frequencies))
	}
	df := &DocumentFrequencies{
		logImages: math.Log(file.Images),
		counts:    make(map[gram]uint32, len(file.Frequencies)),
	}
	var words []gram
	for key, count := range file.Frequencies {
		tokens := strings.Split(key, " ")
		if len(tokens) > maxOrder {
			return nil, fmt.Errorf("document frequencies: %.80q has %d tokens, want 1 to %d", key, len(tokens), maxOrder)
		}
		words = appendWords(words[:0], tokens)
		df.counts[appendGrams(nil, words, len(words))[0]] = count
	}
	return df, nil
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
