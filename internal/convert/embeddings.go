package convert

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/weights"
)

// The files of a folder of embeddings. Line i of the captions belongs to row i of the
// embeddings.
const (
	photosFile   = "photos.safetensors"
	textsFile    = "texts.safetensors"
	captionsFile = "captions.jsonl" // {"image", "captions", "split"}
	linesFile    = "texts.txt"      // of a corpus that was not embedded
	sourceFile   = "source.json"    // {"file", "clip_name"}
)

// FoundEmbeddings is what a pickle of embeddings turned out to be.
type FoundEmbeddings struct {
	Layout   string // whose it is, for people
	Photos   int    // rows of photos.safetensors
	Texts    int    // rows of texts.safetensors
	Width    int    // E
	Type     weights.DType
	Captions int    // in captions.jsonl, or lines of texts.txt
	CLIPName string // of what computed them, "" where that is unknown
}

// Embeddings makes a folder, dir, of a pickle with the embeddings that ClipCap's,
// CapDec's or CgT-GAN's scripts computed. ClipCap calls embeddings of photos what
// CgT-GAN calls those of captions; texts says that they are the latter. clipName is what
// computed them; "" stands for the one of OpenAI's that path names, as those scripts have
// it. Nothing is divided by its length. dir must not exist. When anything fails nothing
// is written.
func Embeddings(ctx context.Context, dir, path, clipName string, texts bool) (found FoundEmbeddings, err error) {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return found, fmt.Errorf("%s: exists; choose another folder", dir)
	}
	pickle, err := weights.OpenPickle(path)
	if err != nil {
		return found, err
	}
	defer pickle.Close()
	e := embeddings{temporary: filepath.Clean(dir) + ".tmp-" + rand.Text()}
	if err := os.MkdirAll(e.temporary, 0o777); err != nil {
		return found, err
	}
	e.found.CLIPName = cmp.Or(clipName, clip.Release(filepath.Base(path)))
	if err = e.read(ctx, pickle.Value, texts); err == nil {
		err = e.writeSource(filepath.Base(path))
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	} else {
		err = os.Rename(e.temporary, dir)
	}
	if err != nil {
		_ = os.RemoveAll(e.temporary) // the first error is the one that helps
	}
	return e.found, err
}

// embeddings is a folder in the making.
type embeddings struct {
	temporary string
	found     FoundEmbeddings
}

// read tells the layouts apart by what the pickle holds.
func (e *embeddings) read(ctx context.Context, root weights.Value, texts bool) error {
	captions, hasCaptions := root.Get("captions")
	first, hasItems := firstItem(root)
	_, isPair := first.Get("image")
	text, _ := first.Scalar()
	_, isText := text.(string)
	switch {
	case hasCaptions:
		return e.readCaptioned(ctx, root, captions, texts)
	case hasItems && isPair:
		e.found.Layout = "CgT-GAN's pairs of a photo and its target among the texts"
		return e.readPairs(ctx, root)
	case hasItems && isText:
		e.found.Layout = "CgT-GAN's sentences"
		return e.readSentences(root)
	}
	return fmt.Errorf("%s, and not one of ClipCap's, CapDec's or CgT-GAN's: no captions, no pairs of embeddings, no sentences", root.Kind())
}

func firstItem(list weights.Value) (weights.Value, bool) {
	for item := range list.Items() {
		return item, true
	}
	return weights.Value{}, false
}

// readCaptioned reads {"clip_embedding", "captions"}, to which CapDec adds
// "clip_embedding_text_dave" for the captions' own.
func (e *embeddings) readCaptioned(ctx context.Context, root, captions weights.Value, texts bool) error {
	e.found.Layout = "ClipCap's embeddings with captions"
	rows := 0
	for key, file := range map[string]string{"clip_embedding": photosFile, "clip_embedding_text_dave": textsFile} {
		value, ok := root.Get(key)
		if !ok {
			continue
		}
		t, err := value.Tensor(key)
		if err != nil {
			return err
		}
		if file == textsFile {
			e.found.Layout = "CapDec's embeddings with captions"
		} else if texts {
			file = textsFile
		}
		if len(t.Data) == 0 { // what was not computed
			continue
		}
		if rows > 0 && t.Shape[0] != rows {
			return fmt.Errorf("%s has %d rows, but the other embeddings have %d", key, t.Shape[0], rows)
		}
		if err := e.writeMatrix(ctx, file, t); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		rows = t.Shape[0]
	}
	if rows == 0 {
		return errors.New("no embeddings beside the captions")
	}
	return e.writeCaptions(captions, rows)
}

// writeMatrix writes the rows of t [N, E].
func (e *embeddings) writeMatrix(ctx context.Context, file string, t weights.Tensor) error {
	if len(t.Shape) != 2 {
		return fmt.Errorf("shape %v, want a matrix", t.Shape)
	}
	size := len(t.Data) / t.Shape[0]
	return e.write(ctx, file, t.Shape[0], t.Shape[1], t.DType, func(_ context.Context, from, to int) ([][]float32, error) {
		block := weights.Tensor{Name: t.Name, DType: t.DType, Shape: []int{to - from, t.Shape[1]}, Data: t.Data[from*size : to*size]}
		values, err := block.Float32()
		if err != nil {
			return nil, err
		}
		rows := make([][]float32, to-from)
		for i := range rows {
			rows[i] = values[i*t.Shape[1] : (i+1)*t.Shape[1]]
		}
		return rows, nil
	})
}

