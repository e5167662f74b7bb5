package fixtext

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/encoding/charmap"
)

// class is a set of the classes of characters that the rules of badness speak of.
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
	law     // signs of paragraphs and sections
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
		odd:     "¦¤¨¬¯¸ªºƒˆˇ˘˛˜†‡‰⌐◊\uFFFD",
		opening: "¡«¿©΄΅‘‚“„•‹\uF8FF",
		closing: "®»˝”›™",
		money:   "¢£¥₧€",
		numeric: "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№",
		law:     "¶§",
		face:    "ÒÓÔÕÖÙÚÛÜòóôõöøùúûüŌŐ°",
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
