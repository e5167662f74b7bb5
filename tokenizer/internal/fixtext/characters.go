package fixtext

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fixCharacters makes the replacements that look at one character at a time.
func fixCharacters(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r <= 0x9f:
			b.WriteRune(sloppy1252(byte(r)))
		case r == 'ʼ' || '‘' <= r && r <= '‛':
			b.WriteByte('\'')
		case '“' <= r && r <= '‟':
			b.WriteByte('"')
		case r == '\u2028' || r == '\u2029':
			b.WriteByte('\n')
		case r == 'ﬅ': // compatibility would go on to a modern s
			b.WriteString("ſt")
		case isLigature(r) || isWide(r):
			b.WriteString(norm.NFKC.String(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "\r\n", "\n"), "\r", "\n")
}

// isLigature reports whether a character is two or three Latin letters that
// typesetting or an old encoding joined. Those that languages write on purpose,
// such as æ, are not among them.
func isLigature(r rune) bool {
	return r == 'Ĳ' || r == 'ĳ' || r == 'ŉ' ||
		'Ǆ' <= r && r <= 'ǌ' || 'Ǳ' <= r && r <= 'ǳ' || 'ﬀ' <= r && r <= 'ﬆ'
}

// isWide reports whether a character is the full-width or half-width form of
// another, the ideographic space among them.
func isWide(r rune) bool { return r == '\u3000' || '\uff01' <= r && r <= '\uffef' }

// removeEscapes removes the escape sequences that colour text on a terminal.
func removeEscapes(text string) string {
	if !strings.Contains(text, "\x1b[") {
		return text
	}
	return terminalEscape.ReplaceAllString(text, "")
}

var terminalEscape = regexp.MustCompile(`\x1b\[[0-9;]*[a-zA-Z]`)

// removeControls removes control characters that have no place in text: ASCII's
// but for white space, the deprecated Arabic ones, the byte-order mark, and those
// for annotations and objects.
func removeControls(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < ' ' && r != '\t' && r != '\n' && r != '\f' && r != '\r',
			r == 0x7f, r == '\ufeff',
			'\u206a' <= r && r <= '\u206f',
			'\ufff9' <= r && r <= '\ufffc':
			return -1
		}
		return r
	}, text)
}

// joinSurrogates makes a string valid UTF-8. Halves of UTF-16 pairs that were
// encoded one by one become the character they stand for; what cannot be read
// becomes U+FFFD.
func joinSurrogates(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := decodeVariant([]byte(text[i:min(i+6, len(text))]))
		b.WriteRune(r)
		i += max(n, 1)
	}
	return b.String()
}
