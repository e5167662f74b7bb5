package fixtext

import (
	"strings"
	"sync"
)

// Text looks bad where characters stand next to each other that rarely do, except
// when UTF-8 was misread. A rule is a row of classes or single characters. Classes
// and rules follow the "badness" heuristic of ftfy 6.3.

// spot is one place of a rule: a character of some classes, or one of those listed.
type spot struct {
	class class
	runes string
}

func (s spot) fits(r rune, c class) bool {
	return c&s.class != 0 || s.runes != "" && strings.ContainsRune(s.runes, r)
}

func in(c class) spot       { return spot{class: c} }
func of(runes string) spot  { return spot{runes: runes} }
func anyone() spot          { return spot{class: asciiLetter | notASCIILetter | control1} }
func rule(s ...spot) []spot { return s }

// rules are the rows of characters that look bad. The first group is about classes
// alone, the second about what single encodings make of frequent characters.
var rules = sync.OnceValue(func() [][]spot {
	arabic := spot{common | money | odd | numeric | opening, "ŸŠ®°µ»"}
	return [][]spot{
		rule(in(control1)),
		rule(in(odd|accented|box|opening|closing|money|numeric|law), in(odd)),
		rule(in(asciiLetter), in(lowerWord|upperWord), in(odd)),
		rule(in(odd), in(accented|box|opening|closing|money|numeric|law)),
		rule(in(lower|lowerWord|box|closing|money|numeric), in(upper)),
		rule(in(box|closing|money|numeric), in(lower)),
		rule(in(lower|box|closing), in(money)),
		rule(in(white), in(upper), in(money)),
		rule(in(upper|box), in(numeric|law)),
		rule(in(accented|box|money|closing), in(opening), in(numeric)),
		rule(in(accented|money|numeric|box|law), in(closing), in(opening)),
		rule(in(money|numeric|box), in(opening)),
		rule(in(asciiLower), in(upper), in(opening|money)),
		rule(in(box), in(face)),
		rule(in(accented|money|numeric|opening|closing|law), in(box)),
		rule(in(box), in(closing)),
		rule(in(accented), in(opening|closing), in(inWord)),
		rule(in(upper), of("°")),

		rule(of("Œœ"), in(notASCIILetter)),
		rule(of("ÂÃÎÐ"), spot{opening | closing, "€œŠš¢£Ÿž\u00A0\u00AD®©°·»–—´"}),
		rule(of("×"), of("²³")),
		rule(of("ØÙ"), arabic, of("ØÙ"), arabic),
		rule(of("à"), of("²µ¹¼½¾")),
		rule(of("√"), of("±∂†≠®™´≤≥¥µø")),
		rule(of("≈"), of("°¢")),
		rule(of("‚"), of("Ä"), of("ìîïòôúùû†°¢π")),
		rule(of("‚"), of("âó"), of("àä°ê")),
		rule(of("в"), of("Ђ")),
		rule(of("ВГРС"), spot{control1 | odd | opening | closing | money, "°µ"}, of("ВГРС")),
		rule(of("Г"), of("ў"), of("В"), of("Ђ"), of("В"), anyone(), spot{asciiLetter, " "}),
		rule(of("Ã"), of("\u00A0¡")),
		rule(in(asciiLower), of("ÃÂ"), of(" ")),
		rule(in(asciiLower), in(white), of("ÃÂ"), of(" ")),
		rule(spot{asciiLower | closing, ".,?!"}, of("Â"), spot{opening | closing, " "}),
		rule(of("β"), of("€"), of("™\u00A0Ά\u00AD®°")),
		rule(of("ΒΓΞΟ"), spot{control1 | odd | opening | closing | money, "°"}, of("ΒΓΞΟ")),
	}
})

// startRules are those that hold only where a text begins.
func startRules() [2][]spot {
	return [2][]spot{
		rule(of("ÃÂ"), of(" ")),
		rule(in(upper), in(money), in(inWord)),
	}
}

// isBad reports whether some part of the text looks like mojibake.
func isBad(text string) bool {
	if isASCIIText(text) {
		return false
	}
	runes := []rune(text)
	classes := make([]class, len(runes))
	for i, r := range runes {
		classes[i] = classOf(r)
	}
	for _, row := range startRules() {
		if rowFits(row, runes, classes) {
			return true
		}
	}
	for i := range runes {
		// No rule begins with three ASCII characters, as most places in text do.
		if i+2 < len(runes) && max(runes[i], runes[i+1], runes[i+2]) < 0x80 {
			continue
		}
		for _, row := range rules() {
			if rowFits(row, runes[i:], classes[i:]) {
				return true
			}
		}
	}
	return false
}

func rowFits(row []spot, runes []rune, classes []class) bool {
	if len(row) > len(runes) {
		return false
	}
	for i, s := range row {
		if !s.fits(runes[i], classes[i]) {
			return false
		}
	}
	return true
}

func isASCIIText(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}
