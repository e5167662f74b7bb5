// Card measures a captioner on Flickr8k for its model card: its captions and those of
// two trivial baselines against the references of one split, with intervals.
//
//	go run ./models/recipes/tiny/card -model models/tiny -data ../shared/data/flickr8k -split val
//
// It prints Markdown. Recipes are chosen by the split val; test is read for the card
// alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
)

func main() {
	var o options
	flag.StringVar(&o.model, "model", "models/tiny", "model folder")
	flag.StringVar(&o.data, "data", "../shared/data/flickr8k", "folder of Flickr8k")
	flag.StringVar(&o.split, "split", "val", "photos to caption")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "card:", err)
		os.Exit(1)
	}
}

type options struct {
	model, data, split string
}

func run(ctx context.Context, o options) error {
	c, err := captioner.Open(o.model, captioner.Options{Batch: 16})
	if err != nil {
		return err
	}
	defer c.Close()
	train, err := load(c, o, "train", "images_train.tar")
	if err != nil {
		return err
	}
	photos, err := load(c, o, o.split, "images_"+o.split+".tar")
	if err != nil {
		return err
	}
	fmt.Printf("Flickr8k `%s`, %d photos\n\n", o.split, len(photos.records))
	captions, err := systems(ctx, c, train, photos)
	if err != nil {
		return err
	}
	native, err := load(c, o, o.split, "native_aspect_subset.tar")
	if err != nil {
		return err
	}
	if err := aspects(ctx, c, native, photos, captions); err != nil {
		return err
	}
	return recall(ctx, c, photos)
}

// set is photos as the model sees them, and what people said of them.
type set struct {
	records []dataset.Record
	archive *dataset.Tar
}

// load returns the records of a split whose photos the archive holds.
func load(c *captioner.Captioner, o options, split, archive string) (set, error) {
	records, err := dataset.LoadJSONL(filepath.Join(o.data, "captions.jsonl"), split)
	if err != nil {
		return set{}, err
	}
	tar, err := dataset.OpenTar(filepath.Join(o.data, archive))
	if err != nil {
		return set{}, err
	}
	has := make(map[string]bool)
	for _, name := range tar.Names() {
		has[name] = true
	}
	s := set{archive: tar}
	for _, r := range records {
		if has[r.Image] {
			s.records = append(s.records, r)
		}
	}
	return s, nil
}
