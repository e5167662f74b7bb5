package recipe

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cutline-go/cutline/dataset"
)

// TextData is captions that are learned without photos.
type TextData struct {
	// Text names files: plain text, a caption a line, where the name ends in .txt; else
	// captions in any format that package dataset knows, whose photos are not asked for.
	Text  []string `json:"text"`
	Split string   `json:"split,omitempty"` // of photos that have one; empty: all

	// OpenText takes plain text as running text: its sentences of 5 to 19 words, letters
	// alone, as CapDec does with books.
	OpenText bool `json:"open_text,omitempty"`
}

// groups reads the captions, those of one photo together; a line of plain text stands
// alone.
func (d TextData) groups() ([][]string, error) {
	if len(d.Text) == 0 {
		return nil, errors.New("no text to learn from: data.text names no file")
	}
	var out [][]string
	for _, path := range d.Text {
		if info, err := os.Stat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: a pipe can be read but once, and training goes back to its texts; write them to a file first", path)
		}
		read, split := d.records, d.ofSplit()
		if strings.EqualFold(filepath.Ext(path), ".txt") {
			read, split = d.lines, "" // plain text has none
		} else if d.OpenText {
			return nil, fmt.Errorf("%s: open_text is for plain text, whose name ends in .txt", path)
		}
		groups, err := read(path)
		if err != nil {
			return nil, err
		}
		if len(groups) == 0 {
			return nil, fmt.Errorf("%s: no captions%s", path, split)
		}
		out = append(out, groups...)
	}
	return out, nil
}

func (d TextData) ofSplit() string {
	if d.Split == "" {
		return ""
	}
	return " of split " + d.Split
}

// lines reads plain text.
func (d TextData) lines(path string) ([][]string, error) {
	load := dataset.LoadText
	if d.OpenText {
		load = dataset.LoadOpenText
	}
	lines, err := load(path)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, line := range worded(lines) {
		out = append(out, []string{line})
	}
	return out, nil
}

// records reads a file of captions of photos.
func (d TextData) records(path string) ([][]string, error) {
	file, err := dataset.Open(path, "")
	if err != nil {
		return nil, fmt.Errorf("%w; name plain text .txt", err)
	}
	defer file.Close()
	file.RestvalIsTrain = true
	var out [][]string
	for r, err := range file.References() {
		if err != nil {
			return nil, err
		}
		if d.Split != "" && r.Split != "" && r.Split != d.Split {
			continue
		}
		if captions := worded(r.Captions); len(captions) > 0 {
			out = append(out, captions)
		}
	}
	return out, nil
}

// worded drops captions without a word.
func worded(captions []string) []string {
	return slices.DeleteFunc(slices.Clone(captions), func(c string) bool { return dataset.Sentence(c) == "" })
}

// captions reads all captions, or the first of each photo.
func (d TextData) captions(single bool) ([]string, error) {
	groups, err := d.groups()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, group := range groups {
		if single {
			group = group[:1]
		}
		out = append(out, group...)
	}
	return out, nil
}

// tooLong refuses a text of which hardly anything would be learned: one whose captions
// for the most part are longer than the model has room for. Single ones are cut.
func tooLong(captions []string, encode func(string) []int, most int) error {
	long := 0
	longest := 0
	for _, c := range captions {
		n := len(encode(c))
		longest = max(longest, n)
		if n > most {
			long++
		}
	}
	if 2*long > len(captions) {
		return fmt.Errorf("%d of %d captions have more than %d tokens, up to %d, and would be cut: captions are a sentence a line; of running text, open_text takes the sentences", long, len(captions), most, longest)
	}
	return nil
}
