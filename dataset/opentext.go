package dataset

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sentences of running text that are taken, in words: as CapDec's code does.
const (
	fewestWords = 5
	mostWords   = 19
)

// ReadOpenText yields the sentences of 5 to 19 words of a running text, such as a
// book, of which letters alone are kept. Sentences end at . ! ? : ; and at an empty
// line. Errors are those of [ReadText].
func ReadOpenText(r io.Reader) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		reader := bufio.NewReader(skipBOM(r))
		var word []rune
		var words []string
		blank := true // the line so far
		at := 0
		end := func() bool {
			if len(word) > 0 {
				words, word = append(words, string(word)), word[:0]
			}
			sentence := strings.Join(words, " ")
			taken := len(words) >= fewestWords && len(words) <= mostWords
			words = words[:0]
			return !taken || yield(sentence, nil)
		}
		for {
			c, size, err := reader.ReadRune()
			if err == io.EOF {
				end()
				return
			}
			if err == nil && c == utf8.RuneError && size == 1 {
				err = fmt.Errorf("at byte %d: not UTF-8", at)
			}
			if err != nil {
				yield("", err)
				return
			}
			at += size
			switch {
			case unicode.IsLetter(c):
				word, blank = append(word, c), false
			case c == '\'' || c == '’': // don't is one word, without the mark
				blank = false
			case strings.ContainsRune(".!?:;", c), c == '\n' && blank:
				if !end() {
					return
				}
			case len(word) > 0:
				words, word = append(words, string(word)), word[:0]
			}
			if c == '\n' {
				blank = true
			}
			// A text without ends is no text; its words would fill the memory.
			if len(word) > maxLine || len(words) > maxLine {
				word, words = word[:0], words[:0]
			}
		}
	}
}

// LoadOpenText reads all sentences of a running text.
func LoadOpenText(path string) ([]string, error) {
	return loadTexts(path, ReadOpenText, fmt.Sprintf("no sentence of %d to %d words", fewestWords, mostWords))
}
