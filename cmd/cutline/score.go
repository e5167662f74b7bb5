package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cutline-go/cutline/metrics"
)

// scoreCmd tells how well captions fit their photos in the opinion of the model's
// CLIP.
type scoreCmd struct {
	modelFlags
	Photo   string `arg:"" optional:"" help:"A photo; - reads it from stdin."`
	Caption string `arg:"" optional:"" help:"What somebody or something says of it."`
	Pairs   string `placeholder:"FILE" help:"Read pairs from FILE (- is stdin), one a line: FILE, tab, CAPTION, or {\"file\", \"caption\"}."`
}

// pair is a photo and a caption, or why a line holds none.
type pair struct {
	File    string `json:"file"`
	Caption string `json:"caption"`
	line    string // where it stands, where it comes from a list
	err     error
}

// pairScore is the line that score prints.
type pairScore struct {
	pair
	CLIPSimilarity float64  `json:"clip_similarity"`     // cosine of the embeddings
	CLIPScore      *float64 `json:"clipscore,omitempty"` // by the one CLIP that has it
	CLIP           string   `json:"clip"`
}

func (cmd *scoreCmd) Run(ctx context.Context, c *console) error {
	pairs, err := cmd.list(c)
	if err != nil {
		return err
	}
	model, err := cmd.open(1)
	if err != nil {
		return err
	}
	defer model.Close()
	scorer := &pairScorer{likeness: likeness{model, c.open}}
	bar := newProgress(c.messages, len(pairs))
	defer bar.hide()
	failed := false
	for _, p := range pairs {
		score, err := scorer.score(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		bar.hide()
		if err != nil {
			failed = true
			c.fileError(p.name(), err)
		} else if err := writeJSON(c.out, "", score); err != nil {
			return err
		}
		bar.step()
	}
	if failed {
		return errReported
	}
	return nil
}

// list returns the pair of the command line or those of the list.
func (cmd *scoreCmd) list(c *console) ([]pair, error) {
	switch {
	case cmd.Pairs != "" && cmd.Photo != "":
		return nil, &usageError{"give a photo with its caption, or --pairs, not both", ""}
	case cmd.Pairs == "" && (cmd.Photo == "" || cmd.Caption == ""):
		return nil, &usageError{"a photo and a caption are needed", "cutline score photo.jpg \"a dog on a beach\", or --pairs FILE"}
	case cmd.Pairs == "":
		return []pair{{File: cmd.Photo, Caption: cmd.Caption}}, nil
	}
	file, err := c.open(cmd.Pairs)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	pairs, err := readPairs(file, cmd.Pairs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd.Pairs, err)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s: no pairs", cmd.Pairs)
	}
	return pairs, nil
}

// readPairs reads a pair from each line that is not blank. What is wrong with a line
// is in its pair.
func readPairs(r io.Reader, name string) ([]pair, error) {
	var pairs []pair
	number := 0
	err := eachLine(r, func(line string) error {
		number++
		if strings.TrimSpace(line) == "" {
			return nil
		}
		p, err := parsePair(line)
		p.line, p.err = fmt.Sprintf("%s: line %d", name, number), err
		pairs = append(pairs, p)
		return nil
	})
	return pairs, err
}

func parsePair(line string) (pair, error) {
	var p pair
	if strings.HasPrefix(strings.TrimSpace(line), "{") {
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			return p, err
		}
	} else {
		var found bool
		if p.File, p.Caption, found = strings.Cut(line, "\t"); !found {
			return p, errors.New("no tab between file and caption")
		}
	}
	if p.File == "" {
		return p, errors.New("no file is named")
	}
	return p, nil
}

// name is what errors call the pair.
func (p pair) name() string {
	switch {
	case p.line == "":
		return p.File
	case p.err != nil:
		return p.line
	}
	return p.line + ": " + p.File
}

// pairScorer scores pairs. It keeps the last photo's embedding, since lists hold
// several captions of a photo one after the other.
type pairScorer struct {
	likeness
	photo     string
	embedding []float32
}

func (s *pairScorer) score(ctx context.Context, p pair) (pairScore, error) {
	switch {
	case p.err != nil:
		return pairScore{}, p.err
	case strings.TrimSpace(p.Caption) == "":
		return pairScore{}, errors.New("the caption is empty")
	}
	if s.embedding == nil || s.photo != p.File {
		embedding, err := s.embedPhoto(ctx, p.File)
		if err != nil {
			return pairScore{}, err
		}
		s.photo, s.embedding = p.File, embedding
	}
	score := pairScore{pair: p, CLIP: s.model.Info().CLIP}
	var err error
	if score.CLIPSimilarity, err = s.compare(ctx, "cosine", s.embedding, p.Caption); err != nil || !s.isCLIPScore() {
		return score, err
	}
	clipScore, err := s.compare(ctx, metrics.CLIPScoreModel, s.embedding, metrics.CLIPScorePrompt+p.Caption)
	score.CLIPScore = &clipScore
	return score, err
}
