package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// study is what is to be trained and measured.
type study struct {
	Seeds   []int64 `json:"seeds"`
	Photos  int     `json:"photos"`  // of val, from the first; as many of train for the alignments
	Updates int     `json:"updates"` // of a training, unless its run says otherwise
	Runs    []spec  `json:"runs"`

	// All are fields of the configurations of all runs of a method.
	All map[string]map[string]json.RawMessage `json:"all"`
}

// spec is one training for each seed, and how its captions are measured.
type spec struct {
	Name    string                     `json:"name"`
	Method  string                     `json:"method"` // of cutline train
	Set     map[string]json.RawMessage `json:"set"`    // fields of the method's own configuration
	From    string                     `json:"from"`   // run before it in the study, whose captioner goes on
	Updates int                        `json:"updates"`
	Photos  int                        `json:"photos"` // that are captioned, where not all
	Beams   int                        `json:"beams"`  // of its own captions; 1: greedy; 5 unless given
	Aligns  []string                   `json:"aligns"` // ways of caption --align; none unless given
	Moved   bool                       `json:"moved"`  // caption along mixtures with texts and by every alignment
}

func readStudy(file string) (study, error) {
	var s study
	data, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&s)
	for i, r := range s.Runs {
		before := func(one spec) bool { return one.Name == r.From }
		if err == nil && r.From != "" && !slices.ContainsFunc(s.Runs[:i], before) {
			err = fmt.Errorf("%s goes on from %s, which is no run before it", r.Name, r.From)
		}
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// only keeps some of the seeds and, by a regular expression, some of the runs.
func (s *study) only(p part) error {
	named, err := regexp.Compile(p.runs)
	if err != nil {
		return fmt.Errorf("-runs: %w", err)
	}
	s.Runs = slices.DeleteFunc(s.Runs, func(r spec) bool { return !named.MatchString(r.Name) })
	if p.seeds == "" {
		return nil
	}
	s.Seeds = nil
	for field := range strings.SplitSeq(p.seeds, ",") {
		seed, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return fmt.Errorf("-seeds: %w", err)
		}
		s.Seeds = append(s.Seeds, seed)
	}
	return nil
}

// has tells whether a run is of a method.
func (s study) has(method string) bool {
	return slices.ContainsFunc(s.Runs, func(r spec) bool { return r.Method == method })
}

// each does something for each run, seed after seed.
func (s study) each(do func(spec, int64) error) error {
	for _, seed := range s.Seeds {
		for _, r := range s.Runs {
			if err := do(r, seed); err != nil {
				return err
			}
		}
	}
	return nil
}

// quick is the same study in small.
func (s study) quick() study {
	s.Seeds, s.Photos, s.Updates = s.Seeds[:1], 50, 3
	s.Runs = slices.Clone(s.Runs)
	for i := range s.Runs {
		s.Runs[i].Updates, s.Runs[i].Photos = 0, min(s.Runs[i].Photos, 4)
	}
	return s
}

// fewCaptions writes the first records of train and val to a file in dir.
func fewCaptions(from, dir string, count int) (string, error) {
	file, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var out bytes.Buffer
	kept := make(map[string]int)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var r struct {
			Split string `json:"split"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return "", fmt.Errorf("%s: %w", from, err)
		}
		if kept[r.Split]++; r.Split != "test" && kept[r.Split] <= count {
			out.Write(append(lines.Bytes(), '\n'))
		}
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "captions.jsonl")
	return name, os.WriteFile(name, out.Bytes(), 0o666)
}
