// Textonly trains and measures the methods that learn from text, from photos and text
// apart or from a few captions, and ClipCap beside them, on Flickr8k's split val: each
// method, alignment and seed that a study names.
//
//	go run ./models/recipes/textonly                     # docs/runs/textonly/study.json
//	go run ./models/recipes/textonly -seeds 1            # a part of it
//	go run ./models/recipes/textonly -quick              # does it run at all: 50 photos, 3 updates
//	go run ./models/recipes/textonly -table              # the table of what is measured so far
//	go run ./models/recipes/textonly -study docs/runs/unpaired/study.json -work runs/unpaired -out docs/runs/unpaired -roberta runs/roberta
//
// A stopped study goes on: what is measured is not measured again, and a training goes on
// from its checkpoint. Models and embeddings lie in -work; scores, logs and table in -out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	var o options
	study := flag.String("study", "docs/runs/textonly/study.json", "what to train and measure")
	runs := flag.String("runs", "", "only the runs whose names match this regular expression, such as ^cgt")
	seeds := flag.String("seeds", "", "only these of the study's seeds, such as 1,2")
	quick := flag.Bool("quick", false, "50 photos, 3 updates, one seed, into -work/quick")
	table := flag.Bool("table", false, "print the table, and no more")
	flag.StringVar(&o.clip, "clip", "", "model folder of the CLIP; the carried one unless given")
	flag.StringVar(&o.language, "language-model", "", "model folder of the language model; the carried one unless given")
	flag.StringVar(&o.roberta, "roberta", "", "model folder that cgt-gan's discriminator begins with, of train roberta")
	flag.StringVar(&o.judge, "judge", "", "model folder of a second CLIP, which looks for the photos of captions as well")
	flag.StringVar(&o.data, "data", "../shared/data/flickr8k", "folder of Flickr8k")
	flag.StringVar(&o.work, "work", "runs/textonly", "where models and embeddings are kept")
	flag.StringVar(&o.out, "out", "docs/runs/textonly", "where scores, logs and table go")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, *study, part{*seeds, *runs}, *quick, *table); err != nil {
		fmt.Fprintln(os.Stderr, "textonly:", err)
		os.Exit(1)
	}
}

// options are where things lie.
type options struct {
	clip, language, roberta, judge, data, work, out string
}

// part is what is done of a study; empty: all of it.
type part struct{ seeds, runs string }

func run(ctx context.Context, o options, file string, of part, quick, tableOnly bool) error {
	s, err := readStudy(file)
	if err != nil {
		return err
	}
	if err := s.only(of); err != nil {
		return err
	}
	if s.has("cgt-gan") && o.roberta == "" && !tableOnly {
		return errors.New("-roberta names no model folder for cgt-gan's discriminator: train roberta makes one, or leave those out by -runs")
	}
	captions, unpaired := filepath.Join(o.data, "captions.jsonl"), filepath.Join(o.data, "images_train.tar")
	if quick {
		s = s.quick()
		o.work = filepath.Join(o.work, "quick")
		o.out, unpaired = o.work, filepath.Join(o.data, "images_val.tar")
		if captions, err = fewCaptions(captions, o.work, s.Photos); err != nil {
			return err
		}
	}
	if err := o.claims(); err != nil {
		return err
	}
	results, err := openResults(filepath.Join(o.out, "results.jsonl"))
	if err != nil {
		return err
	}
	sets, err := loadSets(ctx, o, captions, s.Photos)
	if err != nil {
		return err
	}
	defer sets.Close()
	if err := results.describe(sets); err != nil {
		return err
	}
	if tableOnly {
		return results.table(os.Stdout)
	}
	return s.each(func(r spec, seed int64) error {
		t := trial{options: o, study: s, run: r, seed: seed, captions: captions, unpaired: unpaired}
		folder, err := t.train(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
		m := measurement{trial: t, sets: sets, results: results}
		err = m.all(ctx, folder)
		if err = errors.Join(err, results.writeTable(filepath.Join(o.out, "table.md"))); err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
		return nil
	})
}
