package meteor

import (
	"slices"
	"strings"
	"unicode"
)

// normalize runs METEOR 1.5's normaliser for English (-norm, which keeps
// punctuation) over the words of a text in lower case: all that is neither a
// letter nor a digit stands alone, words are cut at hyphens, contractions are
// split before the apostrophe. "t-shirt's" becomes "t", "shirt", "'s", but
// "'s", which is what the PTB tokenizer makes of it, becomes "'", "s".
func normalize(words []string) []string {
	if !slices.ContainsFunc(words, isAltered) {
		return words
	}
	text := separate(" " + strings.ToLower(strings.Join(words, " ")) + " ")
	text = apply(commas(), text)
	text = strings.NewReplacer("`", "'", "‘", "'", "’", "'").Replace(text)
	text = strings.NewReplacer("''", ` " `, "“", ` " `, "”", ` " `).Replace(text)
	text = strings.ReplaceAll(text, "–", "-")
	text = strings.ReplaceAll(text, "--", "-")
	text = apply(hyphens(), text)
	text = apply(apostrophes(), text)

	fields := strings.Fields(text)
	var normalized []string
	for i, word := range fields {
		next := ""
		if i+1 < len(fields) {
			next = fields[i+1]
		}
		normalized = append(normalized, splitDot(word, next)...)
	}
	for i, word := range normalized {
		normalized[i] = strings.ReplaceAll(word, string(ellipsisDot), ".")
	}
	return normalized
}

// ellipsisDot stands for a dot of an ellipsis, which stays whole.
const ellipsisDot = '\uffff'

// isAltered tells a word that the normaliser may alter.
func isAltered(word string) bool {
	return word == "" || strings.ContainsFunc(word, func(r rune) bool {
		return !isAlphanumeric(r) || unicode.IsUpper(r)
	})
}

// separate puts spaces around each character that is none of a letter, a
// digit and the marks that later rules treat, and around each ellipsis.
func separate(text string) string {
	var b strings.Builder
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case r == '.' && runes[i+1] == '.': // the text ends in a space
			b.WriteByte(' ')
			for ; runes[i] == '.'; i++ {
				b.WriteRune(ellipsisDot)
			}
			b.WriteByte(' ')
			i--
		case isAlphanumeric(r) || strings.ContainsRune(".'`,-‘’", r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// splitDot separates the dot that ends a word from it, unless the dot is
// of an abbreviation. Abbreviations with several dots lose them all, so that
// "u.s." equals "us"; those known by name keep theirs, and so does any word
// before a word in lower case.
func splitDot(word, next string) []string {
	before, dotted := strings.CutSuffix(word, ".")
	switch {
	case !dotted || before == "":
		return []string{word}
	case strings.Contains(before, ".") && strings.ContainsFunc(before, isLetter):
		return []string{strings.ReplaceAll(word, ".", "")}
	case before == "v" || before == "vs" || before == "rev":
		return []string{word}
	case next != "" && 'a' <= next[0] && next[0] <= 'z':
		return []string{word}
	case before == "pp" && next != "" && isDigit(rune(next[0])):
		return []string{word}
	}
	return []string{before, "."}
}

// isLetter tells a letter as METEOR knows them, western European and
// Cyrillic ones; all others it takes for punctuation.
func isLetter(r rune) bool {
	for _, span := range [...][2]rune{
		{'a', 'z'}, {'A', 'Z'}, {'À', 'Ö'}, {'Ø', 'ö'}, {'ø', 'ž'},
		{0x0400, 0x0527}, {0xa640, 0xa66e}, {0xa67e, 0xa697}, {0x1d00, 0x1d7f},
	} {
		if span[0] <= r && r <= span[1] {
			return true
		}
	}
	return false
}

func isAlphanumeric(r rune) bool { return isLetter(r) || isDigit(r) }

func isDigit(r rune) bool { return '0' <= r && r <= '9' }
