package scenegraph

// decide settles word i, of an open class.
func (t tagger) decide(i int) tag {
	w := t.words[i]
	previous, conjoined := t.before(i)
	switch previous {
	case infinitive, auxiliary:
		if w.verb > 0 {
			return finite
		}
	case be:
		return t.afterBe(i)
	case noun, pronoun, relative, existential:
		return t.afterNoun(i, previous)
	case conjunction:
		if tag, ok := t.likeBefore(i, conjoined); ok {
			return tag
		}
	case have:
		if w.past && !t.nounFollows(i) {
			return participle
		}
	}
	return t.inNounPhrase(i, previous)
}

// likeBefore makes a verb after a conjunction if there was one before it, or a
// noun with what belongs to it: "sits and eats", "sits on a bench and eats".
func (t tagger) likeBefore(i int, conjoined tag) (tag, bool) {
	w := t.words[i]
	switch {
	case w.gerund && !t.isNounInIng(i) && !t.nounFollows(i):
		return gerund, true
	case w.past && !t.nounFollows(i):
		return participle, true
	case w.third && (w.entry.noun == 0 || startsNoun(t.after(i).tag) || w.verb >= w.entry.noun && t.hasVerb(i)):
		return finite, true
	case conjoined == finite && w.isPlainVerb() && !(w.entry.adjective > 0 && t.nounFollows(i)):
		return finite, true
	}
	return open, false
}

// inNounPhrase settles a word where a noun phrase may begin or has begun
// without its noun.
func (t tagger) inNounPhrase(i int, previous tag) tag {
	w := t.words[i]
	follows := t.nounFollows(i)
	within := isWithin(previous)
	switch {
	case w.gerund:
		return t.gerundInNounPhrase(i, within)
	case w.past && (follows || within && w.entry.noun == 0):
		return adjective
	case w.past && w.entry.noun == 0 && !(w.entry.adjective > 0 && previous == finite):
		return participle
	case w.entry.adjective > 0 && (follows || w.entry.noun == 0 || t.joinsAdjectives(i)):
		return adjective
	case w.entry.noun > 0:
		return noun
	case w.adverb > 0:
		return adverb
	case w.verb > 0:
		return finite
	}
	return noun
}

func (t tagger) gerundInNounPhrase(i int, within bool) tag {
	w := t.words[i]
	switch {
	case t.isNounInIng(i):
		return noun
	case within && t.nounFollows(i):
		return adjective
	case within && w.entry.noun > 0:
		return noun
	}
	return gerund
}

// joinsAdjectives tells the black of "a black and white dog".
func (t tagger) joinsAdjectives(i int) bool {
	joint := t.after(i).tag
	if joint != conjunction && joint != comma || i+2 >= len(t.words) {
		return false
	}
	second := t.words[i+2]
	isAdjective := second.tag == adjective || second.tag == open && second.entry.adjective > 0
	return isAdjective && (t.nounFollows(i+2) || joint == comma && t.joinsAdjectives(i+2))
}

// afterBe settles a word after a form of to be.
func (t tagger) afterBe(i int) tag {
	w := t.words[i]
	follows := t.nounFollows(i)
	switch {
	case w.gerund && !t.isNounInIng(i):
		return gerund
	case w.entry.adjective > 0 && (!w.past || follows):
		return adjective
	case w.past:
		return participle
	case w.verb > w.entry.noun && !w.third && !follows:
		return participle // cut, set
	case w.entry.noun > 0:
		return noun
	case w.adverb > 0:
		return adverb
	}
	return participle
}

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
	case w.past && w.entry.noun == 0:
		return participle
	case w.verb > 0 && previous != noun:
		return finite
	case w.third && t.isThird(i), w.verb > 0 && !w.third && !w.past && t.isPlain(i):
		return finite
	case w.entry.adjective > w.entry.noun && !t.nounFollows(i):
		return adjective // a bowl full of fruit
	case w.entry.noun > 0:
		return noun
	case w.past:
		return participle
	case w.entry.adjective > 0:
		return adjective
	case w.adverb > 0:
		return adverb
	}
	return finite
}

// isThird tells "a man walks" from "the street signs".
func (t tagger) isThird(i int) bool {
	w := t.words[i]
	if w.entry.noun == 0 || startsNoun(t.after(i).tag) || t.isSingular(i-1) {
		return true
	}
	return w.verb >= w.entry.noun && !t.hasVerb(i) && !t.isCompound(t.words[i-1].text, w.text)
}

// isPlain tells "people walk" from "a train stop".
func (t tagger) isPlain(i int) bool {
	w := t.words[i]
	if w.entry.noun == 0 && w.entry.adjective == 0 {
		return true
	}
	likely := w.verb >= w.entry.noun && w.entry.adjective == 0 && !t.isCompound(t.words[i-1].text, w.text)
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
