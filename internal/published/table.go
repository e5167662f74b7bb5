// Package published knows models that others published on the Hugging Face hub: which
// files each is made of, and how they become one model folder.
package published

import (
	"fmt"

	"github.com/cutline-go/cutline/internal/convert"
	"github.com/cutline-go/cutline/internal/hub"
)

// Model is one that can be pulled by its name.
type Model struct {
	Name  string
	About string // a line for people

	CLIPName string         // what the CLIP's makers call it; see convert.Sources
	Method   convert.Method // that taught a captioner, "" for ClipCap's
	Parts    []Part
}

// Part is what one repository gives to a model.
type Part struct {
	Role Role
	Repo string // OWNER/NAME
	// Files are names of files. Each is a list: the first of it that the repository has
	// is taken. See [hub.Client.File] for patterns.
	Files [][]string
}

// Role says what a part is to a model: a field of convert.Sources.
type Role int

// The roles.
const (
	CLIP          Role = iota // the repository as a folder
	CLIPTokenizer             // the same, where CLIP has none
	GPT2                      // the same
	RoBERTa                   // the same
	ClipCap                   // the one file
)

// Find returns the model of a name; one that is a single repository also goes by the
// repository's.
func Find(name string) (Model, error) {
	if err := hub.CheckName(name); err != nil {
		return Model{}, err
	}
	for _, m := range Models() {
		if m.Name == name || (len(m.Parts) == 1 && m.Parts[0].Repo == name) {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("%s is none of the models that are known", name)
}

// Models returns the table of all models.
func Models() []Model {
	const b32, gpt2 = "openai/clip-vit-base-patch32", "openai-community/gpt2"
	return []Model{
		{
			Name: "clipcap-coco", About: "ClipCap, an MLP and GPT-2 tuned on COCO: plain captions",
			CLIPName: "ViT-B/32", Parts: []Part{clip(b32), words(gpt2),
				clipCap("akhaliq/CLIP-prefix-captioning-COCO-weights", "coco_weights.pt")},
		},
		{
			Name: "clipcap-conceptual", About: "ClipCap, an MLP and GPT-2 tuned on Conceptual Captions: captions as on the web",
			CLIPName: "ViT-B/32", Parts: []Part{clip(b32), words(gpt2),
				clipCap("akhaliq/CLIP-prefix-captioning-conceptual-weights", "conceptual_weights.pt")},
		},
		{
			Name: "capdec", About: "CapDec, ClipCap's network taught from the texts of COCO's captions alone",
			CLIPName: "RN50x4", Method: convert.CapDec, Parts: []Part{resNet50x4(), clipWords(b32), words(gpt2),
				clipCap("johko/capdec_015", "model.pt", "pytorch_model.pt", "pytorch_model.bin", "*.pt")},
		},
		clipAlone(b32, "ViT-B/32"),
		clipAlone("openai/clip-vit-base-patch16", "ViT-B/16"),
		clipAlone("openai/clip-vit-large-patch14", "ViT-L/14"),
		clipAlone("openai/clip-vit-large-patch14-336", "ViT-L/14@336px"),
		gpt2Alone("gpt2", "124 million parameters, what ClipCap's are tuned from"),
		gpt2Alone("gpt2-medium", "355 million parameters"),
		gpt2Alone("gpt2-large", "774 million parameters"),
		gpt2Alone("gpt2-xl", "1.5 billion parameters"),
		{
			Name: "FacebookAI/roberta-base", About: "RoBERTa, 124 million parameters: for training",
			Parts: []Part{{RoBERTa, "FacebookAI/roberta-base", [][]string{{"config.json"}, {"vocab.json"}, {"merges.txt"}, tensors()}}},
		},
	}
}

func clipAlone(repo, name string) Model {
	return Model{
		Name: repo, About: "OpenAI's CLIP " + name + ": for embed, score and training",
		CLIPName: name, Parts: []Part{clip(repo)},
	}
}

func gpt2Alone(name, about string) Model {
	part := words("openai-community/" + name)
	part.Files = append(part.Files, tensors())
	return Model{Name: name, About: "OpenAI's GPT-2, " + about + ": for training", Parts: []Part{part}}
}

// tensors are the names that a repository of Hugging Face's layout may give them.
func tensors() []string { return []string{"model.safetensors", "pytorch_model.bin"} }

func clip(repo string) Part {
	return Part{CLIP, repo, [][]string{{"config.json"}, {"preprocessor_config.json"}, {"vocab.json"}, {"merges.txt"}, tensors()}}
}

// resNet50x4 is OpenAI's RN50x4, which Hugging Face's layout has no form for: as
// open_clip keeps it.
func resNet50x4() Part {
	return Part{CLIP, "timm/resnet50x4_clip.openai", [][]string{
		{"open_clip_config.json"}, {"open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin"},
	}}
}

// clipWords is the vocabulary of all of OpenAI's CLIPs.
func clipWords(repo string) Part {
	return Part{CLIPTokenizer, repo, [][]string{{"vocab.json"}, {"merges.txt"}}}
}

// words are what a captioner takes of the GPT-2 that it was tuned from: the tensors
// are in its own file.
func words(repo string) Part {
	return Part{GPT2, repo, [][]string{{"config.json"}, {"vocab.json"}, {"merges.txt"}}}
}

func clipCap(repo string, names ...string) Part { return Part{ClipCap, repo, [][]string{names}} }
