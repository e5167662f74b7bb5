// Package fixtext repairs text that was damaged on its way, as the Python library
// ftfy does (version 6, default settings; Robyn Speer, 2019, "ftfy"). CLIP's
// tokenizer runs each text through it, so ids depend on it wherever a text has
// curly quotes, ligatures, full-width letters or mojibake.
//
// It is written from ftfy's documented behaviour. The heuristic that tells mojibake
// from text is a judgement in ftfy too: plain cases agree, contrived ones may not.
package fixtext

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// maxPasses bounds how often the fixes are repeated. Each pass peels one layer of
// damage; ftfy has no bound, and takes quadratic time on "&amp;amp;amp;…".
const maxPasses = 16

// Fix returns the repaired text, which is valid UTF-8 in Unicode's form NFC. Line
// by line, until nothing changes, it
//
//   - replaces HTML entities, unless a "<" so far shows that the text is HTML,
//   - undoes mojibake: UTF-8 that was read in a single-byte encoding,
//   - splits Latin ligatures and straightens curly quotes,
//   - gives full-width and half-width characters their normal width,
//   - makes every line break "\n",
//   - removes terminal escapes and control characters.
func Fix(text string) string {
	if isPlain(text) {
		return text
	}
	text = joinSurrogates(text)
	entities := true
	var b strings.Builder
	for line := range strings.Lines(text) {
		entities = entities && !strings.Contains(line, "<")
		b.WriteString(fixLine(line, entities))
	}
	return b.String()
}

// isPlain reports whether a text has nothing that any fix would touch.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x7f || c == '&' || c < ' ' && c != '\t' && c != '\n' && c != '\f' {
			return false
		}
	}
	return true
}

func fixLine(text string, entities bool) string {
	for range maxPasses {
		before := text
		if entities {
			text = replaceEntities(text)
		}
		text = fixEncoding(text)
		text = fixCharacters(text)
		text = removeEscapes(text)
		text = removeControls(text)
		text = norm.NFC.String(text)
		if text == before {
			break
		}
	}
	return text
}
