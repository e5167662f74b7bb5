package scenegraph

import (
	"slices"
	"strings"

	"github.com/cutline-go/cutline/internal/wordnet"
)

// Graph is the scene that one or more captions tell of: objects with their
// attributes, and relations between them. What WordNet has as synonyms is one.
type Graph struct {
	nodes     []node
	relations []relation
}

type node struct {
	object     concept
	attributes []concept
}

type relation struct {
	subject, object int // indices of nodes
	concept
}

// concept is one or more lemmas that were found to mean the same.
type concept struct {
	lemmas []string
	senses []uint32 // ascending
}

func (c concept) similar(other concept) bool {
	for _, lemma := range c.lemmas {
		if slices.Contains(other.lemmas, lemma) {
			return true
		}
	}
	return wordnet.Share(c.senses, other.senses)
}

// merge returns the concept that means what either does.
func (c concept) merge(other concept) concept {
	lemmas, senses := slices.Concat(c.lemmas, other.lemmas), slices.Concat(c.senses, other.senses)
	slices.Sort(lemmas)
	slices.Sort(senses)
	return concept{slices.Compact(lemmas), slices.Compact(senses)}
}

// Graph merges the tuples of captions into one graph. They are taken in the
// order of the alphabet, since a merged concept draws in others: in the order
// of the captions the score would depend on it.
func (l *Lexicon) Graph(captions ...[]Tuple) *Graph {
	tuples := slices.Concat(captions...)
	slices.SortFunc(tuples, func(a, b Tuple) int { return slices.Compare(a, b) })
	g := &Graph{}
	for _, tuple := range slices.CompactFunc(tuples, slices.Equal) {
		l.addTo(g, tuple)
	}
	return g
}

func (l *Lexicon) addTo(g *Graph, tuple Tuple) {
	subject := g.place(l.concept(tuple[0]))
	switch len(tuple) {
	case 2:
		n := &g.nodes[subject]
		n.attributes = include(n.attributes, l.concept(tuple[1]))
	case 3:
		object := g.place(l.concept(tuple[2]))
		g.relate(relation{subject, object, l.concept(tuple[1])})
	}
}

func (l *Lexicon) concept(slot string) concept {
	return concept{[]string{slot}, l.meanings(slot)}
}

// place returns the index of the node of an object, a new one if need be.
func (g *Graph) place(object concept) int {
	for i, n := range g.nodes {
		if n.object.similar(object) {
			g.nodes[i].object = n.object.merge(object)
			return i
		}
	}
	g.nodes = append(g.nodes, node{object: object})
	return len(g.nodes) - 1
}

func (g *Graph) relate(r relation) {
	for i, known := range g.relations {
		if known.subject == r.subject && known.object == r.object && known.similar(r.concept) {
			g.relations[i].concept = known.merge(r.concept)
			return
		}
	}
	g.relations = append(g.relations, r)
}

func include(concepts []concept, c concept) []concept {
	for i, known := range concepts {
		if known.similar(c) {
			concepts[i] = known.merge(c)
			return concepts
		}
	}
	return append(concepts, c)
}

// tuples returns the propositions of the graph.
func (g *Graph) tuples() [][]concept {
	var all [][]concept
	for _, n := range g.nodes {
		all = append(all, []concept{n.object})
		for _, attribute := range n.attributes {
			all = append(all, []concept{n.object, attribute})
		}
	}
	for _, r := range g.relations {
		all = append(all, []concept{g.nodes[r.subject].object, r.concept, g.nodes[r.object].object})
	}
	return all
}

// String lists the tuples, for tests that fail.
func (t Tuple) String() string { return "(" + strings.Join(t, ", ") + ")" }

// F1 returns the harmonic mean of precision and recall of the candidate's
// tuples against the reference's, 0 if there are none. Two tuples match if they
// are of one length and share a lemma or a sense in each slot. As in SPICE,
// each of the candidate's counts once, and several may match one reference.
func F1(candidate, reference *Graph) float64 {
	said, known := candidate.tuples(), reference.tuples()
	matched := 0
	for _, tuple := range said {
		if slices.ContainsFunc(known, func(other []concept) bool { return match(tuple, other) }) {
			matched++
		}
	}
	if matched == 0 {
		return 0
	}
	precision, recall := float64(matched)/float64(len(said)), float64(matched)/float64(len(known))
	return 2 * precision * recall / (precision + recall)
}

func match(a, b []concept) bool {
	return slices.EqualFunc(a, b, concept.similar)
}
