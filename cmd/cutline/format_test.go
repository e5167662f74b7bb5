package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// oddName is a file name that breaks careless formats.
const oddName = "a\tb\n\"c\", d&e.jpg"

func TestFormats(t *testing.T) {
	results := []result{
		{File: "1.jpg", scored: scored{"A dog runs.", -3.5, 0.25}},
		{File: oddName, scored: scored{`A "sign", red.`, -0.125, 0.5}, Candidates: []scored{
			{`A "sign", red.`, -0.125, 0.5}, {"A sign.", -1, 0.125},
		}},
	}
	for _, tt := range []struct {
		format string
		shape  textShape
		want   string
	}{
		{"text", textShape{}, "A dog runs.\nA \"sign\", red.\nA sign.\n"},
		{"text", textShape{file: true}, "1.jpg\tA dog runs.\n" +
			`a\tb\n"c", d&e.jpg` + "\tA \"sign\", red.\n" + `a\tb\n"c", d&e.jpg` + "\tA sign.\n"},
		{"text", textShape{scores: true}, "A dog runs.\t-3.5000\t0.2500\n" +
			"A \"sign\", red.\t-0.1250\t0.5000\nA sign.\t-1.0000\t0.1250\n"},
		{"jsonl", textShape{}, `{"file":"1.jpg","caption":"A dog runs.","logprob":-3.5,"clip_similarity":0.25}` + "\n" +
			`{"file":"a\tb\n\"c\", d&e.jpg","caption":"A \"sign\", red.","logprob":-0.125,"clip_similarity":0.5,` +
			`"candidates":[{"caption":"A \"sign\", red.","logprob":-0.125,"clip_similarity":0.5},` +
			`{"caption":"A sign.","logprob":-1,"clip_similarity":0.125}]}` + "\n"},
		{"tsv", textShape{}, "file\tcaption\tlogprob\tclip_similarity\n1.jpg\tA dog runs.\t-3.5\t0.25\n" +
			`a\tb\n"c", d&e.jpg` + "\tA \"sign\", red.\t-0.125\t0.5\n" +
			`a\tb\n"c", d&e.jpg` + "\tA sign.\t-1\t0.125\n"},
	} {
		if got := printed(t, tt.format, tt.shape, results); got != tt.want {
			t.Errorf("%s %+v:\n%s\nwant\n%s", tt.format, tt.shape, got, tt.want)
		}
	}
}

// printed returns what the sink of a format writes.
func printed(t *testing.T, format string, shape textShape, results []result) string {
	t.Helper()
	var out bytes.Buffer
	s, err := newSink(format, &out, shape)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if err := s.write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFormatJSON(t *testing.T) {
	for _, results := range [][]result{
		{},
		{{File: oddName, scored: scored{"A dog.", -1, 0.5}}},
		{{File: "1", scored: scored{"A dog.", -1, 0.5}}, {File: "2", scored: scored{"A cat.", -2, 0.25}}},
	} {
		text := printed(t, "json", textShape{}, results)
		var got []result
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if !reflect.DeepEqual(got, results) {
			t.Errorf("read back %+v, want %+v", got, results)
		}
	}
}

func TestFormatCSV(t *testing.T) {
	text := printed(t, "csv", textShape{}, []result{{File: oddName, scored: scored{"A dog, a cat.", -1, 0.5}}})
	got, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"file", "caption", "logprob", "clip_similarity"}, {oddName, "A dog, a cat.", "-1", "0.5"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read back %q, want %q", got, want)
	}
}
