package fixtext

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// Text looks bad where characters stand next to each other that rarely do, except
// when UTF-8 was misread. Characters belong to the classes below; a rule is a row
// of classes or single characters. Classes and rules follow the "badness" heuristic
// that ftfy 6 documents.

type class uint32

const (
	control1  class = 1 << iota // Latin-1's control characters, never meant
	odd                         // hardly ever seen but in mojibake
	lower                       // Latin small letters with accents
	upper                       // Latin capital letters with accents
	lowerWord                   // Greek and Cyrillic small letters
	upperWord                   // their capitals, and thorn
	box                         // of line drawings
	opening                     // punctuation before a word
	closing                     // punctuation after a word
	money
	numeric // signs of arithmetic, fractions, superscripts
	face    // letters and signs that emoticons are made of
	common  // punctuation found everywhere
	asciiLower
	asciiUpper
	inWord // letters, digits and the underscore
	white
	notASCIILetter

	asciiLetter = asciiLower | asciiUpper
	accented    = lower | upper
)

// members lists the classes that are best listed.
var members = sync.OnceValue(func() map[rune]class {
	all := make(map[rune]class)
	for c, runes := range map[class]string{
		odd:     "¦¤¨¬¯¶§¸ªºƒˆˇ˘˛˜†‡‰⌐◊\uFFFD",
		opening: "¡«¿©΄΅‘‚“„•‹\uF8FF",
		closing: "®»˝”›™",
		money:   "¢£¥₧€",
		numeric: "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№",
		face:    "ÒÓÔÕÖÙÚÛÜòóôõöøùúûüŐ°",
		common:  "\u00A0\u00AD·´–—―…’",
		box:     "│┌┐┘├┤┬┼▀▄█▌▐░▒▓",
		upper:   "ÀØÜÑҐ",
		lower:   "ñüґﬁﬂ",
	} {
		for _, r := range runes {
			all[r] |= c
		}
	}
	for _, m := range []*charmap.Charmap{charmap.Windows1252, charmap.Windows1250, charmap.Windows1254, charmap.Windows1257} {
		for r := range upperHalf(m) {
			all[r] |= accentedClass(r, all[r])
		}
	}
	return all
})

// accentedClass returns the class of a Latin letter of the Windows encodings. O and
// U with accents are left out: faces have them as eyes.
func accentedClass(r rune, known class) class {
	switch {
	case known&face != 0, !unicode.Is(unicode.Latin, r), r == 'Þ', r == 'þ', r == 'ª', r == 'º', r == 'ƒ':
		return 0
	case unicode.IsUpper(r):
		return upper
	}
	if roles()[r] != 0 {
		return lower
	}
	return 0 // no byte of UTF-8 is misread as it
}

func isC1(r rune) bool { return 0x80 <= r && r <= 0x9F }

// classOf returns all classes of a character.
func classOf(r rune) class {
	switch {
	case 'a' <= r && r <= 'z':
		return asciiLower | inWord
	case 'A' <= r && r <= 'Z':
		return asciiUpper | inWord
	case isC1(r):
		return control1 | notASCIILetter
	}
	c := notASCIILetter
	if unicode.IsSpace(r) {
		c |= white
	}
	if unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' {
		c |= inWord
	}
	switch {
	case r < 0x80:
		return c
	case 'Α' <= r && r <= 'Ω', strings.ContainsRune("ΆΈΉΊΌΎΏΪΫÞ", r), 'Ё' <= r && r <= 'Я':
		c |= upperWord
	case 'α' <= r && r <= 'ω', strings.ContainsRune("άέήίΰ", r), 'а' <= r && r <= 'џ':
		c |= lowerWord
	case '═' <= r && r <= '╬':
		c |= box
	}
	return c | members()[r]
}

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
		rule(in(odd|accented|box|opening|closing|money|numeric), in(odd)),
		rule(in(asciiLetter), in(lowerWord|upperWord), in(odd)),
		rule(in(odd), in(accented|box|opening|closing|money|numeric)),
		rule(in(lower|lowerWord|box|closing|money|numeric), in(upper)),
		rule(in(box|closing|money|numeric), in(lower)),
		rule(in(lower|box|closing), in(money)),
		rule(in(white), in(upper), in(money)),
		rule(in(upper|box), in(numeric)),
		rule(in(accented|box|money|closing), in(opening), in(numeric)),
		rule(in(accented|money|numeric|box), in(closing), in(opening)),
		rule(in(money|numeric|box), in(opening)),
		rule(in(asciiLower), in(upper), in(opening|money)),
		rule(in(box), in(face)),
		rule(in(accented|money|numeric|opening|closing), in(box)),
		rule(in(box), in(closing)),
		rule(in(accented), in(closing), in(inWord)),

		rule(of("Œœ"), in(notASCIILetter)),
		rule(of("ÂÃÎÐ"), spot{opening | closing, "€Šš¢£Ÿž\u00A0\u00AD®©°·»–—´"}),
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

// isBad reports whether some part of the text looks like mojibake.
func isBad(text string) bool {
	if isASCIIText(text) {
		return false
	}
	if strings.HasPrefix(text, "Ã ") || strings.HasPrefix(text, "Â ") {
		return true
	}
	runes := []rune(text)
	classes := make([]class, len(runes))
	for i, r := range runes {
		classes[i] = classOf(r)
	}
	for i := range runes {
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
