package scenegraph

// verbChunk reads the verb that words begin with: its last word is the one
// with a meaning.
func verbChunk(words []word) (chunk, int) {
	c := chunk{kind: open}
	setKind := func(kind tag) {
		if c.kind == open {
			c.kind = kind
		}
	}
	sawBe := false
	for i, w := range words {
		switch {
		case w.tag == auxiliary:
			setKind(finite)
		case w.tag == adverb || w.tag == negation:
		case w.tag == infinitive && i == 0:
			setKind(infinitive)
		case w.tag == be:
			if w.text == "being" {
				setKind(gerund)
			}
			setKind(finite)
			sawBe = true
		case w.tag == have && isAuxiliary(words[i+1:]):
			setKind(finite)
		case w.tag == have && !sawBe:
			if w.text == "having" {
				setKind(gerund)
			}
			setKind(finite)
			c.text = "have"
			return c, i + 1
		case w.tag == finite || w.tag == gerund || w.tag == participle:
			setKind(w.tag)
			c.text, c.passive = w.verbLemma, sawBe && w.tag == participle
			return c, i + 1
		default:
			return c.copula(sawBe), i
		}
	}
	return c.copula(sawBe), len(words)
}

// isAuxiliary tells the has of "has been parked" by what follows.
func isAuxiliary(words []word) bool {
	for _, w := range words {
		if w.tag != adverb && w.tag != negation {
			return w.tag == be || w.tag == participle
		}
	}
	return false
}

// copula ends a verb without a meaning of its own.
func (c chunk) copula(sawBe bool) chunk {
	c.text = "be"
	if !sawBe {
		c.text = "do"
	}
	return c
}
