package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/internal/hub/hubtest"
	"github.com/cutline-go/cutline/internal/modelfolder"
	"github.com/cutline-go/cutline/internal/published"
	"github.com/cutline-go/cutline/internal/weights"
	"github.com/cutline-go/cutline/tokenizer"
)

const (
	clipRepo    = "openai/clip-vit-base-patch32"
	gptRepo     = "openai-community/gpt2"
	clipCapRepo = "akhaliq/CLIP-prefix-captioning-COCO-weights"

	// What Hugging Face's file says for 64 pixels.
	preprocessor = `{"crop_size": 64, "do_center_crop": true, "do_normalize": true, "do_resize": true, "resample": 3, "size": 64,
		"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}`
)

// publishGolden puts the reference CLIPs, GPT-2 and ClipCap on a hub, under the names
// that the real ones have there.
func publishGolden(t *testing.T, server *hubtest.Server, clipCap string) {
	t.Helper()
	clip, gpt := filepath.Join(golden.Dir(t, "clip_vit"), "hf"), golden.Dir(t, "gpt2")
	files := withTokenizer(t, tokenizer.CLIP, 600)
	files["config.json"], files["model.safetensors"] = read(t, clip, "config.json"), read(t, clip, "model.safetensors")
	files["preprocessor_config.json"], files["README.md"] = []byte(preprocessor), []byte("A card.")
	server.Add(clipRepo, "", files)
	files = withTokenizer(t, tokenizer.GPT2, 400)
	files["config.json"], files["pytorch_model.bin"] = read(t, gpt, "config.json"), read(t, gpt, "pytorch_model.bin")
	server.Add(gptRepo, "mit", files)
	server.Add(clipCapRepo, "", map[string][]byte{"coco_weights.pt": read(t, golden.Dir(t, clipCap), "weights.pt")})
	resNet := golden.Dir(t, "clip_rn")
	server.Add("timm/resnet50x4_clip.openai", "mit", map[string][]byte{
		"open_clip_config.json":       []byte(`{"model_cfg": ` + string(read(t, resNet, "open_clip_config.json")) + `}`),
		"open_clip_model.safetensors": read(t, resNet, "openai.safetensors"), "config.json": []byte(`{"architecture": "resnet50x4_clip"}`),
	})
	server.Add("johko/capdec_015", "apache-2.0", map[string][]byte{"model.pt": read(t, golden.Dir(t, "clipcap_transformer"), "weights.pt"), "config.json": []byte("{}")})
}

func read(t *testing.T, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// withTokenizer returns the files of a tokenizer of just size tokens, so that each
// that a random network finds stands for some text.
func withTokenizer(t *testing.T, style tokenizer.Style, size int) map[string][]byte {
	t.Helper()
	var corpus []string
	for i := range 400 {
		corpus = append(corpus, "picture of "+strconv.FormatInt(int64(i*i*7919), 36)+" and "+strconv.FormatInt(int64(i*104729), 36)+".")
	}
	trained, err := tokenizer.Train(style, slices.Values(corpus), size)
	if err != nil {
		t.Fatal(err)
	}
	if trained.Size() != size {
		t.Fatalf("the tokenizer has %d tokens, want %d", trained.Size(), size)
	}
	dir := t.TempDir()
	if err := trained.Save(dir); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"vocab.json": read(t, dir, "vocab.json"), "merges.txt": read(t, dir, "merges.txt")}
}

