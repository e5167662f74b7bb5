package scenegraph

import (
	"strings"
	"sync"

	"github.com/cutline-go/cutline/internal/wordnet"
)

// Lexicon is what the parser knows of words: WordNet and the closed classes.
// It remembers what it has looked up. It is safe for concurrent use.
type Lexicon struct {
	dictionary *wordnet.Dictionary
	closed     map[string]tag
	phrases    []phrase
	entries    sync.Map // string → *entry
	senses     sync.Map // string → []uint32
}

// NewLexicon returns a lexicon that has looked up nothing yet.
func NewLexicon() *Lexicon {
	return &Lexicon{
		dictionary: wordnet.Open(),
		closed:     closedClass(),
		phrases:    phrases(),
	}
}

// entry is what may become of a word of an open class.
type entry struct {
	noun, verb, adjective, adverb int // senses as each; a measure of how common it is

	nounLemma, verbLemma string
	plural               bool // as a noun: dogs, men
	gerund, past, third  bool // as a verb: riding; parked, worn; rides
}

func (l *Lexicon) entry(word string) *entry {
	if e, known := l.entries.Load(word); known {
		return e.(*entry)
	}
	e := l.lookUp(word)
	l.entries.Store(word, e)
	return e
}

func (l *Lexicon) lookUp(word string) *entry {
	e := &entry{nounLemma: word, verbLemma: word}
	e.adjective = len(l.dictionary.Synsets(word, wordnet.Adjective))
	e.adverb = len(l.dictionary.Synsets(word, wordnet.Adverb))
	if e.adjective == 0 {
		for _, lemma := range l.dictionary.Lemmas(word, wordnet.Adjective) {
			e.adjective += len(l.dictionary.Synsets(lemma, wordnet.Adjective))
		}
	}
	e.lookUpNoun(l.dictionary, word)
	e.lookUpVerb(l.dictionary, word)
	if e.noun+e.verb+e.adjective+e.adverb == 0 {
		e.guess(word)
	}
	return e
}

// lookUpNoun takes a word in -s for the plural of its stem even if it is a
// word itself (glasses), unless the stem is too short to be meant (gas).
func (e *entry) lookUpNoun(d *wordnet.Dictionary, word string) {
	for _, lemma := range d.Lemmas(word, wordnet.Noun) {
		inflected := lemma != word && len(lemma) > 2
		if e.noun == 0 || inflected && !e.plural {
			e.nounLemma, e.noun, e.plural = lemma, len(d.Synsets(lemma, wordnet.Noun)), inflected
		}
	}
	e.plural = e.plural || word == "people"
}

// lookUpVerb takes a word for the form of another only if it is no verb
// itself: seed is not the past of see.
func (e *entry) lookUpVerb(d *wordnet.Dictionary, word string) {
	lemmas := d.Lemmas(word, wordnet.Verb)
	if len(lemmas) == 0 {
		return
	}
	e.verbLemma = lemmas[0]
	// The rules give "lie" and "ly" for lying, and "stare" before "star" for
	// stared; the lemma with more senses is the more common verb.
	for _, lemma := range lemmas {
		if n := len(d.Synsets(lemma, wordnet.Verb)); n > e.verb && (lemmas[0] != word || lemma == word) {
			e.verbLemma, e.verb = lemma, n
		}
	}
	if e.verbLemma == word {
		return
	}
	e.gerund = strings.HasSuffix(word, "ing")
	e.third = strings.HasSuffix(word, "s")
	e.past = !e.gerund && !e.third
}

// guess judges a word that WordNet does not know by its ending.
func (e *entry) guess(word string) {
	switch {
	case strings.HasSuffix(word, "ing") && len(word) > 5:
		e.verb, e.gerund, e.verbLemma = 1, true, strings.TrimSuffix(word, "ing")
	case strings.HasSuffix(word, "ed") && len(word) > 4:
		e.verb, e.adjective, e.past, e.verbLemma = 1, 1, true, strings.TrimSuffix(word, "ed")
	case strings.HasSuffix(word, "ly"):
		e.adverb = 1
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && len(word) > 3:
		e.noun, e.plural, e.nounLemma = 1, true, strings.TrimSuffix(word, "s")
	default:
		e.noun = 1
	}
}

// isCompound tells two words that WordNet has as one noun: parking lot.
func (l *Lexicon) isCompound(first, second string) bool {
	return len(l.dictionary.Synsets(first+"_"+l.entry(second).nounLemma, wordnet.Noun)) > 0
}

// meanings returns what a slot of a tuple may mean. A relation of several
// words ("sit on") means itself alone.
func (l *Lexicon) meanings(slot string) []uint32 {
	if strings.Contains(slot, " ") {
		return nil
	}
	if senses, known := l.senses.Load(slot); known {
		return senses.([]uint32)
	}
	senses := l.dictionary.Senses(slot)
	l.senses.Store(slot, senses)
	return senses
}

// isPlainVerb tells a verb without an ending: ride.
func (e *entry) isPlainVerb() bool { return e.verb > 0 && !e.third && !e.gerund && !e.past }
