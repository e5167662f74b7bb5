package scenegraph

import (
	"strings"
	"unicode"
)

// split cuts a caption into lower-case words and punctuation marks, each mark
// alone: "a man's hat, isn't it?" is a man 's hat , is n't it ?
func split(caption string) []string {
	caption = strings.NewReplacer("’", "'", "&", " and ", "cannot", "can not").Replace(strings.ToLower(caption))
	var words []string
	for field := range strings.FieldsSeq(caption) {
		words = append(words, splitField([]rune(field))...)
	}
	return words
}

func splitField(field []rune) []string {
	var words []string
	start := 0
	flush := func(end int) {
		if start < end {
			words = append(words, splitClitic(string(field[start:end]))...)
		}
		start = end + 1
	}
	for i, r := range field {
		inside := i > 0 && i+1 < len(field) && isWord(field[i-1]) && isWord(field[i+1])
		if isWord(r) || r == '\'' || inside && strings.ContainsRune("-.", r) {
			continue
		}
		flush(i)
		words = append(words, string(r))
	}
	flush(len(field))
	return words
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }

// splitClitic cuts "'s" and its like, and "n't", off a word.
func splitClitic(word string) []string {
	if stem, ok := strings.CutSuffix(word, "n't"); ok && stem != "" {
		return []string{stem, "n't"}
	}
	if stem, ok := strings.CutSuffix(word, "s'"); ok && stem != "" {
		return []string{stem + "s", "'s"}
	}
	stem, clitic, found := strings.Cut(strings.Trim(word, "'"), "'")
	switch {
	case stem == "" && clitic == "":
		return nil
	case !found && word == "'s":
		return []string{"'s"}
	case !found:
		return []string{stem}
	}
	return []string{stem, "'" + strings.ReplaceAll(clitic, "'", "")}
}
