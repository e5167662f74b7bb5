package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cutline-go/cutline/internal/engine"
	"github.com/cutline-go/cutline/internal/recipe"
)

// trainCmd trains the networks, one verb for each.
type trainCmd struct {
	CLIP trainCLIPCmd `cmd:"" name:"clip" help:"Train a CLIP from photos with captions."`
	LM   trainLMCmd   `cmd:"" name:"lm" help:"Train a language model and its tokenizer from text."`

	RoBERTa trainRoBERTaCmd `cmd:"" name:"roberta" help:"Train a text encoder and its tokenizer from text, which knows how people write."`

	ClipCapMLP          trainClipCapMLPCmd          `cmd:"" name:"clipcap-mlp" aliases:"clipcap" help:"Train a captioner from photos with captions: an MLP before a language model that is tuned along."`
	ClipCapTransformer  trainClipCapTransformerCmd  `cmd:"" name:"clipcap-transformer" help:"The same: a transformer before a frozen language model."`
	SCST                trainSCSTCmd                `cmd:"" name:"scst" help:"Go on training a captioner by the scores of what it writes: self-critical, by CIDEr and its CLIP."`
	CapDec              trainCapDecCmd              `cmd:"" name:"capdec" help:"Train a captioner from a text file alone."`
	UnsupervisedClipCap trainUnsupervisedClipCapCmd `cmd:"" name:"unsupervised-clipcap" help:"Train a captioner from photos' captions, several each, without the photos."`
	DeCap               trainDeCapCmd               `cmd:"" name:"decap" help:"Train a small decoder from a text file, with a memory of its captions."`
	CgTGAN              trainCgTGANCmd              `cmd:"" name:"cgt-gan" help:"Train a captioner from photos and a text file that do not belong together."`
	ESPER               trainESPERCmd               `cmd:"" name:"esper" help:"Train a captioner from photos alone, by what CLIP thinks of what it writes."`
	MAGIC               trainMAGICCmd               `cmd:"" name:"magic" help:"Adapt a language model to a text file, for CLIP to guide."`
	LatentCycleGAN      trainLatentCycleGANCmd      `cmd:"" name:"latent-cyclegan" help:"Train a captioner from photos without captions and captions without photos."`
	SemiSupervised      trainSemiSupervisedCmd      `cmd:"" name:"semi-supervised" help:"Train a captioner from a few captions of photos, and from what CLIP thinks of its own."`
}

// trainFlags are what every training takes. The configuration has a field for
// everything; flags stand for the few that change from run to run.
type trainFlags struct {
	Config   string   `placeholder:"FILE" help:"Configuration, as JSON; without it, this program's own, which --dry-run prints."`
	Set      []string `sep:"none" placeholder:"FIELD=VALUE" help:"Change a field of the configuration, as in --set optimizer.schedule.learning_rate=1e-4. May be repeated."`
	Updates  int      `placeholder:"N" help:"Updates of the whole run."`
	Epochs   float64  `placeholder:"N" help:"Passes over the data, in the place of --updates."`
	Batch    int      `placeholder:"N" help:"Examples an update."`
	Seed     *int64   `placeholder:"N" help:"Seed of all that is drawn."`
	Out      string   `required:"" placeholder:"DIR" help:"Model folder to write. Checkpoints and logs lie beside it in DIR.run, from which a stopped run goes on."`
	Engine   string   `default:"cutline:training" placeholder:"NAME" help:"What computes: cutline:training, go, or onnx:PATH or xla:PATH in builds with that tag."`
	Cache    string   `placeholder:"DIR" env:"CUTLINE_CACHE" help:"Where embeddings are kept for the next run; cutline in the user's cache folder unless given."`
	Progress string   `enum:"auto,json,none" default:"auto" placeholder:"HOW" help:"auto: a bar on a terminal, else lines; json; none."`
	DryRun   bool     `help:"Print the configuration and what the run would take, and stop."`
}

// pairFlags are the data of methods that learn from photos with captions.
type pairFlags struct {
	Captions string `placeholder:"FILE" help:"Captions: JSON lines of image, captions and split."`
	Photos   string `placeholder:"PATH" help:"Their photos: a folder or a tar archive."`
}

func (f pairFlags) overrides() []recipe.Override {
	return given([]recipe.Override{{Path: "data.captions", Value: f.Captions}, {Path: "data.photos", Value: f.Photos}})
}

// textFlags are the data of methods that learn from captions alone.
type textFlags struct {
	Text     []string `sep:"none" placeholder:"FILE" help:"Captions: plain text, one a line, if the name ends in .txt; else any file that eval takes as references. May be repeated."`
	OpenText bool     `help:"The plain text is running text, such as a book: take its sentences of 5 to 19 words."`
}

func (f textFlags) overrides() []recipe.Override {
	var out []recipe.Override
	if len(f.Text) > 0 {
		out = append(out, recipe.Override{Path: "data.text", Value: f.Text})
	}
	if f.OpenText {
		out = append(out, recipe.Override{Path: "data.open_text", Value: true})
	}
	return out
}

