// Package scenegraph reads captions of images: which objects there are, what
// they are like, and how they relate. It does by rules over a tagger and
// chunks what SPICE does over a dependency parse (Anderson et al. 2016, after
// Schuster et al. 2015), for the plain English of captions.
//
// It differs from SPICE's rules where those give two captions of one meaning
// different tuples: a passive without an agent relates as its reduced form does
// ("a bus is parked on a street", "a bus parked on a street"), a participle
// without an object is an attribute as the finite verb is ("a man smiling"),
// what is said of a noun in a list is said of all, and a word that counts is
// no object ("a couple of dogs").
package scenegraph

import (
	"slices"
	"strings"
)

// Tuple is a proposition of one slot (an object), two (an object and an
// attribute) or three (subject, relation, object), in lemmas.
type Tuple []string

// MaxWords is how many words of a caption are read. The work grows with the
// square of their number, and nobody describes a photo in more.
const MaxWords = 500

// Parse returns the tuples of the first MaxWords words of a caption, sorted,
// each once.
func (l *Lexicon) Parse(caption string) []Tuple {
	texts := split(caption)
	words := append(l.tagWords(texts[:min(len(texts), MaxWords)]), word{text: ".", tag: stop, entry: &entry{}})
	p := parser{chunks: countWithQuantifiers(chunks(words))}
	for p.next = 0; p.next < len(p.chunks); {
		c := p.chunks[p.next]
		p.next++
		p.take(c)
	}
	slices.SortFunc(p.tuples, func(a, b Tuple) int { return slices.Compare(a, b) })
	return slices.CompactFunc(p.tuples, slices.Equal)
}

// countWithQuantifiers makes "a couple of dogs" the noun dogs, counted.
func countWithQuantifiers(all []chunk) []chunk {
	var out []chunk
	for i := 0; i < len(all); i++ {
		c := all[i]
		if i+2 < len(all) && c.kind == noun && isOneOf(quantifiers, c.text) && len(c.attributes) == 0 && c.owner == nil &&
			all[i+1].text == "of" && all[i+2].kind == noun {
			all[i+2].count = ""
			if all[i+2].plural {
				all[i+2].count = c.text
			}
			i++
			continue
		}
		out = append(out, c)
	}
	return out
}

// parser goes through the chunks of a caption from left to right.
type parser struct {
	chunks []chunk
	next   int // index of the chunk after that which is taken
	tuples []Tuple

	antecedents []chunk  // the nouns of the sentence that a pronoun may stand for
	subject     []string // of the clause; after "while" still that of the clause before
	last        []string // the latest noun, with those that it is listed with
	lastBy      string   // the preposition by which last is attached, if any
	relative    bool     // "who" was read: the next verb is last's
	existential bool     // "there" was read: what is is its subject
	joined      bool     // "and" or a comma was read
	role        role     // of last: a noun that joins it has the same
	preposition *role    // a preposition waits for its noun
	verb        *verb    // the latest verb of the clause
}

// role is what a noun is to others: subject, or one end of relations.
type role struct {
	subject   bool
	governors []string
	relation  string // empty for an attribute of the governors
	reversed  bool   // the governors are the relation's objects
}

// verb is a verb that may still get objects.
type verb struct {
	chunk
	subjects  []string
	object    bool // has an object, a predicate or none to expect
	expressed bool // some tuple tells of it
}

func (p *parser) add(slots ...string) { p.tuples = append(p.tuples, Tuple(slots)) }

func (p *parser) take(c chunk) {
	switch c.kind {
	case noun, pronoun:
		p.takeNoun(c)
	case finite, gerund, participle, infinitive:
		p.takeVerb(c)
	case adjective:
		p.takeAdjective(c)
	case preposition:
		p.takePreposition(c)
		return
	case conjunction, comma:
		p.join()
		return
	case relative:
		p.relative = true
		return
	case existential:
		p.existential = true
	case subordinator:
		p.endClause()
	case stop:
		p.endClause()
		*p = parser{chunks: p.chunks, next: p.next, tuples: p.tuples}
	}
	p.joined = false
}

// endClause lets go of the clause. Its subject stays, for a verb that comes
// without one: "a man smiles while riding".
func (p *parser) endClause() {
	p.endVerb()
	p.last, p.lastBy, p.role, p.preposition = nil, "", role{}, nil
	p.relative, p.existential = false, false
}

// endVerb makes an attribute of a verb that relates its subjects to nothing.
func (p *parser) endVerb() {
	if v := p.verb; v != nil && !v.expressed && v.text != "be" && v.text != "do" {
		for _, subject := range v.subjects {
			p.add(subject, v.text)
		}
	}
	p.verb = nil
}

// peek returns the kind of the chunk ahead by n, a stop at the end.
func (p *parser) peek(n int) tag {
	if p.next+n < len(p.chunks) {
		return p.chunks[p.next+n].kind
	}
	return stop
}

// join reads "and" or a comma. A noun with a verb of its own after a verb
// begins a new clause, and so does a pronoun with a verb; all else joins what
// stands before.
func (p *parser) join() {
	next, afterNext := p.peek(0), p.peek(1)
	hasVerb := afterNext == finite || afterNext == gerund && p.verb != nil
	p.joined = !(hasVerb && (next == pronoun || next == noun && p.verb != nil))
	if !p.joined {
		p.endClause()
		p.subject = nil
	}
}

// isAboutLast tells a preposition after which what follows is said of the noun
// that it attached, and not of the noun before: "people with dogs playing".
func isAboutLast(preposition string) bool {
	return preposition == "of" || preposition == "with" || strings.HasSuffix(preposition, " of")
}
