package scenegraph

import "strings"

// tag is the part of speech of a word in its sentence.
type tag int

const (
	open         tag = iota // not yet decided: a noun, verb, adjective or adverb
	noun                    // singular or plural
	finite                  // a verb with a tense, or an infinitive
	gerund                  // riding
	participle              // parked, worn; the past tense too
	adjective               // a participle before its noun too
	adverb                  // and particles without a noun
	determiner              // a, the, this
	number                  // two, 7
	possessive              // his
	genitive                // 's
	pronoun                 // he, it
	existential             // there is
	preposition             // on, in front of
	infinitive              // to, before a verb
	conjunction             // and, or
	comma                   // between the parts of a list, or asides
	relative                // who, that
	subordinator            // while, as
	be                      // is, are, being
	have                    // has
	auxiliary               // can, do
	negation                // not
	stop                    // the end of a sentence
)

// closedClass returns the words whose part of speech WordNet does not know or
// would mislead about.
func closedClass() map[string]tag {
	words := map[string]tag{}
	for _, class := range []struct {
		tag   tag
		words string
	}{
		{determiner, "a an the this these those some any no each every another all both either neither half"},
		{number, "one two three four five six seven eight nine ten eleven twelve thirteen twenty thirty hundred"},
		{adjective, "several many few various multiple other own numerous more most different same such"},
		{possessive, "his its their my your our whose"},
		{pronoun, "he she it they him them i we us me you himself herself itself themselves theirs hers"},
		{existential, "there"},
		{genitive, "'s"},
		{preposition, "of in on at with by for from into onto over under above below behind beside besides " +
			"between near through across along around against during inside outside toward towards within " +
			"without up down off out past among amongst upon underneath beneath like about after before amid " +
			"atop alongside via throughout to unto aboard beyond opposite per including amidst"},
		{conjunction, "and or nor but"},
		{subordinator, "while as because when where if although though since until so than whether"},
		{relative, "who which that what whom"},
		{be, "is are was were be been being am 're 'm"},
		{have, "has have had having 've"},
		{auxiliary, "can could will would may might must should shall does do did 'll 'd"},
		{negation, "not n't never"},
		{adverb, "very just too also only quite away together apart here then now almost really nearly well " +
			"back forward else even still ever yet again once maybe upright downhill uphill indoors " +
			"outdoors overhead nearby upside ahead everywhere somewhere"},
		{noun, "something someone somebody everyone everybody everything nothing nobody anything anyone others"},
		{stop, ". ! ? ; : …"},
	} {
		for word := range strings.FieldsSeq(class.words) {
			words[word] = class.tag
		}
	}
	return words
}

// phrases returns the words that act as one, with the tag of the whole, the
// longer before the shorter. A preposition is not to leave its noun behind as
// an object: there is no top in "on top of".
func phrases() []phrase {
	var all []phrase
	for _, class := range []struct {
		tag  tag
		text string
	}{
		{preposition, "on top of,in front of,in back of,in between,next to,close to,near to,inside of,outside of," +
			"out of,off of,away from,ahead of,along with,together with,instead of,because of,such as,across from,up to"},
		{conjunction, "as well as"},
		{pronoun, "each other,one another"},
		{determiner, "a few,all of,some of,both of,plenty of"},
	} {
		for text := range strings.SplitSeq(class.text, ",") {
			all = append(all, phrase{strings.Fields(text), text, class.tag})
		}
	}
	return all
}

// phrase is words that act as one.
type phrase struct {
	words []string
	text  string
	tag   tag
}

// quantifiers are nouns that count what follows them and "of": a couple of
// dogs are dogs (Schuster et al. 2015, section 3.1). A group is a thing.
const quantifiers = " lot assortment number couple bunch handful slew dozen series variety multitude array " +
	"string range plethora heap sort form kind type version bit pair total ton "

// outsiders are the pronouns that stand for nobody in the caption.
const outsiders = " i we us me you "

// gerundNouns are nouns in -ing that may follow a noun: a brick building. All
// other words in -ing that follow a noun are verbs.
const gerundNouns = " building painting ceiling railing clothing icing morning evening wedding crossing clearing " +
	"opening landing siding topping filling dressing bedding lighting flooring paneling seating carving drawing " +
	"writing covering molding housing awning fencing stuffing frosting parking lightning shelving "

func isOneOf(list, word string) bool { return strings.Contains(list, " "+word+" ") }
