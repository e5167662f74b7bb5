package meteor

import (
	"slices"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"a dog on grass", "a dog on grass"},
		{"a black-and-white dog", "a black and white dog"},
		{"t-shirt", "t shirt"},
		{"a-b-c", "a b-c"}, // the b is used up
		{"-lrb- left -rrb-", "-lrb- left -rrb-"},
		{"u.s.-based", "us based"},
		{"the dog 's ball", "the dog ' s ball"},
		{"the dog's ball", "the dog 's ball"},
		{"is n't", "is n 't"},
		{"the 1990's", "the 1990 's"},
		{"the 90'x", "the 90'x"},
		{"rock ' n ' roll", "rock ' n ' roll"},
		{"$ 1,000 & 50% off", "$ 1,000 & 50 % off"},
		{"red,white , blue", "red , white , blue"},
		{"the u.s. flag", "the us flag"},
		{"the 2.5 ft. fence", "the 2.5 ft. fence"},
		{"a 5 ft.", "a 5 ft ."},
		{"cats vs. 3 dogs", "cats vs. 3 dogs"},
		{"see pp. 5", "see pp. 5"},
		{"see no. 5", "see no . 5"},
		{"wait ... what", "wait ... what"},
		{"wait...what.", "wait ... what ."},
		{"``quoted''", `" quoted "`},
		{"“it’s”", `" it 's "`},
		{"a – b -- c", "a - b - c"},
		{"1/2", "1 / 2"},
		{"crème brûlée", "crème brûlée"},
		{"寿司", "寿 司"},
		{"A Dog", "a dog"},
		{"a\u00a0b", "a b"},
	} {
		if got := normalize(strings.Split(tt.text, " ")); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestPorter2 holds the stemmer to Snowball's English one, of which these are
// marks: Porter's first stemmer gives "dy", "gener" and "ski" → "skis".
func TestPorter2(t *testing.T) {
	for word, want := range map[string]string{
		"running": "run", "dogs": "dog", "dying": "die", "skis": "ski", "generate": "generat",
		"general": "general", "happily": "happili", "consignment": "consign", "knightly": "knight",
		"news": "news", "boy's": "boy", "a": "a", "": "", "été": "été", "inning": "inning",
	} {
		if got := porter2(word); got != want {
			t.Errorf("the stem of %q is %q, want %q", word, got, want)
		}
	}
}

// TestFunctionWords compares the list with METEOR's.
func TestFunctionWords(t *testing.T) {
	want := strings.Fields(string(read(t, "fixtures", "meteor", "english.words")))
	if got := strings.Fields(functionWords); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
