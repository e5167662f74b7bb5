package scenegraph

// afterNoun settles a word behind a noun or what stands for one: another noun
// of a compound, or the verb.
func (t tagger) afterNoun(i int, previous tag) tag {
	w := t.words[i]
	switch {
	case w.gerund && previous == noun && isOneOf(gerundNouns, w.text) && !startsNoun(t.after(i).tag),
		w.gerund && previous == noun && t.isCompoundWithNext(i):
		return noun
	case w.gerund:
		return gerund
	case w.past && previous == noun && t.nounFollows(i) && !t.isPlural(i-1):
		return adjective // a snow covered hill
	case w.past && w.noun == 0:
		return participle
	case w.verb > 0 && previous != noun:
		return finite
	case w.third && t.isThird(i), w.verb > 0 && !w.third && !w.past && t.isPlain(i):
		return finite
	case w.adjective > w.noun && !t.nounFollows(i):
		return adjective // a bowl full of fruit
	case w.noun > 0:
		return noun
	case w.past:
		return participle
	case w.adjective > 0:
		return adjective
	case w.adverb > 0:
		return adverb
	}
	return finite
}

// isThird tells "a man walks" from "the street signs".
func (t tagger) isThird(i int) bool {
	w := t.words[i]
	if w.noun == 0 || startsNoun(t.after(i).tag) || t.isSingular(i-1) {
		return true
	}
	return w.verb >= w.noun && !t.hasVerb(i) && !t.isCompound(t.words[i-1].text, w.text)
}

// isPlain tells "people walk" from "a train stop".
func (t tagger) isPlain(i int) bool {
	w := t.words[i]
	if w.noun == 0 && w.adjective == 0 {
		return true
	}
	likely := w.verb >= w.noun && w.adjective == 0 && !t.isCompound(t.words[i-1].text, w.text)
	return t.isPlural(i-1) && (startsNoun(t.after(i).tag) || likely)
}

// isPlural tells whether the noun phrase that ends in word i is one, by its
// noun or for being two: a man and a woman.
func (t tagger) isPlural(i int) bool {
	for i >= 0 && t.words[i].tag == adverb {
		i--
	}
	if i < 0 || t.words[i].plural {
		return i >= 0
	}
	for ; i >= 0 && (isWithin(t.words[i].tag) || t.words[i].tag == noun); i-- {
	}
	return i >= 0 && t.words[i].tag == conjunction
}

// isSingular tells whether the noun phrase that ends in word i begins with a
// word that allows no plural.
func (t tagger) isSingular(i int) bool {
	for ; i >= 0; i-- {
		switch t.words[i].tag {
		case noun, adjective, adverb:
			continue
		case determiner, number:
			return isOneOf(" a an this that one each another every ", t.words[i].text)
		}
		return false
	}
	return false
}

// hasVerb tells whether the clause has a verb to the left of word i.
func (t tagger) hasVerb(i int) bool {
	for i--; i >= 0; i-- {
		switch t.words[i].tag {
		case finite, be, have:
			return true
		case stop, subordinator, relative:
			return false
		}
	}
	return false
}
