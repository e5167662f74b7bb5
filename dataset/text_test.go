package dataset_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/cutline-go/cutline/dataset"
)

func readText(r io.Reader) (lines []string, err error) {
	for line, err := range dataset.ReadText(r) {
		if err != nil {
			return lines, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func TestReadText(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"nothing", "", nil, ""},
		{"blank lines", "\n \n\t\r\n", nil, ""},
		{"lines", "a dog\nа собака\n", []string{"a dog", "а собака"}, ""},
		{"no last line end", "a dog\na cat", []string{"a dog", "a cat"}, ""},
		{"CRLF", "a dog\r\na cat\r\n", []string{"a dog", "a cat"}, ""},
		{"white space", "  a dog\t\n\n\u00a0a  cat\u3000\n", []string{"a dog", "a  cat"}, ""},
		{"byte order mark", "\uFEFFa dog\na cat", []string{"a dog", "a cat"}, ""},
		{"byte order mark alone", "\uFEFF", nil, ""},
		{"not UTF-8", "a dog\n\ncaf\xe9\na cat", []string{"a dog"}, "line 3: not UTF-8"},
		{"UTF-16", "\xff\xfea\x00", nil, "line 1: not UTF-8"},
		{"over-long", "a dog\n" + strings.Repeat("x", maxLine), []string{"a dog"}, "line 2: longer than 1048576 bytes"},
	} {
		got, err := readText(strings.NewReader(test.text))
		if !slices.Equal(got, test.want) || message(err) != test.err {
			t.Errorf("%s: %q, %v; want %q, %q", test.name, got, err, test.want, test.err)
		}
	}
}

func TestLoadText(t *testing.T) {
	got, err := dataset.LoadText(write(t, "text.txt", "a dog\n\na cat\n"))
	if want := []string{"a dog", "a cat"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	empty := write(t, "empty.txt", "\n\n")
	if _, err := dataset.LoadText(empty); message(err) != empty+": no text" {
		t.Errorf("an empty file: %v", err)
	}
	broken := write(t, "broken.txt", "a dog\n\xff\n")
	if _, err := dataset.LoadText(broken); message(err) != broken+": line 2: not UTF-8" {
		t.Errorf("a broken file: %v", err)
	}
	if _, err := dataset.LoadText(empty + ".missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestSentence(t *testing.T) {
	for _, test := range []struct{ caption, want string }{
		{"a dog runs", "A dog runs."},
		{"A dog runs.", "A dog runs."},
		{"A dog runs .", "A dog runs."},
		{"A dog runs . \n", "A dog runs."},
		{"A dog runs...", "A dog runs."},
		{"A dog runs. . .", "A dog runs."},
		{"  two\tdogs \r\n run\u00a0 ", "Two dogs run."},
		{"a dog . a cat .", "A dog . a cat."},
		{"a 2.5 m wall", "A 2.5 m wall."},
		{"élan", "Élan."},
		{"ǆep", "Ǆep."},
		{"3 dogs", "3 dogs."},
		{`"stop" sign`, `"stop" sign.`},
		{"x", "X."},
		{"", ""},
		{" \n", ""},
		{".", ""},
		{" . . ", ""},
	} {
		if got := dataset.Sentence(test.caption); got != test.want {
			t.Errorf("%q: %q, want %q", test.caption, got, test.want)
		}
	}
}

// TestSentenceOfAnyLetter begins a sentence with every character there is.
func TestSentenceOfAnyLetter(t *testing.T) {
	for r := range unicode.MaxRune + 1 {
		checkSentence(t, string(r)+" x")
	}
}

// checkSentence holds what training relies on: a sentence has no white space but
// single spaces inside, ends with one full stop, and stays as it is when prepared again.
func checkSentence(t *testing.T, caption string) {
	t.Helper()
	s := dataset.Sentence(caption)
	if again := dataset.Sentence(s); again != s {
		t.Errorf("%q becomes %q, and that %q", caption, s, again)
	}
	if words := strings.Fields(s); s != strings.Join(words, " ") {
		t.Errorf("%q becomes %q, whose white space is more than single spaces", caption, s)
	}
	before, ended := strings.CutSuffix(s, ".")
	if s != "" && (!ended || before == "" || strings.HasSuffix(before, ".") || strings.HasSuffix(before, " ")) {
		t.Errorf("%q becomes %q, which does not end with one attached full stop", caption, s)
	}
}
