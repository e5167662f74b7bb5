package meteor

import "strings"

// rule replaces a mark that stands between two characters of certain kinds.
// METEOR's rules are regular expressions over the three, so that a match uses
// up the character after the mark: "aa-bb-cc" loses both hyphens, "a-b-c" only
// the first.
type rule struct {
	left  func(rune) bool
	mark  rune
	right func(rune) bool
	with  string
}

// commas returns the rules that separate commas, except between digits.
func commas() []rule {
	return []rule{
		{not(isDigit), ',', not(isDigit), " , "},
		{isDigit, ',', not(isDigit), " , "},
		{not(isDigit), ',', isDigit, " , "},
	}
}

// hyphens returns the rule that cuts "black-and-white" and "u.s.-based".
func hyphens() []rule {
	dotted := func(r rune) bool { return r == '.' || isAlphanumeric(r) }
	return []rule{{dotted, '-', isAlphanumeric, " "}}
}

// apostrophes returns the rules that separate apostrophes, and split
// contractions before them.
func apostrophes() []rule {
	isS := func(r rune) bool { return r == 's' }
	return []rule{
		{not(isLetter), '\'', not(isLetter), " ' "},
		{not(isAlphanumeric), '\'', isLetter, " ' "},
		{isLetter, '\'', not(isLetter), " ' "},
		{isLetter, '\'', isLetter, " '"},
		{isDigit, '\'', isS, " '"}, // the 1990's
	}
}

func not(is func(rune) bool) func(rune) bool {
	return func(r rune) bool { return !is(r) }
}

// apply applies the rules one after another, each from left to right.
func apply(rules []rule, text string) string {
	for _, rule := range rules {
		if strings.ContainsRune(text, rule.mark) {
			text = rule.apply(text)
		}
	}
	return text
}

func (r rule) apply(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		b.WriteRune(runes[i])
		if i+2 < len(runes) && r.left(runes[i]) && runes[i+1] == r.mark && r.right(runes[i+2]) {
			b.WriteString(r.with)
			b.WriteRune(runes[i+2])
			i += 2
		}
	}
	return b.String()
}
