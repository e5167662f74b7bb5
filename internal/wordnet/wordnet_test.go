package wordnet

import (
	"bufio"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
)

func TestSynsets(t *testing.T) {
	d := Open()
	for _, tt := range []struct {
		lemma string
		pos   POS
		first uint32
		count int
	}{
		{"dog", Noun, 2084071, 7},
		{"dog", Verb, 2001858, 1},
		{"dog", Adjective, 0, 0},
		{"traffic_light", Noun, 6874185, 1},
		{"'hood", Noun, 8641944, 1}, // the first line of the table
		{"zymurgy", Noun, 6080361, 1},
		{"\xff", Noun, 0, 0},
		{"", Noun, 0, 0},
	} {
		got := d.Synsets(tt.lemma, tt.pos)
		if len(got) != tt.count {
			t.Errorf("%q as %c has %d synsets, want %d", tt.lemma, tt.pos, len(got), tt.count)
			continue
		}
		if len(got) > 0 && got[0] != (Synset{tt.pos, tt.first}) {
			t.Errorf("%q as %c begins with %v, want %d", tt.lemma, tt.pos, got[0], tt.first)
		}
	}
}

func TestLemmas(t *testing.T) {
	d := Open()
	for _, tt := range []struct {
		word string
		pos  POS
		want []string
	}{
		{"dogs", Noun, []string{"dog"}},
		{"women", Noun, []string{"woman"}},
		{"geese", Noun, []string{"goose"}},
		{"glasses", Noun, []string{"glasses", "glass"}},
		{"glass", Noun, []string{"glass"}},
		{"ran", Verb, []string{"run"}},
		{"riding", Verb, []string{"ride", "rid"}},
		{"stopped", Verb, []string{"stop"}},
		{"larger", Adjective, []string{"larger", "large"}},
		{"quickly", Adverb, []string{"quickly"}},
		{"is", Verb, []string{"be"}},
		{"qwxz", Noun, nil},
	} {
		if got := d.Lemmas(tt.word, tt.pos); !slices.Equal(got, tt.want) {
			t.Errorf("%q as %c comes from %q, want %q", tt.word, tt.pos, got, tt.want)
		}
	}
}

func TestShare(t *testing.T) {
	d := Open()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"bike", "bicycle", true},
		{"bikes", "bicycle", true},
		{"kids", "children", true},
		{"dog", "cat", false},
		{"qwxz", "qwxz", false},
	} {
		if got := Share(d.Senses(tt.a), d.Senses(tt.b)); got != tt.want {
			t.Errorf("%q and %q share a synset: %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestMETEOR holds that the tables are METEOR's own: the same words with the
// same synsets, the same forms with the same bases.
func TestMETEOR(t *testing.T) {
	d := Open()
	synsets := pairs(t, "english.synsets")
	if len(synsets) != len(d.lemmas.starts) {
		t.Errorf("%d lemmas, want %d", len(d.lemmas.starts), len(synsets))
	}
	differ := 0
	for lemma, want := range synsets {
		var got []string
		for value := range strings.FieldsSeq(d.lemmas.find(lemma)) {
			got = append(got, strconv.Itoa(int(offset(value))))
		}
		for i := range want {
			want[i] = strings.TrimLeft(want[i], "0")
		}
		if !equalSets(got, want) {
			differ++
			t.Logf("%q has the synsets %q, want %q", lemma, got, want)
		}
	}
	if differ > 0 {
		t.Errorf("%d of %d lemmas differ", differ, len(synsets))
	}
	bases := map[string][]string{}
	for base, forms := range pairs(t, "english.exceptions") {
		for _, form := range forms {
			bases[form] = append(bases[form], base)
		}
	}
	for form, want := range bases {
		if got := d.Base(form); !equalSets(got, want) {
			t.Errorf("%q comes from %q, want %q", form, got, want)
		}
	}
}

func equalSets(a, b []string) bool {
	return slices.Equal(set(a), set(b))
}

func set(s []string) []string {
	all := map[string]bool{}
	for _, v := range s {
		all[v] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// pairs reads a file of METEOR's: lines of keys, each before its line of values.
func pairs(t *testing.T, name string) map[string][]string {
	t.Helper()
	file, err := os.Open(golden.Shared(t, "fixtures", "meteor", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all := map[string][]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key := lines.Text()
		lines.Scan()
		all[key] = strings.Fields(lines.Text())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		readTable(lemmasFile)
	}
}
