package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/recipe"
	"github.com/cutline-go/cutline/internal/train"
)

// trial is one training.
type trial struct {
	options
	study    study
	run      spec
	seed     int64
	captions string // JSON lines of all splits
	unpaired string // photos whose captions are not looked at
}

func (t trial) name() string { return t.nameOf(t.run.Name) }

func (t trial) nameOf(run string) string {
	return fmt.Sprintf("%s-%d", strings.NewReplacer(", ", "-", " ", "-").Replace(run), t.seed)
}

func (t trial) folder(run string) string { return filepath.Join(t.work, "models", t.nameOf(run)) }

// train trains the model, once, and returns its folder.
func (t trial) train(ctx context.Context) (string, error) {
	out := t.folder(t.run.Name)
	if _, err := os.Stat(out); err == nil {
		return out, nil
	}
	config, err := t.config()
	if err != nil {
		return "", err
	}
	e, err := engine.Open("cutline:training")
	if err != nil {
		return "", err
	}
	defer e.Finalize()
	began := time.Now()
	err = config.Train(ctx, recipe.Run{
		Engine: e, Out: out, Cache: filepath.Join(t.work, "embeddings"), Report: func(train.Progress) {},
	})
	if err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "%s: trained in %s\n", t.name(), time.Since(began).Round(time.Second))
	return out, t.keepLog(out)
}

// trainable is a method's configuration.
type trainable interface {
	Train(ctx context.Context, run recipe.Run) error
}

// config is the method's own configuration with what the study sets.
func (t trial) config() (trainable, error) {
	config := map[string]trainable{
		"clipcap-mlp": new(recipe.ClipCap), "clipcap-transformer": new(recipe.ClipCap),
		"unsupervised-clipcap": new(recipe.UnsupervisedClipCap), "capdec": new(recipe.CapDec),
		"decap": new(recipe.DeCap), "magic": new(recipe.MAGIC),
		"latent-cyclegan": new(recipe.LatentCycleGAN), "semi-supervised": new(recipe.SemiSupervised),
		"cgt-gan": new(recipe.CgTGAN), "esper": new(recipe.ESPER),
	}[t.run.Method]
	if config == nil {
		return nil, fmt.Errorf("no method %q", t.run.Method)
	}
	return config, recipe.ReadConfig("", t.run.Method, t.fields(), config)
}

// fields are what the study sets of the method's configuration.
func (t trial) fields() []recipe.Override {
	updates, optimizer := cmp.Or(t.run.Updates, t.study.Updates), "method.optimizer."
	if t.run.Method == "cgt-gan" {
		optimizer = "method.generator." // the discriminator follows
	}
	out := []recipe.Override{
		{Path: "name", Value: t.run.Name}, {Path: "clip", Value: t.clip}, {Path: "epochs", Value: 0}, {Path: "seed", Value: t.seed},
		{Path: optimizer + "seed", Value: t.seed}, {Path: optimizer + "updates", Value: updates},
		{Path: "pace.log_every", Value: max(1, updates/10)},
	}
	out = append(append(out, t.ownFields()...), t.dataFields()...)
	if t.run.From != "" {
		out = append(out, recipe.Override{Path: "language_model", Value: t.folder(t.run.From)}, recipe.Override{Path: "mapper.kind", Value: ""})
	}
	for _, set := range []map[string]json.RawMessage{t.study.All[t.run.Method], t.run.Set} {
		for _, path := range slices.Sorted(maps.Keys(set)) {
			out = append(out, recipe.Override{Path: path, Value: set[path]})
		}
	}
	return out
}

// ownFields are those that not all methods have.
func (t trial) ownFields() []recipe.Override {
	language := recipe.Override{Path: "language_model", Value: t.language}
	switch t.run.Method {
	case "decap":
		return nil
	case "latent-cyclegan": // whose captioner is trained first, as the others are
		decoder := "text_decoder."
		language.Path = decoder + language.Path
		return []recipe.Override{
			language, {Path: decoder + "epochs", Value: 0},
			{Path: decoder + "method.optimizer.updates", Value: t.study.Updates}, {Path: decoder + "method.optimizer.seed", Value: t.seed},
		}
	case "cgt-gan":
		out := []recipe.Override{language, {Path: "roberta", Value: t.roberta}}
		if t.run.From != "" {
			out = append(out, recipe.Override{Path: "start.epochs", Value: 0})
		}
		return out
	default:
		return []recipe.Override{language}
	}
}

// data is what the method learns from.
func (t trial) dataFields() []recipe.Override {
	if strings.HasPrefix(t.run.Method, "clipcap") || t.run.Method == "semi-supervised" {
		return []recipe.Override{
			{Path: "data.captions", Value: t.captions}, {Path: "data.photos", Value: filepath.Join(t.data, "images_train.tar")},
		}
	}
	out := []recipe.Override{{Path: "data.text", Value: []string{t.captions}}}
	apart := slices.Contains([]string{"latent-cyclegan", "cgt-gan", "esper"}, t.run.Method)
	if apart || slices.Contains(t.run.Aligns, "mean") || t.run.Set["offset"] != nil {
		out = append(out, recipe.Override{Path: "photos", Value: t.unpaired})
	}
	return out
}

// keepLog copies the log of a training beside the scores, which are small.
func (t trial) keepLog(folder string) error {
	from, err := os.Open(folder + ".run/log.jsonl")
	if err != nil {
		return err
	}
	defer from.Close()
	logs := filepath.Join(t.out, "logs")
	if err := os.MkdirAll(logs, 0o777); err != nil {
		return err
	}
	to, err := os.Create(filepath.Join(logs, t.name()+".jsonl"))
	if err != nil {
		return err
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return to.Close()
}

// unguided is the model of a MAGIC folder whose CLIP has no say.
func unguided(folder string) (string, error) {
	plain := folder + "-unguided"
	if err := errors.Join(os.RemoveAll(plain), os.CopyFS(plain, os.DirFS(folder))); err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(folder, "config.json"))
	if err != nil {
		return "", err
	}
	var config map[string]any
	if err := json.Unmarshal(data, &config); err != nil {
		return "", err
	}
	magic, ok := config["magic"].(map[string]any)
	if !ok {
		return "", fmt.Errorf("%s: config.json has no magic", folder)
	}
	magic["beta"] = 0
	if data, err = json.Marshal(config); err != nil {
		return "", err
	}
	return plain, os.WriteFile(filepath.Join(plain, "config.json"), data, 0o666)
}
