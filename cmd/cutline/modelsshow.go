package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/published"
)

type modelsShowCmd struct {
	Name string `arg:"" help:"A model, as ls --known lists it."`
}

func (cmd *modelsShowCmd) Run(c *console) error {
	m, err := knownModel(cmd.Name)
	if err != nil {
		return err
	}
	store, err := published.OpenStore()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %s\n", m.Name, m.About)
	dir, pulled := store.Folder(m.Name)
	if !pulled {
		fmt.Fprintf(c.out, "not pulled; made of\n")
		for _, part := range m.Parts {
			fmt.Fprintf(c.out, "  %s\n", part.Repo)
		}
		return nil
	}
	folder, err := modelfolder.Open(dir)
	if err != nil {
		return &failure{err, "cutline models pull " + m.Name + " makes it anew"}
	}
	defer folder.Close()
	record, err := store.Record(m.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s, %s: %s\n%s", dir, bytesText(published.Size(dir)), folder.Config.Kind(), describe(foundIn(folder)))
	fmt.Fprintf(c.out, "made of\n")
	for _, source := range record.Sources {
		fmt.Fprintf(c.out, "  %s, licence: %s, commit %s\n", source.ID, licence(source), source.Commit)
		for _, file := range source.Files {
			fmt.Fprintf(c.out, "    %s, %s, %s\n", file.Name, bytesText(file.Size), file.Digest)
		}
	}
	return nil
}

// foundIn says of a model folder what convert says of the checkpoints.
func foundIn(folder *modelfolder.Folder) convert.Found {
	found := convert.Found{Config: folder.Config}
	for _, t := range folder.Tensors {
		size := 1
		for _, d := range t.Shape {
			size *= d
		}
		found.Parameters += size
		if !slices.Contains(found.Types, string(t.DType)) {
			found.Types = append(found.Types, string(t.DType))
		}
	}
	for _, id := range folder.Config.StopTokens {
		t := folder.GPTTokenizer // which does not spell CLIP's markers
		found.StopTokens = append(found.StopTokens, cmp.Or(t.Decode([]int{id}), t.Token(id)))
	}
	return found
}

// licence says what a model's page states.
func licence(r hub.Repo) string {
	if r.Licence == "" {
		return "not stated"
	}
	return r.Licence
}
