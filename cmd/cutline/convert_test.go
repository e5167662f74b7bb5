package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
	"github.com/cutline-go/cutline/tokenizer"
)

// TestGoldenConvert converts reference checkpoints and opens what comes out.
// Their random networks find no words, so it embeds.
func TestGoldenConvert(t *testing.T) {
	dir := t.TempDir()
	clip, gpt := filepath.Join(golden.Dir(t, "clip_vit"), "hf"), golden.Dir(t, "gpt2")
	// The reference networks have no tokenizers of their own.
	writeTokenizer(t, tokenizer.CLIP, 530, filepath.Join(dir, "clip"))
	writeTokenizer(t, tokenizer.GPT2, 270, filepath.Join(dir, "gpt2"))
	config, err := os.ReadFile(filepath.Join(gpt, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gpt2", "config.json"), config, 0o666); err != nil {
		t.Fatal(err)
	}
	photo, out := filepath.Join(dir, "sun.jpg"), filepath.Join(dir, "model")
	if err := writePhoto(photo); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"clipcap_mlp", "clipcap_transformer"} {
		status, found, messages := cutline(t, "convert", "--clip", clip, "--clip-tokenizer", filepath.Join(dir, "clip"),
			"--gpt2", filepath.Join(dir, "gpt2"), "--clipcap", filepath.Join(golden.Dir(t, folder), "weights.pt"), "--out", out)
		if status != statusDone || messages != "" || !strings.HasPrefix(found, out+": captioner\n  CLIP ") {
			t.Fatalf("%s: status %d, %q, %q", folder, status, found, messages)
		}
		if status, _, messages := cutline(t, "embed", "--model", out, photo); status != statusDone {
			t.Errorf("%s: %s", folder, messages)
		}
	}
}

// TestConvertEmbeddings makes a folder of a pickle of embeddings.
func TestConvertEmbeddings(t *testing.T) {
	pickle, out := filepath.Join("..", "..", "internal", "convert", "testdata", "capdec.pkl"), filepath.Join(t.TempDir(), "capdec")
	status, found, messages := cutline(t, "convert", "--embeddings", pickle, "--out", out)
	want := out + ": CapDec's embeddings with captions\n  texts     3 embeddings, 4 wide, F32\n  captions  3\n"
	if status != statusDone || found != want || messages != "" {
		t.Errorf("status %d, %q, %q", status, found, messages)
	}
	status, found, messages = cutline(t, "convert", "--embeddings", pickle, "--out", out)
	if status != statusFailed || found != "" || !strings.Contains(messages, out+": exists") {
		t.Errorf("again: status %d, %q, %q", status, found, messages)
	}
	status, _, messages = cutline(t, "convert", "--embeddings", pickle, "--clip", "x", "--out", out)
	if status != statusUsage || !strings.Contains(messages, "--embeddings beside a checkpoint") {
		t.Errorf("with a CLIP: status %d, %q", status, messages)
	}
}

func writeTokenizer(t *testing.T, style tokenizer.Style, size int, dir string) {
	t.Helper()
	corpus := slices.Values([]string{"a dog runs on the grass.", "a cat sits on a mat."})
	trained, err := tokenizer.Train(style, corpus, size)
	if err != nil {
		t.Fatal(err)
	}
	if err := trained.Save(dir); err != nil {
		t.Fatal(err)
	}
}
