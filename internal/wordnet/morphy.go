package wordnet

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// detachment is a rule of WordNet's morphology (morphy(7WN)): a form that
// ends in suffix may come from a lemma that ends in ending instead.
type detachment struct {
	pos            POS
	suffix, ending string
}

// detachments returns the rules in WordNet's order. Adverbs have none.
func detachments() []detachment {
	return []detachment{
		{Noun, "s", ""}, {Noun, "ses", "s"}, {Noun, "xes", "x"}, {Noun, "zes", "z"},
		{Noun, "ches", "ch"}, {Noun, "shes", "sh"}, {Noun, "men", "man"}, {Noun, "ies", "y"},
		{Verb, "s", ""}, {Verb, "ies", "y"}, {Verb, "es", "e"}, {Verb, "es", ""},
		{Verb, "ed", "e"}, {Verb, "ed", ""}, {Verb, "ing", "e"}, {Verb, "ing", ""},
		{Adjective, "er", ""}, {Adjective, "est", ""}, {Adjective, "er", "e"}, {Adjective, "est", "e"},
	}
}

// Lemmas returns the lemmas of which a word may be a form, as a part of
// speech: the word itself, then those that its list of exceptions gives, else
// those that the rules give, in the order of the rules; only such as WordNet
// knows, each once.
func (d *Dictionary) Lemmas(word string, pos POS) []string {
	candidates := []string{word}
	for value := range strings.FieldsSeq(d.exceptions.find(word)) {
		if POS(value[0]) == pos {
			candidates = append(candidates, value[1:])
		}
	}
	if len(candidates) == 1 && isInflectable(word) {
		for _, rule := range detachments() {
			if stem, ok := strings.CutSuffix(word, rule.suffix); ok && rule.pos == pos {
				candidates = append(candidates, stem+rule.ending)
			}
		}
	}
	var lemmas []string
	for _, lemma := range candidates {
		if len(d.Synsets(lemma, pos)) > 0 && !slices.Contains(lemmas, lemma) {
			lemmas = append(lemmas, lemma)
		}
	}
	return lemmas
}

// Base returns the base forms of a word as METEOR 1.5 finds them, whatever
// the part of speech: those of the lists of exceptions; a word without any is
// its own base form if it has no regular inflection, else the first result of
// the rules that is a lemma is the only one.
func (d *Dictionary) Base(word string) []string {
	if values := d.exceptions.find(word); values != "" {
		var bases []string
		for value := range strings.FieldsSeq(values) {
			bases = append(bases, value[1:])
		}
		return bases
	}
	if !isInflectable(word) {
		return []string{word}
	}
	for _, rule := range detachments() {
		if stem, ok := strings.CutSuffix(word, rule.suffix); ok && d.Contains(stem+rule.ending) {
			return []string{stem + rule.ending}
		}
	}
	return nil
}

// isInflectable tells a word that the rules apply to: not "glass", not "is".
func isInflectable(word string) bool {
	return !strings.HasSuffix(word, "ss") && utf8.RuneCountInString(word) > 2
}
