package metrics

import "slices"

// maxOrder is the length of the longest n-grams that BLEU and CIDEr count.
const maxOrder = 4

// gram stands for an n-gram of tokens: a hash of 64 bits. Among the ten million
// n-grams of half a million captions, the chance that any two share one is
// below one in a hundred thousand.
type gram uint64

// gramCount is how often an n-gram occurs in a caption.
type gramCount struct {
	gram  gram
	count int
}

// profile is a caption as the n-grams in it: counts[n-1] lists those of n
// tokens, sorted by gram. It is memory to be used again, caption by caption.
type profile struct {
	length int // tokens
	counts [maxOrder][]gramCount
	words  []gram
	grams  []gram
}

// fill makes the profile that of the caption.
func (p *profile) fill(tokens []string) {
	p.length = len(tokens)
	p.words = appendWords(p.words[:0], tokens)
	for n := 1; n <= maxOrder; n++ {
		p.grams = appendGrams(p.grams[:0], p.words, n)
		slices.Sort(p.grams)
		p.counts[n-1] = appendCounts(p.counts[n-1][:0], p.grams)
	}
}

// appendWords appends the tokens as grams of their own.
func appendWords(words []gram, tokens []string) []gram {
	const offset, prime = 14695981039346656037, 1099511628211 // of FNV-1a
	for _, token := range tokens {
		h := gram(offset)
		for i := range len(token) {
			h = (h ^ gram(token[i])) * prime
		}
		words = append(words, mix(h))
	}
	return words
}

// appendGrams appends the n-grams of the words, in their order.
func appendGrams(grams, words []gram, n int) []gram {
	for i := range len(words) - n + 1 {
		h := gram(n)
		for _, w := range words[i : i+n] {
			h = mix(h ^ w)
		}
		grams = append(grams, h)
	}
	return grams
}

// appendAllGrams appends the n-grams of the captions, n = 1 to 4.
func appendAllGrams(grams []gram, captions ...[]string) []gram {
	var words []gram
	for _, caption := range captions {
		words = appendWords(words[:0], caption)
		for n := 1; n <= maxOrder; n++ {
			grams = appendGrams(grams, words, n)
		}
	}
	return grams
}

// appendCounts counts sorted grams.
func appendCounts(counts []gramCount, sorted []gram) []gramCount {
	for i, g := range sorted {
		if i > 0 && g == sorted[i-1] {
			counts[len(counts)-1].count++
		} else {
			counts = append(counts, gramCount{g, 1})
		}
	}
	return counts
}

// mix spreads every bit over all others: the finalizer of MurmurHash3.
func mix(h gram) gram {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
