package recipe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cutline-go/cutline/dataset"
	"github.com/cutline-go/cutline/internal/clip"
)

// given maps embeddings that another program computed, as cutline convert --embeddings
// writes them: of so many things, 0 for any number, one each, by the CLIP that this run
// has.
func (e *embedder) given(path string, count int, things string) (*dataset.Embeddings, error) {
	out, err := dataset.OpenEmbeddings(path)
	if err != nil {
		return nil, fmt.Errorf("embeddings: %w", err)
	}
	config := e.folder.Config
	by, err := embeddedBy(path)
	switch ours := clip.Release(config.CLIPName); {
	case err != nil:
	case count > 0 && out.Len() != count:
		err = fmt.Errorf("%s: %d embeddings for %d %s: want one each, in their order", path, out.Len(), count, things)
	case out.Width() != config.CLIP.EmbedDim:
		err = fmt.Errorf("%s: embeddings of width %d, but CLIP %q makes them %d wide", path, out.Width(), config.CLIPName, config.CLIP.EmbedDim)
	case by != "" && ours != "" && by != ours:
		err = fmt.Errorf("%s: embeddings by CLIP %s, but the run's is %s", path, by, ours)
	}
	if err != nil {
		return nil, errors.Join(err, out.Close())
	}
	return out, nil
}

// embeddedBy returns which of OpenAI's CLIPs made the embeddings of a file, where the
// source.json beside it tells.
func embeddedBy(path string) (string, error) {
	name := filepath.Join(filepath.Dir(path), "source.json")
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	var source struct {
		CLIPName string `json:"clip_name"`
	}
	if err == nil {
		err = json.Unmarshal(data, &source)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return clip.Release(source.CLIPName), nil
}

// textsOr embeds texts or, where a file is named, takes those embeddings of so many
// captions.
func (e *embedder) textsOr(ctx context.Context, file string, texts []string, captions int) (*dataset.Embeddings, error) {
	if file == "" {
		return e.texts(ctx, texts)
	}
	return e.given(file, captions, "captions")
}
