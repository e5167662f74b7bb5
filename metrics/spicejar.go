package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Jar says how to run the official SPICE, which is a Java program: the
// spice-1.0.jar of coco-caption, with its lib folder and the CoreNLP models
// beside it. It wants Java 8, and at most 14: it prints its results through
// the JavaScript engine that later ones lack.
type Jar struct {
	Path    string        // spice-1.0.jar
	Java    string        // the java binary, by its path or its name in PATH
	Memory  string        // the largest heap as java's -Xmx takes it; coco-caption says "8G"
	Cache   string        // folder in which the jar keeps its parses between runs, made if missing; empty for no cache
	Timeout time.Duration // the longest a run may take; 0 leaves it to the context
}

// SPICEScores is what the official SPICE gives: F1 over all tuples, and over
// those of each category.
type SPICEScores struct {
	Scores              // F1 over all tuples ("All")
	Categories []Scores // F1 by category ("spice color"), sorted by name; NaN where the references have no such tuple
}

// SPICE runs the official jar over the samples and returns F1 per image and
// its mean over the images (Anderson et al., SPICE, 2016). Candidates and
// references are handed over as they are written, as coco-caption's spice.py
// does; so are the arguments.
//
// The jar writes null for the categories of which an image's references have no
// tuple. Like spice.py, SPICE takes that for NaN; a category's Corpus, which
// spice.py does not give, is the mean over the other images. Over all tuples
// the jar gives 0 then; were it null, the mean would be NaN as spice.py's.
//
// An error is returned if there are no samples, an id occurs twice or has no
// reference, if the program fails or outlives the context or the timeout (with
// the last lines that it printed), and if its results are not whole:
// unreadable, or not one for each id.
func SPICE(ctx context.Context, samples []Sample, jar Jar) (SPICEScores, error) {
	input, err := jarInput(samples)
	if err != nil {
		return SPICEScores{}, fmt.Errorf("spice: %w", err)
	}
	output, err := jar.run(ctx, input)
	if err != nil {
		return SPICEScores{}, fmt.Errorf("spice: %w", err)
	}
	scores, err := parseJarOutput(output, samples)
	if err != nil {
		return SPICEScores{}, fmt.Errorf("spice: %s wrote unusable results: %w", jar.Path, err)
	}
	return scores, nil
}

// jarSample is one image as the jar reads it.
type jarSample struct {
	ImageID string   `json:"image_id"`
	Test    string   `json:"test"`
	Refs    []string `json:"refs"`
}

func jarInput(samples []Sample) ([]byte, error) {
	if len(samples) == 0 {
		return nil, errors.New("there are no samples")
	}
	seen := make(map[string]bool, len(samples))
	items := make([]jarSample, len(samples))
	for i, s := range samples {
		if seen[s.ID] {
			return nil, fmt.Errorf("image %q occurs twice", s.ID)
		}
		if len(s.References) == 0 {
			return nil, fmt.Errorf("image %q has no reference", s.ID)
		}
		seen[s.ID] = true
		items[i] = jarSample{s.ID, s.Candidate, s.References}
	}
	data, err := json.Marshal(items)
	return toASCII(data), err
}

// toASCII escapes what is not ASCII, as Python's json does: Java 8 reads a file
// in the encoding of the locale.
func toASCII(data []byte) []byte {
	var ascii []byte
	for _, r := range string(data) {
		switch high, low := utf16.EncodeRune(r); {
		case r < utf8.RuneSelf:
			ascii = append(ascii, byte(r))
		case high == unicode.ReplacementChar:
			ascii = fmt.Appendf(ascii, `\u%04x`, r)
		default:
			ascii = fmt.Appendf(ascii, `\u%04x\u%04x`, high, low)
		}
	}
	return ascii
}
