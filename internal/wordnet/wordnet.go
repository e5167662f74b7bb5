// Package wordnet is a dictionary made from WordNet 3.0: which synsets, sets
// of synonyms, a word belongs to, and which words an inflected form may come
// from. It knows no glosses and no relations.
//
// The tables lie beside it, compressed, and come from Debian's package
// wordnet-base by way of generate.go; WordNet's licence is in LICENSE.WORDNET.
package wordnet

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run generate.go

//go:embed lemmas.gz
var lemmasFile []byte

//go:embed exceptions.gz
var exceptionsFile []byte

// POS is a part of speech, by its letter in WordNet's files.
type POS byte

// The parts of speech that WordNet knows.
const (
	Noun      POS = 'n'
	Verb      POS = 'v'
	Adjective POS = 'a'
	Adverb    POS = 'r'
)

// Synset names a synset: its part of speech and its offset in the data file
// of that part in Princeton's WordNet 3.0.
type Synset struct {
	POS    POS
	Offset uint32
}

// Dictionary is WordNet's words. It is safe for concurrent use.
type Dictionary struct {
	lemmas     table // lemma → letter and offset of each synset, the most frequent sense first
	exceptions table // irregular form → letter and lemma of each base form
}

// Open returns the dictionary, which is decompressed once, at the first call.
func Open() *Dictionary { return open() }

var open = sync.OnceValue(func() *Dictionary {
	return &Dictionary{lemmas: readTable(lemmasFile), exceptions: readTable(exceptionsFile)}
})

// Synsets returns the synsets of a lemma as a part of speech, the most
// frequent sense first. A lemma is in lower case, its words joined by
// underscores ("traffic_light"); one that WordNet does not know has no synsets.
func (d *Dictionary) Synsets(lemma string, pos POS) []Synset {
	var synsets []Synset
	for value := range strings.FieldsSeq(d.lemmas.find(lemma)) {
		if POS(value[0]) == pos {
			synsets = append(synsets, Synset{pos, offset(value)})
		}
	}
	return synsets
}

// Contains tells whether WordNet knows the lemma, as any part of speech.
func (d *Dictionary) Contains(lemma string) bool { return d.lemmas.find(lemma) != "" }

// Senses returns all that a word may mean to METEOR 1.5, and to SPICE, which
// asks METEOR: the offsets of the synsets of the word itself and of its base
// forms, ascending and each once. They forget the part of speech, so that a
// noun and a verb at the same offset of their files count as one synset.
func (d *Dictionary) Senses(word string) []uint32 {
	var offsets []uint32
	for _, lemma := range append([]string{word}, d.Base(word)...) {
		for value := range strings.FieldsSeq(d.lemmas.find(lemma)) {
			offsets = append(offsets, offset(value))
		}
	}
	slices.Sort(offsets)
	return slices.Compact(offsets)
}

// Share tells whether two results of Senses have an offset in common, which
// makes synonyms of their words.
func Share(a, b []uint32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			return true
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return false
}

// offset reads the offset after the letter of the part of speech.
func offset(value string) uint32 {
	n, err := strconv.ParseUint(value[1:], 10, 32)
	if err != nil {
		panic("wordnet: the embedded table is damaged: " + err.Error())
	}
	return uint32(n)
}
