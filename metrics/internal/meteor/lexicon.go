package meteor

import (
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"

	"github.com/cutline-go/cutline/internal/wordnet"
)

// word is what the matchers compare of a word. A lexicon holds each word once,
// so that equal words are equal pointers.
type word struct {
	text       string
	stem       string
	senses     []uint32
	isFunction bool
}

// lexicon is the words met so far: captions repeat theirs, so each is stemmed
// and looked up once.
type lexicon struct {
	words      map[string]*word
	functions  map[string]bool
	dictionary *wordnet.Dictionary
}

func newLexicon() *lexicon {
	l := &lexicon{words: map[string]*word{}, functions: map[string]bool{}, dictionary: wordnet.Open()}
	for text := range strings.FieldsSeq(functionWords) {
		l.functions[text] = true
	}
	return l
}

func (l *lexicon) lookUp(text string) *word {
	if w := l.words[text]; w != nil {
		return w
	}
	w := &word{
		text:       text,
		stem:       porter2(text),
		senses:     l.dictionary.Senses(text),
		isFunction: l.functions[text],
	}
	l.words[text] = w
	return w
}

// porter2 returns the stem of a word by Snowball's stemmer for English.
func porter2(text string) string {
	env := snowballstem.NewEnv(text)
	english.Stem(env)
	return env.Current()
}

// functionWords is METEOR's function words for English: those that make up a
// thousandth or more of the words of news (Denkowski and Lavie, 2011).
const functionWords = `the , . to of and a in that for " is on 's it with was as
said at he by be from have has are his but an this not i will ’ they ) -rrb- (
-lrb- who their had we which were been more or s its would about new one after
you : also up when there than $ all out her people she year two - can if last
first “ over other ” into some what so -- no time years could ? 't — '`
