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
	case w.third && (w.noun == 0 || startsNoun(t.after(i).tag) || w.verb >= w.noun && t.hasVerb(i)):
		return finite, true
	case conjoined == finite && w.isPlainVerb() && !(w.adjective > 0 && t.nounFollows(i)):
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
	case w.past && (follows || within && w.noun == 0):
		return adjective
	case w.past && w.noun == 0 && !(w.adjective > 0 && previous == finite):
		return participle
	case w.adjective > 0 && (follows || w.noun == 0 || t.joinsAdjectives(i)):
		return adjective
	case w.noun > 0:
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
	case within && w.noun > 0:
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
	isAdjective := second.tag == adjective || second.tag == open && second.adjective > 0
	return isAdjective && (t.nounFollows(i+2) || joint == comma && t.joinsAdjectives(i+2))
}

// afterBe settles a word after a form of to be.
func (t tagger) afterBe(i int) tag {
	w := t.words[i]
	follows := t.nounFollows(i)
	switch {
	case w.gerund && !t.isNounInIng(i):
		return gerund
	case w.adjective > 0 && (!w.past || follows):
		return adjective
	case w.past:
		return participle
	case w.verb > w.noun && !w.third && !follows:
		return participle // cut, set
	case w.noun > 0:
		return noun
	case w.adverb > 0:
		return adverb
	}
	return participle
}
