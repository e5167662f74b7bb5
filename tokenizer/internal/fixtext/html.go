package fixtext

import (
	"html"
	"regexp"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/language"
)

// UnescapeHTML replaces character references as Python's html.unescape does, those
// without a semicolon among them. It differs from Go's html.UnescapeString for
// numbers: control characters vanish, and no number is too long.
func UnescapeHTML(text string) string {
	if !strings.Contains(text, "&") {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(text, "&#")
		if i < 0 {
			b.WriteString(html.UnescapeString(text))
			return b.String()
		}
		b.WriteString(html.UnescapeString(text[:i]))
		text = text[i:]
		n := numericReference(text, &b)
		if n == 0 {
			n = len("&#")
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
}

// numericReference writes the character of the reference at the start of text and
// returns the length of the reference, or 0 where it has no digits.
func numericReference(text string, b *strings.Builder) int {
	i, base := len("&#"), 10
	if i < len(text) && text[i]|0x20 == 'x' {
		i, base = i+1, 16
	}
	digits, code := 0, 0
	for ; i < len(text); i, digits = i+1, digits+1 {
		d := digit(text[i])
		if d >= base {
			break
		}
		code = min(code*base+d, 0x110000)
	}
	if digits == 0 {
		return 0
	}
	if i < len(text) && text[i] == ';' {
		i++
	}
	writeCodePoint(rune(code), b)
	return i
}

// digit returns the value of a hexadecimal digit, or 16.
func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return 16
}

// writeCodePoint writes what HTML means by the number of a character.
func writeCodePoint(r rune, b *strings.Builder) {
	switch {
	case r == 0 || r > 0x10FFFF || 0xD800 <= r && r <= 0xDFFF:
		b.WriteRune('\uFFFD')
	case r == '\r':
		b.WriteByte('\r')
	case 0x80 <= r && r <= 0x9F:
		b.WriteRune(sloppy1252(byte(r)))
	case r < ' ' && r != '\t' && r != '\n' && r != '\f', r == 0x7F,
		0xFDD0 <= r && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
		// no character at all
	default:
		b.WriteRune(r)
	}
}

// sloppy1252 returns the character of a byte in Windows-1252, or for the five bytes
// that it leaves open the control character of that number.
func sloppy1252(b byte) rune {
	if r := charmap.Windows1252.DecodeByte(b); r != '\uFFFD' {
		return r
	}
	return rune(b)
}

var entity = regexp.MustCompile(`&#?[0-9A-Za-z]{1,24};`)

// replaceEntities replaces the references that are beyond doubt: those that end in
// a semicolon, and the lower-case names written in capitals (&EACUTE; for É).
func replaceEntities(text string) string {
	if !strings.Contains(text, "&") {
		return text
	}
	return entity.ReplaceAllStringFunc(text, func(ref string) string {
		plain := UnescapeHTML(ref)
		switch {
		case ref == "&semi;":
			return ";"
		case plain != ref:
			if strings.Contains(plain, ";") {
				return ref // only a part of it was a reference
			}
			return plain
		case ref == strings.ToUpper(ref):
			lower := strings.ToLower(ref)
			if plain = UnescapeHTML(lower); plain != lower && !strings.Contains(plain, ";") {
				return cases.Upper(language.Und).String(plain)
			}
		}
		return ref
	})
}
