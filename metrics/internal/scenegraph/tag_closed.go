package scenegraph

// decideClosed settles the closed words that have two uses.
func (t tagger) decideClosed(i int) tag {
	w := t.words[i]
	previous, _ := t.before(i)
	next := t.after(i)
	switch {
	case w.text == "to" && next.tag == open && next.isPlainVerb() &&
		(next.verb > next.noun || startsNoun(t.after(i+1).tag)):
		return infinitive
	case w.text == "to" && (next.tag == be || next.tag == have || next.text == "do"):
		return infinitive
	case w.text == "that" && previous != noun && previous != pronoun:
		return determiner
	case w.text == "her" && (next.tag == open || next.tag == adjective):
		return possessive
	case w.text == "her":
		return pronoun
	case w.text == "there" && next.tag != be && next.tag != auxiliary && next.text != "'s":
		return adverb
	case w.text == "'s" && (previous == pronoun || previous == existential || previous == relative):
		return be
	case w.text == "'s" && (next.tag == determiner || next.gerund && !t.isNounInIng(i+1)):
		return be
	case (w.tag == adverb || w.tag == preposition) && w.noun > 0 && isWithin(previous) &&
		(next.tag == preposition || next.tag == stop):
		return noun // the back of, the inside
	case w.text == "can" && next.tag != open && next.tag != be && next.tag != have && next.tag != negation:
		return noun
	case w.tag == auxiliary && (w.text == "does" || w.text == "do" || w.text == "did") &&
		next.tag != open && next.tag != negation:
		return finite
	}
	return w.tag
}
