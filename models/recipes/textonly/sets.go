package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cutline-go/cutline/captioner"
	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/align"
	"github.com/cutline-go/cutline/models"
)

// sets are the photos to caption, and as many of the training set, from which the
// alignments learn where photos and texts lie.
type sets struct {
	val, train set
	gap        *align.Gap // of val
	judges     []judge    // the study's CLIP, and another where one is named
}

// Close closes the judges' CLIPs.
func (s *sets) Close() error {
	var err error
	for _, j := range s.judges {
		err = errors.Join(err, j.clip.Close())
	}
	return err
}

// set is photos and their captions, embedded: row i of photos and of texts is a photo
// and its first caption.
type set struct {
	records       []dataset.Record
	photos, texts [][]float32
}

// loadSets embeds both sets with the study's CLIP, and val with the other judge's, once.
func loadSets(ctx context.Context, o options, captions string, count int) (*sets, error) {
	var s sets
	err := s.load(ctx, o, captions, count)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &s, nil
}

func (s *sets) load(ctx context.Context, o options, captions string, count int) error {
	for split, into := range map[string]*set{"val": &s.val, "train": &s.train} {
		var err error
		if into.records, err = dataset.LoadJSONL(captions, split); err != nil {
			return err
		}
		into.records = into.records[:min(count, len(into.records))]
	}
	e, err := s.judge(ctx, o, o.clip)
	if err != nil {
		return err
	}
	s.val = s.judges[0].val
	if err := e.embed(ctx, &s.train, filepath.Join(o.data, "images_train.tar")); err != nil {
		return err
	}
	if o.judge != "" {
		if _, err := s.judge(ctx, o, o.judge); err != nil {
			return err
		}
	}
	of := make([]int, len(s.val.texts))
	for i := range of {
		of[i] = i
	}
	s.gap, err = align.NewGap(s.val.photos, s.val.texts, of)
	return err
}

// judge adds the CLIP of a model folder to the judges.
func (s *sets) judge(ctx context.Context, o options, model string) (embedding, error) {
	e, err := o.embedding(model)
	if err != nil {
		return e, err
	}
	j := judge{clip: e.clip, val: set{records: s.val.records}}
	err = e.embed(ctx, &j.val, filepath.Join(o.data, "images_val.tar"))
	s.judges = append(s.judges, j)
	return e, err
}

// embedding opens the CLIP of a model folder.
func (o options) embedding(model string) (embedding, error) {
	folder, err := networks(model)
	if err != nil {
		return embedding{}, err
	}
	digest := sha256.New()
	if err := feed(digest, folder); err != nil {
		return embedding{}, err
	}
	clip, err := captioner.OpenFS(folder, captioner.Options{})
	return embedding{clip, dataset.EmbeddingCache{Dir: filepath.Join(o.work, "embeddings")}, digest.Sum(nil)}, err
}

// networks opens a model folder, the carried one for an empty name.
func networks(folder string) (fs.FS, error) {
	if folder == "" {
		return models.Tiny()
	}
	return os.DirFS(folder), nil
}

// feed gives all that a model computes with to a digest.
func feed(digest io.Writer, folder fs.FS) error {
	for _, name := range []string{"config.json", "model.safetensors"} {
		file, err := folder.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(digest, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// claims notes in the folders of models and of scores what networks they are made with,
// and beside the scores who judged, and refuses a folder where that is another.
func (o options) claims() error {
	made := []string{o.clip, o.language}
	if o.roberta != "" { // an empty name would be the carried model's
		made = append(made, o.roberta)
	}
	var judges []string
	if o.judge != "" {
		judges = append(judges, o.judge)
	}
	return errors.Join(
		claim(filepath.Join(o.work, "networks.sha256"), "CLIP, language model or RoBERTa", made),
		claim(filepath.Join(o.out, "networks.sha256"), "CLIP, language model or RoBERTa", made),
		claim(filepath.Join(o.out, "judge.sha256"), "judge", judges),
	)
}

// claim writes a digest of models to path, or compares it with the one that is there.
func claim(path, what string, models []string) error {
	digest := sha256.New()
	for _, name := range models {
		folder, err := networks(name)
		if err != nil {
			return err
		}
		if err := feed(digest, folder); err != nil {
			return err
		}
	}
	sum := hex.EncodeToString(digest.Sum(nil))
	switch was, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
		return errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(sum+"\n"), 0o666))
	case err != nil:
		return err
	case strings.TrimSpace(string(was)) != sum:
		return fmt.Errorf("%s is of another %s: name another folder, or remove it", filepath.Dir(path), what)
	}
	return nil
}

// embedding embeds with a CLIP, whose files have that digest.
type embedding struct {
	clip   *captioner.Captioner
	cache  dataset.EmbeddingCache
	digest []byte
}

func (e embedding) embed(ctx context.Context, s *set, archive string) error {
	photos, err := dataset.OpenTar(archive)
	if err != nil {
		return err
	}
	defer photos.Close()
	s.photos, err = e.rows(ctx, s.records, func(r dataset.Record) string { return r.Image }, func(name string) ([]float32, error) {
		file, err := photos.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		photo, err := e.clip.Read(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return e.clip.EmbedImage(ctx, photo)
	})
	if err != nil {
		return err
	}
	s.texts, err = e.rows(ctx, s.records, func(r dataset.Record) string { return r.Captions[0] }, func(text string) ([]float32, error) {
		return e.clip.EmbedText(ctx, text)
	})
	return err
}

// rows embeds something of each record.
func (e embedding) rows(ctx context.Context, records []dataset.Record, of func(dataset.Record) string, one func(string) ([]float32, error)) ([][]float32, error) {
	key := sha256.New()
	key.Write(e.digest)
	for _, r := range records {
		fmt.Fprintf(key, "%q\n", of(r))
	}
	stored, err := e.cache.Open(ctx, hex.EncodeToString(key.Sum(nil)), len(records), e.clip.Info().EmbeddingWidth, func(_ context.Context, from, to int) ([][]float32, error) {
		var out [][]float32
		for _, r := range records[from:to] {
			row, err := one(of(r))
			if err != nil {
				return nil, err
			}
			out = append(out, row)
		}
		return out, nil
	})
	if err != nil {
		return nil, err
	}
	defer stored.Close()
	out := make([][]float32, len(records))
	for i := range out {
		out[i] = append([]float32(nil), stored.Row(i)...)
	}
	return out, nil
}
