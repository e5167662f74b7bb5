package meteor

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// Paraphrases is a table of phrases that mean the same.
type Paraphrases struct {
	pairs   map[string][][]string // phrase, its words joined by spaces → its paraphrases
	longest int                   // words of the longest phrase
}

// ReadParaphrases reads a table in the form of the file paraphrase-en.gz that
// comes with METEOR: gzip'ed text of three lines for each pair, a probability,
// which METEOR does not use, a phrase and its paraphrase. Of the millions of
// pairs, it keeps those whose words all stand in the texts to be aligned. A
// table that is damaged or cut off is an error that names the line.
func ReadParaphrases(r io.Reader, texts iter.Seq[[]string]) (*Paraphrases, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("reading the table of paraphrases: %w", err)
	}
	defer z.Close()
	known := vocabulary(texts)
	p := &Paraphrases{pairs: map[string][][]string{}}
	lines := bufio.NewScanner(z)
	var pair [3][]string
	number := 0
	for ; lines.Scan(); number++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 {
			return nil, fmt.Errorf("reading the table of paraphrases: line %d is empty", number+1)
		}
		pair[number%3] = fields
		if number%3 == 2 && containsAll(known, pair[1]) && containsAll(known, pair[2]) {
			p.add(pair[1], pair[2])
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the table of paraphrases: line %d: %w", number+1, err)
	}
	if number%3 != 0 {
		return nil, fmt.Errorf("reading the table of paraphrases: it ends within a pair, after line %d", number)
	}
	return p, nil
}

// vocabulary returns the words of the texts, as the matchers compare them.
func vocabulary(texts iter.Seq[[]string]) map[string]bool {
	known := map[string]bool{}
	for text := range texts {
		for _, word := range normalize(text) {
			known[word] = true
		}
	}
	return known
}

func containsAll(known map[string]bool, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool { return !known[word] })
}

func (p *Paraphrases) add(phrase, paraphrase []string) {
	key := strings.Join(phrase, " ")
	p.pairs[key] = append(p.pairs[key], paraphrase)
	p.longest = max(p.longest, len(phrase))
}

// match reports the paraphrases of phrases of the reference that stand in the
// candidate, then those of phrases of the candidate that stand in the reference.
func (p *Paraphrases) match(candidate, reference []*word, report func(match)) {
	p.find(reference, candidate, func(from, to, fromLength, toLength int) {
		report(match{paraphrase, to, from, toLength, fromLength})
	})
	p.find(candidate, reference, func(from, to, fromLength, toLength int) {
		report(match{paraphrase, from, to, fromLength, toLength})
	})
}

// find reports where paraphrases of the phrases of one text, from left to right
// and from short to long, stand in another.
func (p *Paraphrases) find(from, to []*word, report func(from, to, fromLength, toLength int)) {
	for i := range from {
		phrase := ""
		for length := 1; length <= p.longest && i+length <= len(from); length++ {
			phrase = strings.TrimPrefix(phrase+" "+from[i+length-1].text, " ")
			for _, words := range p.pairs[phrase] {
				for j := range to {
					if standsAt(to[j:], words) {
						report(i, j, length, len(words))
					}
				}
			}
		}
	}
}

// standsAt tells whether the words begin with the phrase.
func standsAt(words []*word, phrase []string) bool {
	return len(phrase) <= len(words) && slices.EqualFunc(words[:len(phrase)], phrase,
		func(w *word, text string) bool { return w.text == text })
}
