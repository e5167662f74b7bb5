package recipe_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/recipe"
)

// withEmbeddings are recipes that read embeddings, each with a file of them.
func withEmbeddings(t *testing.T, c recipe.ClipCap) map[string]func(file string) trainable {
	t.Helper()
	c.Views = 1
	small := smallTextOnly(c)
	capdec, ok1 := small["capdec"].(recipe.CapDec)
	unsupervised, ok2 := small["unsupervised-clipcap"].(recipe.UnsupervisedClipCap)
	decap, ok3 := small["decap"].(recipe.DeCap)
	if !ok1 || !ok2 || !ok3 {
		t.Fatal("the recipes are others")
	}
	capdec.Swap = batches.SwapNone
	return map[string]func(file string) trainable{
		"clipcap": func(file string) trainable {
			if c.Embeddings = file; file != "" {
				c.Data.Photos = ""
			}
			return c
		},
		"capdec":               func(file string) trainable { capdec.Embeddings = file; return capdec },
		"unsupervised-clipcap": func(file string) trainable { unsupervised.Embeddings = file; return unsupervised },
		"decap":                func(file string) trainable { decap.Embeddings = file; return decap },
	}
}

// TestGivenEmbeddings: what is learned from embeddings of a file is, to the bit, what is
// learned from those that the CLIP computes.
func TestGivenEmbeddings(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	records, err := dataset.LoadJSONL(c.Data.Captions, c.Data.Split)
	if err != nil {
		t.Fatal(err)
	}
	captions := 0
	for _, r := range records {
		captions += len(r.Captions)
	}
	for name, with := range withEmbeddings(t, c) {
		cache, own, given := filepath.Join(dir, name), filepath.Join(dir, name+"-own"), filepath.Join(dir, name+"-given")
		if err := with("").Train(t.Context(), testRun(t, own, cache)); err != nil {
			t.Fatal(name, err)
		}
		count := captions
		if name == "clipcap" {
			count = len(records)
		}
		file := filepath.Join(dir, name+".safetensors")
		if err := os.Rename(embeddingsOf(t, filepath.Join(cache, "cache"), count), file); err != nil {
			t.Fatal(err)
		}
		if err := with(file).Train(t.Context(), testRun(t, given, cache)); err != nil {
			t.Fatal(name, err)
		}
		if !bytes.Equal(contents(t, own, "model.safetensors"), contents(t, given, "model.safetensors")) {
			t.Errorf("%s learns something else from a file of the same embeddings", name)
		}
		if run := contents(t, given, "run.json"); !strings.Contains(string(run), `"`+name+`.safetensors": "`) {
			t.Errorf("%s: run.json has no checksum of the embeddings: %s", name, run)
		}
	}
}

// embeddingsOf returns the file of so many embeddings in a cache.
func embeddingsOf(t *testing.T, cache string, count int) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cache, "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		e, err := dataset.OpenEmbeddings(file)
		if err != nil {
			t.Fatal(err)
		}
		if e.Len() == count {
			found = append(found, file)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d of %d files have %d embeddings", len(found), len(files), count)
	}
	return found[0]
}

// TestGivenEmbeddingsRefused: embeddings of something else are an error that says so,
// before anything is learned.
func TestGivenEmbeddingsRefused(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	records, err := dataset.LoadJSONL(c.Data.Captions, c.Data.Split)
	if err != nil {
		t.Fatal(err)
	}
	write := func(folder string, rows, width int) string {
		path := filepath.Join(dir, folder, "photos.safetensors")
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		err := dataset.WriteEmbeddings(t.Context(), path, rows, width, func(_ context.Context, from, to int) ([][]float32, error) {
			out := make([][]float32, to-from)
			for i := range out {
				out[i] = make([]float32, width)
				out[i][0] = 1
			}
			return out, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := string(contents(t, c.CLIP, "config.json"))
	width := 8
	if !strings.Contains(config, `"embed_dim": 8`) {
		t.Fatalf("the CLIP is another: %s", config)
	}
	source := func(path, text string) string {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "source.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	named := strings.Replace(config, `"clip_name": "`, `"clip_name": "ViT-B/32 `, 1)
	if err := os.WriteFile(filepath.Join(c.CLIP, "config.json"), []byte(named), 0o666); err != nil {
		t.Fatal(err)
	}
	n := len(records)
	with := withEmbeddings(t, c)
	for _, test := range []struct{ recipe, file, want string }{
		{"clipcap", write("few", n-1, width), "embeddings for"},
		{"capdec", write("many", 1000, width), "1000 embeddings for"},
		{"clipcap", write("wide", n, width+1), "embeddings of width 9"},
		{"clipcap", source(write("other", n, width), `{"clip_name": "RN50x4"}`), "by CLIP RN50x4, but the run's is ViT-B/32"},
		{"clipcap", source(write("broken", n, width), `{`), "source.json"},
		{"clipcap", c.Data.Captions, "not a file of embeddings"},
	} {
		err := with[test.recipe](test.file).Train(t.Context(), testRun(t, filepath.Join(dir, "out"), dir))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %q", test.file, err, test.want)
		}
	}
	c.Embeddings = "any"
	if err := c.Train(t.Context(), testRun(t, filepath.Join(dir, "out"), dir)); err == nil || !strings.Contains(err.Error(), "set views, which is 2, to 1") {
		t.Errorf("views of embeddings: %v", err)
	}
}

// TestGivenPhotos: photos without captions may be embeddings, too.
func TestGivenPhotos(t *testing.T) {
	dir := t.TempDir()
	c := smallCaptioner(t, dir)
	_, names, closePhotos, err := dataset.OpenPhotos(c.Data.Photos)
	if err != nil {
		t.Fatal(err)
	}
	if err := closePhotos(); err != nil {
		t.Fatal(err)
	}
	capdec, ok := smallTextOnly(c)["capdec"].(recipe.CapDec)
	if !ok {
		t.Fatal("capdec is another recipe")
	}
	own, given := filepath.Join(dir, "own"), filepath.Join(dir, "given")
	cache := filepath.Join(dir, "apart")
	if err := capdec.Train(t.Context(), testRun(t, own, cache)); err != nil {
		t.Fatal(err)
	}
	capdec.Photos = filepath.Join(dir, "photos.safetensors")
	if err := os.Rename(embeddingsOf(t, filepath.Join(cache, "cache"), len(names)), capdec.Photos); err != nil {
		t.Fatal(err)
	}
	if err := capdec.Train(t.Context(), testRun(t, given, cache)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contents(t, own, "model.safetensors"), contents(t, given, "model.safetensors")) {
		t.Error("photos as embeddings are others")
	}
}
