package recipe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/batches"
	"github.com/cutline-go/cutline/internal/clip"
	"github.com/cutline-go/cutline/internal/method"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/train"
)

// embedder embeds with a frozen CLIP, once: embeddings come from the run's cache
// where they are there.
type embedder struct {
	run     Run
	folder  *modelfolder.Folder
	network string        // digest of the CLIP, its preprocessing and what runs it
	encoder *clip.Encoder // nil until something is to be computed
}

// newEmbedder prepares the CLIP of a folder that has one.
func newEmbedder(run Run, folder *modelfolder.Folder) (*embedder, error) {
	h := sha256.New()
	err := digestJSON(h, folder.Config.CLIP, folder.Config.Image, run.Engine.Name())
	if err != nil {
		return nil, err
	}
	for _, t := range folder.Tensors {
		if strings.HasPrefix(t.Name, clip.Scope+".") {
			if err := digestJSON(h, t.Name, t.DType, t.Shape); err != nil {
				return nil, err
			}
			h.Write(t.Data)
		}
	}
	return &embedder{run: run, folder: folder, network: sum(h)}, nil
}

// views are the ways in which a photo is embedded: as it is, and varied.
type views struct {
	Count   int
	Augment batches.Augment
	Seed    int64
}

// validate reports what makes no views.
func (v views) validate() error {
	switch {
	case v.Count < 1:
		return fmt.Errorf("views is %d, want 1 or more", v.Count)
	case v.Count > 1:
		return v.Augment.Validate()
	}
	return nil
}

// checkNoise reports noise without a meaning. The zero value is none.
func checkNoise(n method.Noise) error {
	if n == (method.Noise{}) {
		return nil
	}
	return n.Validate()
}

// plainView embeds each photo as it is.
func plainView() views { return views{Count: 1} }

// photos embeds views of the photos of some data: row i·views+v is view v of record i.
func (e *embedder) photos(ctx context.Context, d Data, records []dataset.Record, photos dataset.Photos, v views) (*dataset.Embeddings, error) {
	h := sha256.New()
	if v.Count == 1 {
		v = plainView()
	}
	files, err := d.fingerprint(records)
	if err != nil {
		return nil, err
	}
	if err := digestJSON(h, "photos", e.network, files, v); err != nil {
		return nil, err
	}
	for _, r := range records {
		fmt.Fprintf(h, "%q\n", r.Image)
	}
	shown := shownPhotos{source: photos, records: records, preprocess: *e.folder.Config.Image, views: v}
	// What the encoder is shown of the first photo stands for how photos are decoded,
	// varied and prepared by this program.
	for row := range v.Count {
		pixels, err := shown.row(row)
		if err != nil {
			return nil, err
		}
		if err := digestJSON(h, pixels); err != nil {
			return nil, err
		}
	}
	return e.open(ctx, "embedding photos", sum(h), len(records)*v.Count, func(ctx context.Context, from, to int) ([][]float32, error) {
		var rows [][]float32
		for ; from < to; from += min(embedBatch, to-from) {
			var pixels [][]float32
			for row := from; row < min(from+embedBatch, to); row++ {
				p, err := shown.row(row)
				if err != nil {
					return nil, err
				}
				pixels = append(pixels, p)
			}
			embeddings, err := e.encoder.Image(ctx, pixels)
			if err != nil {
				return nil, err
			}
			rows = append(rows, embeddings...)
		}
		return rows, nil
	})
}

// unlabelled embeds all photos of a folder or an archive, each as it is, by name; or maps
// a file of embeddings.
func (e *embedder) unlabelled(ctx context.Context, path string) (*dataset.Embeddings, error) {
	if strings.HasSuffix(path, ".safetensors") {
		return e.given(path, 0, "photos")
	}
	source, names, closePhotos, err := dataset.OpenPhotos(path)
	if err != nil {
		return nil, err
	}
	defer closePhotos()
	records := make([]dataset.Record, len(names))
	for i, name := range names {
		records[i].Image = name
	}
	return e.photos(ctx, Data{Photos: path}, records, source, plainView())
}

// embedBatch is how many photos are in memory at a time, prepared.
const embedBatch = 32

// texts embeds texts, cut to the CLIP's context length, each a row.
func (e *embedder) texts(ctx context.Context, texts []string) (*dataset.Embeddings, error) {
	h := sha256.New()
	if err := digestJSON(h, "texts", e.network); err != nil {
		return nil, err
	}
	for _, text := range texts { // in tokens, so that another tokenizer is another key
		ids, err := e.tokens(text)
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(h, ids)
	}
	return e.open(ctx, "embedding texts", sum(h), len(texts), func(ctx context.Context, from, to int) ([][]float32, error) {
		return e.read(ctx, texts[from:to])
	})
}

// tokens are those of a text, cut to the CLIP's context length.
func (e *embedder) tokens(text string) ([]int32, error) {
	ids, err := e.folder.CLIPTokenizer.Context(text, e.folder.Config.CLIP.Text.ContextLength, true)
	if err != nil {
		return nil, fmt.Errorf("%.80q: %w", text, err)
	}
	return ids, nil
}

// read embeds texts that no other run will ask for.
func (e *embedder) read(ctx context.Context, texts []string) ([][]float32, error) {
	if err := e.load(); err != nil {
		return nil, err
	}
	rows := make([][]int32, len(texts))
	for i, text := range texts {
		var err error
		if rows[i], err = e.tokens(text); err != nil {
			return nil, err
		}
	}
	return e.encoder.Text(ctx, rows)
}

// open finds the rows of a key in the cache, or computes them and tells how far it
// is. A forecast gets zeros.
func (e *embedder) open(ctx context.Context, stage, key string, rows int, fill func(ctx context.Context, from, to int) ([][]float32, error)) (*dataset.Embeddings, error) {
	if e.run.Forecast != nil {
		return dataset.NewEmbeddings(slices.Repeat([][]float32{make([]float32, e.folder.Config.CLIP.EmbedDim)}, rows))
	}
	start, first := time.Now(), -1
	cache := dataset.EmbeddingCache{Dir: e.run.Cache}
	out, err := cache.Open(ctx, key, rows, e.folder.Config.CLIP.EmbedDim, func(ctx context.Context, from, to int) ([][]float32, error) {
		if err := e.load(); err != nil {
			return nil, err
		}
		if first < 0 {
			first = from
		}
		out, err := fill(ctx, from, to)
		if err == nil {
			e.run.Report(train.NewProgress(stage, to, rows, to-first, time.Since(start)))
		}
		return out, err
	})
	if err != nil {
		return nil, fmt.Errorf("%s by the CLIP of model %q: %w", stage, e.folder.Config.Name, err)
	}
	return out, nil
}

// load gives the encoder its weights.
func (e *embedder) load() error {
	if e.encoder != nil {
		return nil
	}
	store := model.NewStore()
	if err := e.folder.Load(e.run.Engine, store); err != nil {
		return err
	}
	var err error
	e.encoder, err = clip.NewEncoder(e.run.Engine, store, *e.folder.Config.CLIP)
	return err
}

// digestJSON feeds values to h, each apart from the next.
func digestJSON(h hash.Hash, values ...any) error {
	for _, v := range values {
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("embeddings: %w", err)
		}
		h.Write(append(data, '\n'))
	}
	return nil
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