// sentenceFlags are the data of networks of text.
type sentenceFlags struct {
	Text []string `sep:"none" placeholder:"FILE" help:"Plain text, a sentence a line. May be repeated."`
}

func (f sentenceFlags) overrides() []recipe.Override {
	if len(f.Text) == 0 {
		return nil
	}
	return []recipe.Override{{Path: "texts", Value: f.Text}}
}

// meanFlags name photos whose captions nobody knows.
type meanFlags struct {
	Photos string `placeholder:"PATH" help:"Photos without captions, a folder, a tar archive or a file of embeddings: their mean is kept for caption --align mean."`
}

func (f meanFlags) overrides() []recipe.Override {
	return given([]recipe.Override{{Path: "photos", Value: f.Photos}})
}

// unpairedFlags are photos that are learned from without captions.
type unpairedFlags struct {
	Photos string `placeholder:"PATH" help:"Photos without captions: a folder, a tar archive, or the photos.safetensors that convert --embeddings writes."`
}

func (f unpairedFlags) overrides() []recipe.Override {
	return given([]recipe.Override{{Path: "photos", Value: f.Photos}})
}

type (
	trainCLIPCmd struct {
		pairFlags
		trainFlags
	}
	trainLMCmd struct {
		sentenceFlags
		trainFlags
	}
	trainRoBERTaCmd struct {
		sentenceFlags
		trainFlags
	}
	trainClipCapMLPCmd struct {
		pairFlags
		trainFlags
	}
	trainClipCapTransformerCmd struct {
		pairFlags
		trainFlags
	}
	trainSCSTCmd struct {
		Captioner string `placeholder:"DIR" help:"The captioner to go on from; this program's unless given."`
		pairFlags
		trainFlags
	}
	trainCapDecCmd struct {
		textFlags
		meanFlags
		trainFlags
	}
	trainUnsupervisedClipCapCmd struct {
		textFlags
		meanFlags
		trainFlags
	}
	trainDeCapCmd struct {
		textFlags
		trainFlags
	}
	trainCgTGANCmd struct {
		textFlags
		Photos  string `placeholder:"PATH" help:"Photos without captions, a folder or a tar archive."`
		RoBERTa string `name:"roberta" placeholder:"DIR" help:"Model folder of the RoBERTa that the discriminator begins with, such as train roberta makes."`
		trainFlags
	}
	trainESPERCmd struct {
		textFlags
		Photos string `placeholder:"PATH" help:"Photos without captions, a folder or a tar archive."`
		trainFlags
	}
	trainMAGICCmd struct {
		textFlags
		trainFlags
	}
	trainSemiSupervisedCmd struct {
		pairFlags
		Labelled   int    `placeholder:"N" help:"Captions that are learned from, of as many photos as there are; all unless given."`
		Unlabelled string `placeholder:"PATH" help:"Photos without captions, a folder or a tar archive; those of --photos unless given."`
		trainFlags
	}
	trainLatentCycleGANCmd struct {
		textFlags
		unpairedFlags
		Decoder string `placeholder:"DIR" help:"Captioner that learned from texts, to translate photos for; one is trained from the text unless given."`
		trainFlags
	}
)

func (cmd *trainCLIPCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, "clip", "optimizer", cmd.pairFlags.overrides(), new(recipe.CLIP))
}

func (cmd *trainLMCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, "lm", "optimizer", cmd.sentenceFlags.overrides(), new(recipe.LanguageModel))
}

func (cmd *trainRoBERTaCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, "roberta", "method.optimizer", cmd.sentenceFlags.overrides(), new(recipe.RoBERTa))
}

func (cmd *trainClipCapMLPCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, "clipcap-mlp", "method.optimizer", cmd.pairFlags.overrides(), new(recipe.ClipCap))
}

func (cmd *trainClipCapTransformerCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, "clipcap-transformer", "method.optimizer", cmd.pairFlags.overrides(), new(recipe.ClipCap))
}

func (cmd *trainSCSTCmd) Run(ctx context.Context, c *console) error {
	data := append(cmd.pairFlags.overrides(), given([]recipe.Override{{Path: "captioner", Value: cmd.Captioner}})...)
	return cmd.run(ctx, c, "scst", "method.optimizer", data, new(recipe.SCST))
}

func (cmd *trainCapDecCmd) Run(ctx context.Context, c *console) error {
	data := append(cmd.textFlags.overrides(), cmd.meanFlags.overrides()...)
	return cmd.run(ctx, c, "capdec", "method.optimizer", data, new(recipe.CapDec))
}

func (cmd *trainUnsupervisedClipCapCmd) Run(ctx context.Context, c *console) error {
	data := append(cmd.textFlags.overrides(), cmd.meanFlags.overrides()...)
	return cmd.run(ctx, c, "unsupervised-clipcap", "method.optimizer", data, new(recipe.UnsupervisedClipCap))
}

