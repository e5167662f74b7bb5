package fixtext

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// fixEncoding undoes mojibake, layer by layer.
func fixEncoding(text string) string {
	for range maxPasses {
		fixed := fixLayer(text)
		if fixed == text {
			break
		}
		text = fixed
	}
	return text
}

// fixLayer undoes one layer: text that looks bad is encoded back, in the first
// encoding in which the bytes turn out to be UTF-8 throughout. Failing that, the
// stretches that must be UTF-8 are mended one by one; failing that, control
// characters of Latin-1 are taken for Windows-1252.
func fixLayer(text string) string {
	if !isBad(text) {
		return text
	}
	for _, c := range codecs() {
		raw, ok := c.encode(text)
		if !ok {
			continue
		}
		if !c.mac {
			raw = restoreA0(raw)
		}
		if c.sloppy {
			raw = replaceLossy(raw)
		}
		if fixed, ok := decodeAll(raw); ok {
			return fixed
		}
	}
	if fixed := fixStretches(text); fixed != text {
		return fixed
	}
	if fixed, ok := as1252(text); ok {
		return fixed
	}
	return strings.Map(func(r rune) rune {
		if isC1(r) {
			return sloppy1252(byte(r))
		}
		return r
	}, text)
}

// as1252 reads Latin-1 text as Windows-1252, where that changes it and no byte is
// left open.
func as1252(text string) (string, bool) {
	changed, sound := false, true
	fixed := strings.Map(func(r rune) rune {
		if r > 0xFF {
			sound = false
			return r
		}
		out := charmap.Windows1252.DecodeByte(byte(r))
		sound = sound && out != utf8.RuneError
		changed = changed || out != r
		return out
	}, text)
	return fixed, changed && sound
}

// fixStretches mends the stretches of a text that look like UTF-8 misread, where
// the text as a whole is a mixture.
func fixStretches(text string) string {
	var b strings.Builder
	before := role(0)
	for i := 0; i < len(text); {
		n := 0
		if before&strict == 0 { // else it is the rest of some larger garble
			n = stretch(text[i:])
		}
		if n == 0 {
			r, size := utf8.DecodeRuneInString(text[i:])
			before = roles()[r]
			b.WriteString(text[i : i+size])
			i += size
			continue
		}
		found := text[i : i+n]
		if n < len(text) { // else it was tried as a whole
			found = fixEncoding(found)
		}
		b.WriteString(found)
		i += n
		last, _ := utf8.DecodeLastRuneInString(text[:i])
		before = roles()[last]
	}
	return b.String()
}

// stretch returns the length of the misread UTF-8 sequences at the start of text.
func stretch(text string) int {
	end := 0
	for {
		n := sequence(text[end:])
		if n == 0 {
			return end
		}
		end += n
	}
}

// sequence returns the length of one misread sequence at the start of text, or 0.
func sequence(text string) int {
	first, size := utf8.DecodeRuneInString(text)
	if first < 0x80 {
		return 0
	}
	lead := roles()[first]
	for more, want := range [...]role{1: lead2, 2: lead3, 3: lead4} {
		if lead&want == 0 {
			continue
		}
		if n := continuations(text[size:], more); n > 0 {
			return size + n
		}
	}
	return 0
}

// continuations returns the length of so many continuation characters at the start
// of text, or 0 where there are fewer. A space may have been a no-break one.
func continuations(text string, count int) int {
	end := 0
	for range count {
		r, size := utf8.DecodeRuneInString(text[end:])
		if r != ' ' && roles()[r]&continuation == 0 {
			return 0
		}
		end += size
	}
	return end
}
