package fixtext

import (
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// codec is a single-byte encoding in which UTF-8 is often misread.
type codec struct {
	bytes map[rune]byte // of the characters beyond ASCII
	// A sloppy codec takes bytes that its standard leaves open for the control
	// characters of the same number, as programs do, and U+FFFD for a lost byte.
	sloppy bool
	// Space for A0 is not restored in Mac OS Roman, where it would turn an en dash
	// and a space into a letter.
	mac bool
}

// encode returns the bytes that were read as text in this encoding.
func (c *codec) encode(text string) ([]byte, bool) {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		switch {
		case r < 0x80 && !(c.sloppy && r == lost):
			out = append(out, byte(r))
		case c.sloppy && r == utf8.RuneError:
			out = append(out, lost)
		default:
			b, ok := c.bytes[r]
			if !ok {
				return nil, false
			}
			out = append(out, b)
		}
	}
	return out, true
}

// codecs are the encodings in the order in which they are tried, from the most
// common mistake to the rarest.
var codecs = sync.OnceValue(func() []codec {
	sloppy := func(m *charmap.Charmap) codec { return codec{bytes: upperHalf(m), sloppy: true} }
	return []codec{
		{bytes: latin1()},
		sloppy(charmap.Windows1252),
		sloppy(charmap.Windows1251),
		sloppy(charmap.Windows1250),
		sloppy(charmap.Windows1253),
		sloppy(charmap.Windows1254),
		sloppy(charmap.Windows1257),
		{bytes: upperHalf(charmap.ISO8859_2)},
		{bytes: upperHalf(charmap.Macintosh), mac: true},
		{bytes: upperHalf(charmap.CodePage437)},
	}
})

// latin1 maps the upper half of ISO 8859-1 with its control characters.
func latin1() map[rune]byte {
	bytes := make(map[rune]byte, 128)
	for b := 0x80; b < 0x100; b++ {
		bytes[rune(b)] = byte(b)
	}
	return bytes
}

// upperHalf maps the characters of the bytes 80 to FF.
func upperHalf(m *charmap.Charmap) map[rune]byte {
	bytes := make(map[rune]byte, 128)
	for b := 0x80; b < 0x100; b++ {
		r := m.DecodeByte(byte(b))
		if r == utf8.RuneError {
			r = rune(b)
		}
		bytes[r] = byte(b)
	}
	return bytes
}

// role is what the byte of a character can be in UTF-8, in any of the Windows
// encodings.
type role uint8

const (
	lead2        role = 1 << iota // begins a sequence of two bytes
	lead3                         // of three
	lead4                         // of four, in the planes that are in use
	continuation                  // follows a lead
	strict                        // follows one, and is rare as a character by itself
)

// roles are the roles of the characters beyond ASCII.
var roles = sync.OnceValue(func() map[rune]role {
	all := make(map[rune]role)
	for _, c := range codecs()[:7] {
		for r, b := range c.bytes {
			switch {
			case b < 0xC0:
				all[r] |= continuation
				if !isCommonPunctuation(r) {
					all[r] |= strict
				}
			case 0xC2 <= b && b <= 0xDF:
				all[r] |= lead2
			case 0xE0 <= b && b <= 0xEF:
				all[r] |= lead3
			case b == 0xF0 || b == 0xF3:
				all[r] |= lead4
			}
		}
	}
	return all
})

func isCommonPunctuation(r rune) bool {
	switch r {
	case '–', '—', '―', '‘', '’', '‚', '“', '”', '„', '•', '…':
		return true
	}
	return false
}