func (cmd *trainDeCapCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, "decap", "method.optimizer", cmd.textFlags.overrides(), new(recipe.DeCap))
}

func (cmd *trainCgTGANCmd) Run(ctx context.Context, c *console) error {
	data := append(cmd.textFlags.overrides(), given([]recipe.Override{{Path: "photos", Value: cmd.Photos}, {Path: "roberta", Value: cmd.RoBERTa}})...)
	return cmd.run(ctx, c, "cgt-gan", "method.generator", data, new(recipe.CgTGAN))
}

func (cmd *trainESPERCmd) Run(ctx context.Context, c *console) error {
	data := append(cmd.textFlags.overrides(), given([]recipe.Override{{Path: "photos", Value: cmd.Photos}})...)
	return cmd.run(ctx, c, "esper", "method.optimizer", data, new(recipe.ESPER))
}

func (cmd *trainMAGICCmd) Run(ctx context.Context, c *console) error {
	return cmd.run(ctx, c, "magic", "method.optimizer", cmd.textFlags.overrides(), new(recipe.MAGIC))
}

func (cmd *trainLatentCycleGANCmd) Run(ctx context.Context, c *console) error {
	data := append(cmd.textFlags.overrides(), cmd.unpairedFlags.overrides()...)
	data = append(data, given([]recipe.Override{{Path: "decoder", Value: cmd.Decoder}})...)
	return cmd.run(ctx, c, "latent-cyclegan", "method.optimizer", data, new(recipe.LatentCycleGAN))
}

func (cmd *trainSemiSupervisedCmd) Run(ctx context.Context, c *console) error {
	data := append(cmd.pairFlags.overrides(), given([]recipe.Override{
		{Path: "labelled", Value: cmd.Labelled}, {Path: "unlabelled", Value: cmd.Unlabelled},
	})...)
	return cmd.run(ctx, c, "semi-supervised", "method.optimizer", data, new(recipe.SemiSupervised))
}

// trainable is a configuration that can be run.
type trainable interface {
	Train(ctx context.Context, run recipe.Run) error
}

// run trains as the method's recipe says; optimizer is where its optimizer lies in
// the configuration, and data are the fields that flags of the method's own set.
func (f trainFlags) run(ctx context.Context, c *console, method, optimizer string, data []recipe.Override, r trainable) error {
	overrides, err := f.changes(optimizer)
	if err != nil {
		return err
	}
	if err := recipe.ReadConfig(f.Config, method, append(data, overrides...), r); err != nil {
		return err
	}
	run := recipe.Run{Out: f.Out, Cache: f.Cache, Report: newTrainReport(c.messages, f.Progress)}
	if f.DryRun {
		run.Forecast = func(forecast recipe.Forecast) { err = printForecast(c.out, forecast, f.Out) }
	}
	if run.Cache == "" {
		folder, err := os.UserCacheDir()
		if err != nil {
			return &failure{err, "--cache names a folder for embeddings"}
		}
		run.Cache = filepath.Join(folder, "cutline")
	}
	run.Cache = filepath.Join(run.Cache, "embeddings")
	if run.Engine, err = engine.Open(f.Engine); err != nil {
		return err
	}
	defer run.Engine.Finalize()
	if e := r.Train(ctx, run); e != nil || f.DryRun {
		return cmp.Or(e, err)
	}
	fmt.Fprintln(c.out, f.Out)
	return nil
}

// changes are the fields that flags set, --set after the others.
func (f trainFlags) changes(optimizer string) ([]recipe.Override, error) {
	if f.Updates != 0 && f.Epochs != 0 {
		return nil, &usageError{"--updates and --epochs exclude each other", ""}
	}
	out := given([]recipe.Override{{Path: "batch", Value: f.Batch}})
	if f.Updates != 0 {
		out = append(out, recipe.Override{Path: optimizer + ".updates", Value: f.Updates}, recipe.Override{Path: "epochs", Value: 0})
	}
	if f.Epochs != 0 {
		out = append(out, recipe.Override{Path: optimizer + ".updates", Value: 0}, recipe.Override{Path: "epochs", Value: f.Epochs})
	}
	if f.Seed != nil {
		out = append(out, recipe.Override{Path: "seed", Value: *f.Seed}, recipe.Override{Path: optimizer + ".seed", Value: *f.Seed})
	}
	for _, set := range f.Set {
		path, value, ok := strings.Cut(set, "=")
		if !ok || path == "" {
			return nil, &usageError{fmt.Sprintf("--set %s: want FIELD=VALUE", set), ""}
		}
		override := recipe.Override{Path: path, Value: value} // a word is a string
		if json.Valid([]byte(value)) {
			override.Value = json.RawMessage(value)
		}
		out = append(out, override)
	}
	return out, nil
}

// given drops the flags that were not given.
func given(all []recipe.Override) []recipe.Override {
	var out []recipe.Override
	for _, o := range all {
		if o.Value != "" && o.Value != 0 {
			out = append(out, o)
		}
	}
	return out
}
