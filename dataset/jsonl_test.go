package dataset_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cutline-go/cutline/dataset"
)

// maxLine is the documented bound of a line with its end, in bytes.
const maxLine = 1 << 20

const (
	dog = `{"image": "dog.jpg", "captions": ["A dog.", "A pup."], "split": "train"}`
	cat = `{"image": "b/cat.jpg", "captions": ["A cat."], "split": "val", "licence": 3}`
)

func readJSONL(r io.Reader) (records []dataset.Record, err error) {
	for record, err := range dataset.ReadJSONL(r) {
		if err != nil {
			return records, err
		}
		records = append(records, record)
	}
	return records, nil
}

func TestReadJSONL(t *testing.T) {
	both := []dataset.Record{
		{Image: "dog.jpg", Captions: []string{"A dog.", "A pup."}, Split: "train"},
		{Image: "b/cat.jpg", Captions: []string{"A cat."}, Split: "val"},
	}
	for _, test := range []struct{ name, text string }{
		{"lines", dog + "\n" + cat + "\n"},
		{"no last line end", dog + "\n" + cat},
		{"CRLF", dog + "\r\n" + cat + "\r\n"},
		{"byte order mark", "\uFEFF" + dog + "\n" + cat},
		{"blank lines", "\n  \t\n" + dog + "\n\n\r\n" + cat + "\n\n"},
		{"indented", "  " + dog + "\n\t" + cat + "  \n"},
	} {
		got, err := readJSONL(strings.NewReader(test.text))
		if err != nil || !reflect.DeepEqual(got, both) {
			t.Errorf("%s: %v, %v; want %v", test.name, got, err, both)
		}
	}
}

// TestReadJSONLErrors holds that an error names the line, counted with blank ones, and
// the field, and that the records before it were given.
func TestReadJSONLErrors(t *testing.T) {
	for _, test := range []struct{ name, line, want string }{
		{"cut short", `{"image": "a.jpg", "captions": ["A`, "line 3: not JSON: unexpected end of JSON input"},
		{"not JSON", `dog.jpg	A dog.`, "line 3: not JSON: invalid character 'd'"},
		{"two objects", dog + dog, "line 3: not JSON: invalid character '{' after top-level value"},
		{"an array", `[]`, "line 3: unexpected array, want an object"},
		{"null", `null`, `line 3: field "image" is missing`},
		{"no image", `{"captions": ["A dog."]}`, `line 3: field "image" is missing`},
		{"no captions", `{"image": "a.jpg"}`, `line 3: field "captions" is missing`},
		{"empty captions", `{"image": "a.jpg", "captions": []}`, `line 3: field "captions" is missing`},
		{"blank caption", `{"image": "a.jpg", "captions": ["A dog.", " "]}`, `line 3: field "captions": number 2 is blank`},
		{"one caption", `{"image": "a.jpg", "captions": "A dog."}`, `line 3: field "captions": unexpected string`},
		{"a number as a caption", `{"image": "a.jpg", "captions": [7]}`, `line 3: field "captions": unexpected number`},
		{"an id as the image", `{"image": 7, "captions": ["A dog."]}`, `line 3: field "image": unexpected number`},
		{"over-long", `"` + strings.Repeat("x", maxLine) + `"`, "line 3: longer than 1048576 bytes"},
	} {
		got, err := readJSONL(strings.NewReader(dog + "\n\n" + test.line + "\n" + cat))
		if len(got) != 1 || err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d records and %v; want 1 and %q", test.name, len(got), err, test.want)
		}
	}
}

func TestLongestLine(t *testing.T) {
	line := dog + strings.Repeat(" ", maxLine-len(dog)-1) + "\n"
	if got, err := readJSONL(strings.NewReader(line + cat)); len(got) != 2 || err != nil {
		t.Errorf("a line of %d bytes: %d records, %v", len(line), len(got), err)
	}
	if _, err := readJSONL(strings.NewReader(" " + line + cat)); err == nil || !strings.Contains(err.Error(), "line 1: longer") {
		t.Errorf("a line of %d bytes: %v", len(line)+1, err)
	}
}

// TestReadError holds that a failing read is reported as such, and not as the broken
// line that it leaves behind.
func TestReadError(t *testing.T) {
	broken := errors.New("the disk is gone")
	half := func() io.Reader {
		return io.MultiReader(strings.NewReader(dog+"\n"+cat[:20]), iotest.ErrReader(broken))
	}
	if got, err := readJSONL(half()); len(got) > 1 || !errors.Is(err, broken) {
		t.Errorf("records: %d, %v; want at most 1 and %v", len(got), err, broken)
	}
	if got, err := readText(half()); len(got) > 1 || !errors.Is(err, broken) {
		t.Errorf("lines: %d, %v; want at most 1 and %v", len(got), err, broken)
	}
}

// TestStop leaves a sequence early.
func TestStop(t *testing.T) {
	for r := range dataset.ReadJSONL(strings.NewReader(dog + "\nnot JSON")) {
		if r.Image != "dog.jpg" {
			t.Errorf("the first record is %v", r)
		}
		break
	}
	for line := range dataset.ReadText(strings.NewReader("one\n\xff")) {
		if line != "one" {
			t.Errorf("the first line is %q", line)
		}
		break
	}
}

func TestLoadJSONL(t *testing.T) {
	path := write(t, "captions.jsonl", dog+"\n"+cat+"\n")
	for _, test := range []struct {
		split string
		want  []string
		err   string
	}{
		{"", []string{"dog.jpg", "b/cat.jpg"}, ""},
		{"train", []string{"dog.jpg"}, ""},
		{"val", []string{"b/cat.jpg"}, ""},
		{"test", nil, path + `: no records of split "test"`},
	} {
		records, err := dataset.LoadJSONL(path, test.split)
		var images []string
		for _, r := range records {
			images = append(images, r.Image)
		}
		if !reflect.DeepEqual(images, test.want) || message(err) != test.err {
			t.Errorf("split %q: %v, %v; want %v, %q", test.split, images, err, test.want, test.err)
		}
	}
	broken := write(t, "broken.jsonl", dog+"\n{}\n")
	if _, err := dataset.LoadJSONL(broken, ""); message(err) != broken+`: line 2: field "image" is missing` {
		t.Errorf("a broken file: %v", err)
	}
	empty := write(t, "empty.jsonl", "\n")
	if _, err := dataset.LoadJSONL(empty, ""); message(err) != empty+": no records" {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := dataset.LoadJSONL(path+".missing", ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// write writes a file into a folder of the test's own.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
