package scenegraph

// chunk is a phrase of a sentence: a noun with what stands before it, a verb
// with its auxiliaries, or a single word of another kind.
type chunk struct {
	kind tag // noun, pronoun, finite, gerund, participle, infinitive, be, adjective, or that of the word
	text string

	// Of a noun: its text is its lemma.
	plural     bool
	attributes []string
	count      string // "two"
	owner      *chunk // whose it is

	passive bool // of a verb: is parked
}

// chunks cuts a tagged sentence. Adverbs that modify nothing in a noun phrase
// are left out; prepositions without a noun stay, as particles.
func chunks(words []word) []chunk {
	var all []chunk
	for i := 0; i < len(words); {
		var c chunk
		length := 1
		switch w := words[i]; w.tag {
		case determiner, number, possessive, noun:
			c, length = nounChunk(words[i:])
		case adjective:
			c, length = nounChunk(words[i:])
			if c.kind != noun {
				c, length = chunk{kind: adjective, text: w.lemma()}, 1
			}
		case finite, gerund, participle, infinitive, be, have, auxiliary:
			c, length = verbChunk(words[i:])
		case adverb, negation, genitive:
			i++
			continue
		default:
			c = chunk{kind: w.tag, text: w.text, plural: w.text == "they" || w.text == "them"}
			if isOneOf(outsiders, w.text) {
				c.text = ""
			}
		}
		all = append(all, c)
		i += length
	}
	return all
}

// nounChunk reads the noun phrase that words begin with. One without a noun
// ("this", "two") is a pronoun that stands for nothing known.
func nounChunk(words []word) (chunk, int) {
	c := chunk{kind: pronoun}
	head := -1
	i := 0
scan:
	for ; i < len(words); i++ {
		w := words[i]
		switch {
		case w.tag == noun:
			head = i
		case w.tag == genitive && head >= 0 && i+1 < len(words):
			owner := describe(words[:i], head, c.owner)
			rest, length := nounChunk(words[i+1:])
			if rest.kind != noun {
				break scan
			}
			owned := &rest
			for owned.owner != nil {
				owned = owned.owner
			}
			owned.owner = &owner
			return rest, i + 1 + length
		case w.tag == adjective && (head < 0 || leadsToNoun(words[i:])):
		case w.tag == adverb && head < 0 && (leadsToNoun(words[i+1:]) || words[i+1].tag == noun): // a stop ends every caption
		case (w.tag == conjunction || w.tag == comma) && head < 0 && i > 0 &&
			words[i-1].tag == adjective && leadsToNoun(words[i+1:]):
		case head < 0 && w.tag == possessive:
			c.owner = &chunk{kind: pronoun, text: w.text, plural: w.text == "their"}
		case head < 0 && (w.tag == determiner || w.tag == number):
		default:
			break scan
		}
	}
	if head < 0 {
		return c, max(i, 1)
	}
	return describe(words[:head+1], head, c.owner), head + 1
}

// leadsToNoun tells whether the words begin with an adjective that a noun
// follows, maybe after others: "white bus", "green and white bus".
func leadsToNoun(words []word) bool {
	for i, w := range words {
		switch w.tag {
		case adjective:
		case conjunction, comma:
			if i == 0 || words[i-1].tag != adjective {
				return false
			}
		case noun:
			return i > 0
		default:
			return false
		}
	}
	return false
}

// describe makes the chunk of the noun at head; the words before it become
// attributes, nouns among them: a tennis court is a court, and tennis.
func describe(words []word, head int, owner *chunk) chunk {
	c := chunk{kind: noun, text: words[head].lemma(), plural: words[head].plural, owner: owner}
	for _, w := range words[:head] {
		switch w.tag {
		case adjective, noun:
			c.attributes = append(c.attributes, w.lemma())
		case number:
			c.count = w.text
		}
	}
	return c
}
