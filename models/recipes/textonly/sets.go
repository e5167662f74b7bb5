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
}

// set is photos and their captions, embedded: row i of photos and of texts is a photo
// and its first caption.
type set struct {
	records       []dataset.Record
	photos, texts [][]float32
}

// loadSets embeds both sets with the study's CLIP, once.
func loadSets(ctx context.Context, o options, captions string, count int) (*sets, error) {
	folder, err := networks(o.clip)
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	if err := feed(digest, folder); err != nil {
		return nil, err
	}
	clip, err := captioner.OpenFS(folder, captioner.Options{})
	if err != nil {
		return nil, err
	}
	defer clip.Close()
	e := embedding{clip, dataset.EmbeddingCache{Dir: filepath.Join(o.work, "embeddings")}, digest.Sum(nil)}
	var s sets
	for split, into := range map[string]*set{"val": &s.val, "train": &s.train} {
		if into.records, err = dataset.LoadJSONL(captions, split); err != nil {
			return nil, err
		}
		into.records = into.records[:min(count, len(into.records))]
		if err := e.embed(ctx, into, filepath.Join(o.data, "images_"+split+".tar")); err != nil {
			return nil, err
		}
	}
	of := make([]int, len(s.val.texts))
	for i := range of {
		of[i] = i
	}
	s.gap, err = align.NewGap(s.val.photos, s.val.texts, of)
	return &s, err
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

// claim notes in a folder what CLIP and language model its contents are made with, and
// refuses one where that is another.
func (o options) claim(dir string) error {
	digest := sha256.New()
	for _, name := range []string{o.clip, o.language} {
		folder, err := networks(name)
		if err != nil {
			return err
		}
		if err := feed(digest, folder); err != nil {
			return err
		}
	}
	sum, path := hex.EncodeToString(digest.Sum(nil)), filepath.Join(dir, "networks.sha256")
	switch was, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
		return errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(path, []byte(sum+"\n"), 0o666))
	case err != nil:
		return err
	case strings.TrimSpace(string(was)) != sum:
		return fmt.Errorf("%s is of another CLIP or language model: name another folder, or remove it", dir)
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
