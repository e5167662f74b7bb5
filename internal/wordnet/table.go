package wordnet

import (
	"bytes"
	"compress/gzip"
	"io"
	"sort"
	"strings"
)

// table is text whose lines are a key, a space and values, sorted by key. Its
// lines are searched as they are: a map of 147,000 lemmas would take ten times
// the memory and longer to fill than most runs need to look up their words.
type table struct {
	text   string
	starts []int // where each line begins
}

// readTable decompresses a table of the package, which its tests have read.
func readTable(compressed []byte) table {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		panic("wordnet: the embedded table is damaged: " + err.Error())
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("wordnet: the embedded table is damaged: " + err.Error())
	}
	t := table{text: string(text)}
	for start := 0; start < len(text); start += bytes.IndexByte(text[start:], '\n') + 1 {
		t.starts = append(t.starts, start)
	}
	return t
}

// find returns the values of a key, separated by spaces; "" if there are none.
func (t table) find(key string) string {
	i := sort.Search(len(t.starts), func(i int) bool {
		found, _ := t.line(i)
		return found >= key
	})
	if i == len(t.starts) {
		return ""
	}
	if found, values := t.line(i); found == key {
		return values
	}
	return ""
}

// line returns the key and the values of line i.
func (t table) line(i int) (key, values string) {
	line, _, _ := strings.Cut(t.text[t.starts[i]:], "\n")
	key, values, _ = strings.Cut(line, " ")
	return key, values
}
