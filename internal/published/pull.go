package published

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"

	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/modelfolder"
)

// Plan is what pulling a model will do.
type Plan struct {
	Model   Model
	Sources []hub.Repo // of each part, with the files that are taken

	Size    int64 // of these files in bytes
	Missing int64 // what of it must be downloaded
	Current bool  // the store has the model already, made of just these files
}

// NewPlan asks the hub, or its cache where client is offline, what a model is made
// of today.
func (s Store) NewPlan(ctx context.Context, client *hub.Client, m Model) (Plan, error) {
	p := Plan{Model: m}
	for _, part := range m.Parts {
		repo, err := client.Repo(ctx, part.Repo)
		if err != nil {
			return Plan{}, err
		}
		source := hub.Repo{ID: repo.ID, Commit: repo.Commit, Licence: repo.Licence}
		for _, names := range part.Files {
			file, err := client.File(ctx, repo, names...)
			if err != nil {
				return Plan{}, err
			}
			source.Files = append(source.Files, file)
			p.Size += file.Size
			p.Missing += client.Missing(repo, file)
		}
		p.Sources = append(p.Sources, source)
	}
	var err error
	p.Current, err = s.current(p)
	return p, err
}

// current tells whether the store holds what p would make.
func (s Store) current(p Plan) (bool, error) {
	record, err := s.Record(p.Model.Name)
	if err != nil || len(record.Sources) != len(p.Sources) {
		return false, err
	}
	for i, source := range record.Sources {
		// A commit that changed other files changes nothing here.
		if want := p.Sources[i]; source.ID != want.ID || !slices.Equal(source.Files, want.Files) {
			return false, nil
		}
	}
	dir, _ := s.Folder(p.Model.Name)
	folder, err := modelfolder.Open(dir)
	if err != nil { // removed, damaged, or of another version of this program
		return false, nil
	}
	return true, folder.Close()
}

// Pull fetches what p lacks and writes the model folder. Pieces of the download are
// reported in bytes; see [hub.Client.Fetch]. A pull that fails leaves the folder as
// it was, and what came of the download for the next one.
func (s Store) Pull(ctx context.Context, client *hub.Client, engine compute.Backend, p Plan, report func(bytes int64)) (convert.Found, error) {
	sources := convert.Sources{Name: p.Model.Name, CLIPName: p.Model.CLIPName, Method: p.Model.Method}
	for i, repo := range p.Sources {
		var path string
		for _, file := range repo.Files {
			var err error
			if path, err = client.Fetch(ctx, repo, file, report); err != nil {
				return convert.Found{}, err
			}
		}
		switch dir := client.Snapshot(repo); p.Model.Parts[i].Role {
		case CLIP:
			sources.CLIP = dir
		case CLIPTokenizer:
			sources.CLIPTokenizer = dir
		case GPT2:
			sources.GPT2 = dir
		case RoBERTa:
			sources.RoBERTa = dir
		case ClipCap:
			sources.ClipCap = path
		}
	}
	if err := ctx.Err(); err != nil {
		return convert.Found{}, err
	}
	dir, _ := s.Folder(p.Model.Name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return convert.Found{}, err
	}
	found, err := convert.Folder(ctx, engine, dir, sources)
	if err != nil {
		return convert.Found{}, fmt.Errorf("%s was downloaded but cannot be made into a model: %w", p.Model.Name, err)
	}
	return found, s.write(Record{p.Model.Name, p.Sources})
}
