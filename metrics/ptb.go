package metrics

// Tokenize splits a caption as coco-caption does before BLEU, METEOR, ROUGE and
// CIDEr: Stanford's PTBTokenizer 3.4.1, lower-cased, without the punctuation of
// coco-caption's list. Round brackets come out as -lrb- and -rrb- and stay,
// because that list spells them in capitals; so do runs such as "!!".
//
// What the official lexer calls untokenizable is dropped, as it does: emoji,
// control characters, bytes that are no UTF-8. Known differences from the
// official run: it reads all captions as one text, so that it cuts the initial
// that ends a caption ("Nintendo Wii U.") by whether the next caption begins
// with "A" or "The", while here each caption is read alone and the initial
// keeps its full stop; and here Asian smileys are cut up, and tokens beyond 256
// bytes. Over the 30,000 captions whose official total is known, read as one
// text, the number of tokens is the same.
func Tokenize(caption string) []string {
	tokens := scanAll(caption, make([]string, 0, 4+len(caption)/5))
	kept := tokens[:0]
	for _, token := range tokens {
		if !isPunctuation(token) {
			kept = append(kept, token)
		}
	}
	return kept
}

// TokenizeAll tokenizes the samples on all processors.
func TokenizeAll(samples []Sample) []Tokens {
	tokens := make([]Tokens, len(samples))
	parallel(len(samples), func(begin, end int) {
		for i, s := range samples[begin:end] {
			references := make([][]string, len(s.References))
			for j, reference := range s.References {
				references[j] = Tokenize(reference)
			}
			tokens[begin+i] = Tokens{ID: s.ID, Candidate: Tokenize(s.Candidate), References: references}
		}
	})
	return tokens
}

// scanAll appends every token of the text, punctuation included.
func scanAll(text string, tokens []string) []string {
	s := newScanner(text)
	for {
		token, ok := s.next()
		if !ok {
			return tokens
		}
		tokens = append(tokens, token)
	}
}

// isPunctuation tells whether coco-caption drops the token.
func isPunctuation(token string) bool {
	switch token {
	case "''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";":
		return true
	}
	return false
}