// useHub points the variables at a hub, and at a cache that holds nothing.
func useHub(t *testing.T, server *hubtest.Server) (home string) {
	t.Helper()
	home = t.TempDir()
	for name, value := range map[string]string{"HF_ENDPOINT": server.URL, "HF_HOME": home, "HF_TOKEN": "hf_secret"} {
		t.Setenv(name, value)
	}
	for _, name := range []string{"HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_HUB_OFFLINE", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	return home
}

// TestGoldenPull pulls the reference networks from a hub by a known name and captions
// with that name, as with a model folder that was converted from the files by hand.
func TestGoldenPull(t *testing.T) {
	photo := filepath.Join(t.TempDir(), "sun.png")
	if err := writePhoto(photo); err != nil {
		t.Fatal(err)
	}
	for _, clipCap := range []string{"clipcap_mlp", "clipcap_transformer"} {
		server := hubtest.New(t)
		publishGolden(t, server, clipCap)
		home := useHub(t, server)
		// The most probable token of a random network is the same each time, and no word.
		ask := func(model string) (status int, out, messages string) {
			return cutline(t, "caption", "--model", model, "--format", "jsonl", "--top-k", "40", "--seed", "3", "--min-length", "6", photo)
		}
		status, _, messages := ask("clipcap-coco")
		if want := "cutline: error: model clipcap-coco is not here yet; cutline models pull clipcap-coco fetches it\n"; status != statusFailed || messages != want {
			t.Errorf("before: %d %q", status, messages)
		}
		status, out, messages := cutline(t, "models", "pull", "--yes", "clipcap-coco")
		if status != statusDone || !strings.HasPrefix(out, "clipcap-coco: captioner\n  CLIP ") {
			t.Fatalf("pull: %d %q %q", status, out, messages)
		}
		for _, said := range []string{clipRepo + ", licence: not stated", gptRepo + ", licence: mit", clipCapRepo, "to download"} {
			if !strings.Contains(messages, said) {
				t.Errorf("pull says %q, want %q in it", messages, said)
			}
		}
		for _, r := range server.Requests() {
			if strings.HasSuffix(r.Path, "README.md") || strings.HasSuffix(r.Path, "pytorch_model.bin") {
				t.Errorf("it downloaded %s, which it does not need", r.Path)
			}
			if r.Host == server.CDN && r.Authorization != "" {
				t.Error("the token went to the content network")
			}
		}
		status, pulled, messages := ask("clipcap-coco")
		if status != statusDone || len(caption(t, pulled)) < 5 {
			t.Fatalf("caption: %d %q %q", status, pulled, messages)
		}
		dir := filepath.Join(t.TempDir(), "by-hand")
		snapshot := func(repo string) string {
			found, err := filepath.Glob(filepath.Join(home, "hub", "models--"+strings.ReplaceAll(repo, "/", "--"), "snapshots", "*"))
			if err != nil || len(found) != 1 {
				t.Fatalf("%s: %v, %v", repo, found, err)
			}
			return found[0]
		}
		status, _, messages = cutline(t, "convert", "--clip", snapshot(clipRepo), "--gpt2", snapshot(gptRepo),
			"--clipcap", filepath.Join(snapshot(clipCapRepo), "coco_weights.pt"), "--out", dir)
		if status != statusDone {
			t.Fatalf("convert: %s", messages)
		}
		if _, want, _ := ask(dir); pulled != want {
			t.Errorf("the pulled model says %s, want %s", pulled, want)
		}
		t.Logf("%s: %s", clipCap, strings.TrimSpace(pulled))
	}
}

// TestGoldenPullCapDec pulls a captioner whose CLIP is a ResNet, in open_clip's files,
// and has no tokenizer of its own.
func TestGoldenPullCapDec(t *testing.T) {
	photo := filepath.Join(t.TempDir(), "sun.png")
	if err := writePhoto(photo); err != nil {
		t.Fatal(err)
	}
	server := hubtest.New(t)
	publishGolden(t, server, "clipcap_mlp")
	home := useHub(t, server)
	status, out, messages := cutline(t, "models", "pull", "--yes", "capdec")
	for _, want := range []string{"capdec: captioner\n  CLIP ", "RN50x4, embeddings 64 wide, quick_gelu", "transformer, from embeddings of length 1"} {
		if status != statusDone || !strings.Contains(out, want) {
			t.Errorf("pull: %d %q %q, want %q", status, out, messages, want)
		}
	}
	if config := read(t, home, "assets", "cutline", "models", "capdec", "config.json"); !strings.Contains(string(config), `"beams": 5`) {
		t.Errorf("it does not search as CapDec does: %s", config)
	}
	status, out, messages = cutline(t, "caption", "--model", "capdec", "--format", "jsonl", "--top-k", "40", "--seed", "3", "--min-length", "6", photo)
	if status != statusDone || len(caption(t, out)) < 5 {
		t.Errorf("caption: %d %q %q", status, out, messages)
	}
}

// caption returns the text of a line of --format jsonl.
func caption(t *testing.T, line string) string {
	t.Helper()
	var r struct{ Caption string }
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return r.Caption
}

// TestPullInterrupted stops a pull in the middle of a file: one message, no model; the
// next goes on there.
func TestPullInterrupted(t *testing.T) {
	server := hubtest.New(t)
	writeAndPublish(t, server)
	home := useHub(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	server.Fault(func(w http.ResponseWriter, r *http.Request) bool {
		if "http://"+r.Host != server.CDN {
			return false
		}
		w.Header().Set("Content-Length", "100000")
		_, _ = w.Write(make([]byte, 100))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
		return true
	})
	var out, messages strings.Builder
	status := run(ctx, []string{"models", "pull", "--yes", "clipcap-coco"}, &console{strings.NewReader(""), &out, &messages})
	if status != statusFailed || out.Len() > 0 || !strings.HasSuffix(messages.String(), "more\ncutline: error: interrupted\n") {
		t.Errorf("%d %q %q", status, out.String(), messages.String())
	}
	if made, err := filepath.Glob(filepath.Join(home, "assets", "cutline", "models", "*")); err != nil || len(made) > 0 {
		t.Errorf("it left %v, %v", made, err)
	}
}

// TestModelsOffline pulls from what the cache holds, and opens no connection: the hub
// counts them.
func TestModelsOffline(t *testing.T) {
	server := hubtest.New(t)
	writeAndPublish(t, server)
	home := useHub(t, server)
	t.Setenv("HF_HUB_OFFLINE", "1")
	status, _, messages := cutline(t, "models", "pull", "--yes", "clipcap-coco")
	if status != statusFailed || !strings.Contains(messages, clipRepo+": is not in the cache") || !strings.Contains(messages, "HF_HUB_OFFLINE is set") {
		t.Errorf("%d %q", status, messages)
	}
	if got := server.Requests(); len(got) > 0 {
		t.Errorf("requests: %v", got)
	}
	t.Setenv("HF_HUB_OFFLINE", "")
	if status, _, messages := cutline(t, "models", "pull", "--yes", "clipcap-coco"); status != statusDone {
		t.Fatal(messages)
	}
	if err := os.RemoveAll(filepath.Join(home, "assets")); err != nil {
		t.Fatal(err)
	}
	server.Requests()
	t.Setenv("HF_HUB_OFFLINE", "1")
	for _, want := range []string{"clipcap-coco: captioner\n", "clipcap-coco: here already"} {
		if status, out, messages := cutline(t, "models", "pull", "clipcap-coco"); status != statusDone || !strings.HasPrefix(out, want) {
			t.Errorf("%d %q %q, want %q", status, out, messages, want)
		}
	}
	if got := server.Requests(); len(got) > 0 {
		t.Errorf("requests: %v", got)
	}
}

func TestModelsAverage(t *testing.T) {
	a, b, out := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "out")
	writeRandomModel(t, a)
	writeRandomModel(t, b)
	if status, printed, messages := cutline(t, "models", "average", "--out", out, a, b); status != statusDone || printed != out+"\n" {
		t.Errorf("%d %q %q", status, printed, messages)
	}
	if got, want := read(t, out, "model.safetensors"), read(t, a, "model.safetensors"); !slices.Equal(got, want) {
		t.Error("the mean of a model and itself has other weights")
	}
	if status, _, messages := cutline(t, "models", "average", "--out", out, a); status != statusUsage || !strings.Contains(messages, "two or more") {
		t.Errorf("of one: %d %q", status, messages)
	}
}

// TestPullAgain pulls a model that changed on the hub, in part, and one whose folder
// is damaged.
func TestPullAgain(t *testing.T) {
	server := hubtest.New(t)
	writeAndPublish(t, server)
	home := useHub(t, server)
	pull := func(want string) (fetched []string) {
		t.Helper()
		server.Requests()
		if status, out, messages := cutline(t, "models", "pull", "--yes", "gpt2"); status != statusDone || !strings.HasPrefix(out, want) {
			t.Errorf("%d %q %q, want %q", status, out, messages, want)
		}
		for _, r := range server.Requests() {
			if strings.Contains(r.Path, "/resolve/") {
				fetched = append(fetched, filepath.Base(r.Path))
			}
		}
		return fetched
	}
	const made = "gpt2: language model\n"
	if got := pull(made); len(got) != 4 {
		t.Errorf("fetched %v, want four files", got)
	}
	files := server.Files(gptRepo)
	files["README.md"] = []byte("Another card.")
	server.Add(gptRepo, "mit", files)
	if got := pull("gpt2: here already"); len(got) > 0 {
		t.Errorf("another card: fetched %v", got)
	}
	files["config.json"] = append(files["config.json"], '\n')
	server.Add(gptRepo, "mit", files)
	if got := pull(made); !slices.Equal(got, []string{"config.json"}) {
		t.Errorf("another configuration: fetched %v", got)
	}
	if err := os.Remove(filepath.Join(home, "assets", "cutline", "models", "gpt2", "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := cutline(t, "models", "ls"); status != statusDone || !strings.HasPrefix(out, "gpt2   damaged") {
		t.Errorf("ls: %q", out)
	}
	if status, _, messages := cutline(t, "models", "show", "gpt2"); status != statusFailed || !strings.Contains(messages, "cutline models pull gpt2") {
		t.Errorf("show: %q", messages)
	}
	if got := pull(made); len(got) > 0 {
		t.Errorf("a damaged folder: fetched %v", got)
	}

	for _, name := range []string{"gpt2", clipRepo, "FacebookAI/roberta-base"} {
		m, err := published.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		files["config.json"], files["preprocessor_config.json"] = []byte("{}"), []byte("{}")
		server.Add(m.Parts[0].Repo, "mit", files)
		status, out, messages := cutline(t, "models", "pull", "--yes", name)
		wants := []string{name + " was downloaded but cannot be made into a model: ", "models--" + strings.ReplaceAll(m.Parts[0].Repo, "/", "--"), "config.json: "}
		for _, want := range wants {
			if status != statusFailed || out != "" || !strings.Contains(messages, want) {
				t.Errorf("no configuration: %d %q %q, want %q", status, out, messages, want)
			}
		}
	}
	if status, out, _ := cutline(t, "models", "ls"); status != statusDone || !strings.HasPrefix(out, "gpt2   language model") {
		t.Errorf("the model of before is gone: %q", out)
	}
}

// writeAndPublish puts a small random model on a hub, in the files that the real one
// is made of. Its tensors lie in safetensors under each name: the content decides.
func writeAndPublish(t *testing.T, server *hubtest.Server) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	writeRandomModel(t, dir)
	folder, err := modelfolder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	tensors := func(prefix string) []byte {
		var some []weights.Tensor
		for _, tensor := range folder.Tensors {
			name, ok := strings.CutPrefix(tensor.Name, prefix)
			if isCLIP := strings.HasPrefix(tensor.Name, "clip."); ok && isCLIP == (prefix == "clip.") {
				tensor.Name = name
				some = append(some, tensor)
			}
		}
		path := filepath.Join(t.TempDir(), "tensors")
		if err := weights.WriteSafetensors(path, some, nil); err != nil {
			t.Fatal(err)
		}
		return read(t, path)
	}
	encode := func(value any) []byte {
		data, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	c := folder.Config.CLIP
	tower := func(width, layers, heads int) map[string]any {
		return map[string]any{
			"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 4 * width,
			"hidden_act": c.Activation, "layer_norm_eps": 1e-5, "projection_dim": c.EmbedDim,
		}
	}
	text, vision := tower(c.Text.Width, c.Text.Layers, c.Text.Heads), tower(c.Vision.Width, c.Vision.Layers, c.Vision.Heads)
	text["max_position_embeddings"], text["vocab_size"], text["eos_token_id"] = c.Text.ContextLength, c.Text.VocabSize, 2
	vision["image_size"], vision["patch_size"] = c.Vision.ImageSize, c.Vision.PatchSize
	server.Add(clipRepo, "", map[string][]byte{
		"config.json":              encode(map[string]any{"model_type": "clip", "projection_dim": c.EmbedDim, "text_config": text, "vision_config": vision}),
		"preprocessor_config.json": []byte(strings.ReplaceAll(preprocessor, "64", "16")),
		"vocab.json":               read(t, dir, "clip_tokenizer", "vocab.json"), "merges.txt": read(t, dir, "clip_tokenizer", "merges.txt"),
		"pytorch_model.bin": tensors("clip."),
	})
	gpt := encode(folder.Config.Captioner.GPT)
	server.Add(gptRepo, "mit", map[string][]byte{
		"config.json":       []byte(strings.Replace(string(gpt), "{", `{"model_type": "gpt2", "activation_function": "gelu_new", `, 1)),
		"vocab.json":        read(t, dir, "gpt_tokenizer", "vocab.json"),
		"merges.txt":        read(t, dir, "gpt_tokenizer", "merges.txt"),
		"model.safetensors": tensors("gpt.transformer."),
	})
	server.Add(clipCapRepo, "", map[string][]byte{"coco_weights.pt": tensors("")})
}
