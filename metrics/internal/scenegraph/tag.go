package scenegraph

import (
	"strings"
	"unicode"
)

// word is a word of a sentence, or a phrase that acts as one.
type word struct {
	text string
	tag  tag
	*entry
}

// lemma returns the word's base form as what it is tagged.
func (w word) lemma() string {
	switch w.tag {
	case noun:
		return w.nounLemma
	case finite, gerund, participle:
		return w.verbLemma
	case adjective:
		// A participle before a noun counts as its verb, hitched as hitch, if
		// WordNet has it as no adjective.
		if w.adjective == 0 && w.verb > 0 {
			return w.verbLemma
		}
	}
	return w.text
}

// tagWords finds the part of speech of each word: the closed classes by their
// lists, the others by what WordNet allows and the neighbours demand, from
// left to right.
func (l *Lexicon) tagWords(texts []string) []word {
	words := l.joinPhrases(texts)
	for i := range words {
		if words[i].tag == open {
			words[i].tag = l.closedTag(words[i].text)
		}
		words[i].entry = l.entry(words[i].text)
	}
	t := tagger{l, words}
	for i := range words {
		if words[i].tag == open {
			words[i].tag = t.decide(i)
		} else {
			words[i].tag = t.decideClosed(i)
		}
	}
	return words
}

// closedTag returns the tag of a word of a closed class. Marks that end no
// sentence part what they stand between as commas do.
func (l *Lexicon) closedTag(text string) tag {
	tag, known := l.closed[text]
	switch {
	case known:
		return tag
	case !strings.ContainsFunc(text, isWord):
		return comma
	case !strings.ContainsFunc(text, unicode.IsLetter):
		return number
	}
	return open
}

func (l *Lexicon) joinPhrases(texts []string) []word {
	var words []word
	for i := 0; i < len(texts); {
		joined := word{text: texts[i]}
		length := 1
		for _, p := range l.phrases {
			if p.startsIn(texts[i:]) {
				joined, length = word{text: p.text, tag: p.tag}, len(p.words)
				break
			}
		}
		words = append(words, joined)
		i += length
	}
	return words
}

func (p phrase) startsIn(texts []string) bool {
	if len(texts) < len(p.words) {
		return false
	}
	for i, text := range p.words {
		if texts[i] != text {
			return false
		}
	}
	return true
}

// tagger decides word by word; what lies to the left is decided already.
type tagger struct {
	*Lexicon
	words []word
}

// before returns the tag to the left of word i, adverbs and negations left
// out, and that before the conjunction if there is one: "sitting and smiling"
// are alike. A sentence begins after a stop.
func (t tagger) before(i int) (previous tag, conjoined tag) {
	for i--; i >= 0 && (t.words[i].tag == adverb || t.words[i].tag == negation); i-- {
	}
	if i < 0 {
		return stop, stop
	}
	if t.words[i].tag == conjunction && i > 0 {
		return conjunction, t.words[i-1].tag
	}
	return t.words[i].tag, stop
}

// after returns the word to the right of word i, a stop at the end.
func (t tagger) after(i int) word {
	if i+1 < len(t.words) {
		return t.words[i+1]
	}
	return word{tag: stop, entry: &entry{}}
}

// nounFollows tells whether what stands right of word i may go on with the
// noun phrase that it is in: a noun, or adjectives before one.
func (t tagger) nounFollows(i int) bool {
	next := t.after(i)
	switch {
	case next.tag == noun || next.tag == number:
		return true
	case next.tag == adjective:
		return t.nounFollows(i + 1)
	case next.tag != open:
		return false
	case next.third && next.verb >= 2*next.noun:
		return false
	case next.text == "looking": // a nice looking car
		return t.nounFollows(i + 1)
	case next.noun > 0:
		return !next.gerund || t.isNounInIng(i+1)
	}
	return (next.adjective > 0 || next.past) && t.nounFollows(i+1)
}

func (t tagger) isNounInIng(i int) bool {
	return isOneOf(gerundNouns, t.words[i].text) || t.isCompoundWithNext(i)
}

func (t tagger) isCompoundWithNext(i int) bool {
	next := t.after(i)
	return next.tag == open && next.noun > 0 && t.isCompound(t.words[i].text, next.text)
}

// isWithin tells a tag after which a noun phrase goes on.
func isWithin(t tag) bool {
	return startsNoun(t) || t == adjective || t == genitive
}

// startsNoun tells a tag that a noun phrase, an object, may begin with.
func startsNoun(t tag) bool {
	return t == determiner || t == possessive || t == number
}
