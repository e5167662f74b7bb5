package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"text/tabwriter"

	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/published"
	"github.com/cutline-go/cutline/internal/recipe"
)

// modelsCmd fetches models that others published, and keeps them.
type modelsCmd struct {
	Ls   modelsLsCmd   `cmd:"" help:"List the models that are here or, with --known, all that can be pulled."`
	Show modelsShowCmd `cmd:"" help:"Tell what a model is, and what it is made of."`
	Pull modelsPullCmd `cmd:"" help:"Download a model from the Hugging Face hub and make a model folder of it."`
	Rm   modelsRmCmd   `cmd:"" help:"Remove a model."`

	Average modelsAverageCmd `cmd:"" help:"Average the weights of models that were trained on from one start."`
}

// knownModel finds a model in the table; what is not there is a mistake in the command line.
func knownModel(name string) (published.Model, error) {
	m, err := published.Find(name)
	if err != nil {
		return m, &usageError{err.Error(), "cutline models ls --known lists them; cutline convert takes files of your own"}
	}
	return m, nil
}

type modelsLsCmd struct {
	Known bool `help:"List what can be pulled, too."`
}

func (cmd *modelsLsCmd) Run(c *console) error {
	store, err := published.OpenStore()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 3, ' ', 0)
	if cmd.Known {
		for _, m := range published.Models() {
			state := "-"
			if _, pulled := store.Folder(m.Name); pulled {
				state = "pulled"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", m.Name, state, m.About)
		}
		return table.Flush()
	}
	names, err := store.Pulled()
	if err != nil {
		return err
	}
	for _, name := range names {
		dir, _ := store.Folder(name)
		kind := "damaged"
		if folder, err := modelfolder.Open(dir); err == nil {
			kind = string(folder.Config.Kind())
			_ = folder.Close() // it was only read
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", name, kind, bytesText(published.Size(dir)))
	}
	return table.Flush()
}

type modelsRmCmd struct {
	Name      string `arg:"" help:"A model, as ls lists it."`
	Downloads bool   `help:"Also what it was made of, from Hugging Face's cache, which other programs use, too."`
}

func (cmd *modelsRmCmd) Run(c *console) error {
	if err := hub.CheckName(cmd.Name); err != nil {
		return &usageError{err.Error(), "cutline models ls lists those that are here"}
	}
	name := cmd.Name
	if m, err := published.Find(name); err == nil {
		name = m.Name
	}
	store, err := published.OpenStore()
	if err != nil {
		return err
	}
	var client *hub.Client // whose cache keeps the downloads
	if cmd.Downloads {
		if client, err = hub.FromEnvironment(); err != nil {
			return err
		}
	}
	freed, err := store.Remove(name, client)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: removed, %s\n", name, bytesText(freed))
	return nil
}

type modelsAverageCmd struct {
	Models []string `arg:"" name:"model" help:"Model folders that differ in nothing but their weights."`
	Out    string   `required:"" placeholder:"DIR" help:"Model folder to write."`
}

func (cmd *modelsAverageCmd) Run(c *console) error {
	if len(cmd.Models) < 2 {
		return &usageError{"one model has no other to be averaged with", "name two or more"}
	}
	if err := recipe.Average(cmd.Out, cmd.Models); err != nil {
		return err
	}
	fmt.Fprintln(c.out, cmd.Out)
	return nil
}

// modelFolder returns the folder that --model means: one of that path or, where there
// is none, a pulled model's.
func modelFolder(model string) (string, error) {
	if _, err := os.Stat(model); !errors.Is(err, fs.ErrNotExist) {
		return model, nil
	}
	m, err := published.Find(model)
	if err != nil {
		return model, nil // opening it tells that there is no such folder
	}
	store, err := published.OpenStore()
	if err != nil {
		return "", err
	}
	dir, pulled := store.Folder(m.Name)
	if !pulled {
		return "", fmt.Errorf("model %s is not here yet; cutline models pull %[1]s fetches it", m.Name)
	}
	return dir, nil
}

// bytesText writes a number of bytes as people do.
func bytesText(n int64) string {
	value := float64(n)
	for _, unit := range []string{"kB", "MB", "GB"} {
		if value /= 1000; value < 999.95 || unit == "GB" {
			return fmt.Sprintf("%.1f %s", value, unit)
		}
	}
	return ""
}
