package dataset_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
)

func TestReadOpenText(t *testing.T) {
	const text = `First Citizen:
Before we proceed any further, hear me speak.

All:
Speak, speak.

First Citizen:
You are all resolved rather to die than
to famish? He don't know 42 of the words that I said
without a full stop

a b c d e f g h i j k l m n o p q r s t
a b c d e f g h i j k l m n o p q r s`
	var got []string
	for sentence, err := range dataset.ReadOpenText(strings.NewReader("\uFEFF" + text)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, sentence)
	}
	want := []string{
		"Before we proceed any further hear me speak",
		"You are all resolved rather to die than to famish",
		"He dont know of the words that I said without a full stop",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLoadOpenTextRefuses(t *testing.T) {
	for content, want := range map[string]string{
		"":                             "no sentence of 5 to 19 words",
		"Too short.":                   "no sentence",
		"These are five words \xff so": "at byte 21: not UTF-8",
	} {
		path := filepath.Join(t.TempDir(), "text.txt")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := dataset.LoadOpenText(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want an error with %q", content, err, want)
		}
	}
	if _, err := dataset.LoadOpenText(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is read")
	}
}