func (e *embeddings) write(ctx context.Context, file string, rows, width int, dtype weights.DType, fill func(context.Context, int, int) ([][]float32, error)) error {
	if e.found.Width != 0 && width != e.found.Width {
		return fmt.Errorf("embeddings of widths %d and %d", e.found.Width, width)
	}
	e.found.Width, e.found.Type = width, dtype
	if file == photosFile {
		e.found.Photos = rows
	} else {
		e.found.Texts = rows
	}
	return dataset.WriteEmbeddings(ctx, filepath.Join(e.temporary, file), rows, width, fill)
}

// writeCaptions gathers what is said of each row: {"image_id", "caption",
// "clip_embedding"}, the last being the row and the caption a text or several.
func (e *embeddings) writeCaptions(captions weights.Value, rows int) error {
	records := make([]dataset.Record, rows)
	number := 0
	for item := range captions.Items() {
		row, _ := item.Get("clip_embedding")
		at, ok := row.Int()
		if !ok || at < 0 || at >= rows {
			return fmt.Errorf("captions[%d]: clip_embedding is none of the %d rows", number, rows)
		}
		r := &records[at]
		r.Split = "train"
		if id, ok := item.Get("image_id"); ok {
			value, _ := id.Scalar()
			r.Image = fmt.Sprint(value)
		}
		said, err := captionsOf(item)
		if err != nil {
			return fmt.Errorf("captions[%d]: %w", number, err)
		}
		r.Captions = append(r.Captions, said...)
		e.found.Captions += len(said)
		number++
	}
	return e.writeRecords(records)
}

// captionsOf returns the texts of one item, without the empty ones that stand where
// there is none.
func captionsOf(item weights.Value) ([]string, error) {
	value, ok := item.Get("caption")
	if !ok {
		return nil, errors.New("no caption")
	}
	var out []string
	add := func(v weights.Value) error {
		text, ok := v.Text()
		if !ok {
			return fmt.Errorf("caption is %s, want a text or a list of texts", v.Kind())
		}
		if text != "" {
			out = append(out, text)
		}
		return nil
	}
	if _, ok := value.Text(); ok {
		return out, add(value)
	}
	for v := range value.Items() {
		if err := add(v); err != nil {
			return nil, err
		}
	}
	if out == nil && value.Kind() != "a list" && value.Kind() != "a tuple" {
		return nil, add(value)
	}
	return out, nil
}

// readPairs reads [{"image": [E], "caption": [E]}], whose captions are targets.
func (e *embeddings) readPairs(ctx context.Context, root weights.Value) error {
	var items []weights.Value
	for item := range root.Items() {
		items = append(items, item)
	}
	for key, file := range map[string]string{"image": photosFile, "caption": textsFile} {
		vector := func(i int) (weights.Tensor, error) {
			value, ok := items[i].Get(key)
			if !ok {
				return weights.Tensor{}, fmt.Errorf("[%d]: no %s", i, key)
			}
			t, err := value.Tensor(fmt.Sprintf("[%d].%s", i, key))
			if err == nil && len(t.Shape) != 1 {
				err = fmt.Errorf("[%d].%s: shape %v, want a vector", i, key, t.Shape)
			}
			return t, err
		}
		first, err := vector(0)
		if err != nil {
			return err
		}
		err = e.write(ctx, file, len(items), first.Shape[0], first.DType, func(_ context.Context, from, to int) ([][]float32, error) {
			rows := make([][]float32, 0, to-from)
			for i := from; i < to; i++ {
				t, err := vector(i)
				if err != nil {
					return nil, err
				}
				row, err := t.Float32()
				if err != nil {
					return nil, err
				}
				rows = append(rows, row)
			}
			return rows, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readSentences reads a list of texts: a corpus, one line each.
func (e *embeddings) readSentences(root weights.Value) error {
	var lines strings.Builder
	for item := range root.Items() {
		text, ok := item.Text()
		if !ok {
			return fmt.Errorf("[%d]: %s, not a text", e.found.Captions, item.Kind())
		}
		lines.WriteString(strings.Join(strings.Fields(text), " ") + "\n")
		e.found.Captions++
	}
	return os.WriteFile(filepath.Join(e.temporary, linesFile), []byte(lines.String()), 0o666)
}

// writeSource writes where the embeddings come from.
func (e *embeddings) writeSource(file string) error {
	data, err := json.Marshal(struct {
		File     string `json:"file"`
		CLIPName string `json:"clip_name,omitempty"`
	}{file, e.found.CLIPName})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(e.temporary, sourceFile), append(data, '\n'), 0o666)
}

// writeRecords writes records as lines of JSON.
func (e *embeddings) writeRecords(records []dataset.Record) error {
	file, err := os.Create(filepath.Join(e.temporary, captionsFile))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, r := range records {
		line := struct {
			Image    string   `json:"image"`
			Captions []string `json:"captions"`
			Split    string   `json:"split"`
		}{r.Image, append([]string{}, r.Captions...), r.Split}
		if err := encoder.Encode(line); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(out.Flush(), file.Close())
}
