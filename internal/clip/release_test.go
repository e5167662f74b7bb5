package clip_test

import (
	"testing"

	"github.com/cutline-go/cutline/internal/clip"
)

func TestRelease(t *testing.T) {
	for name, want := range map[string]string{
		"oscar_split_ViT-B_32_train.pkl": "ViT-B/32", "ViT-B/32": "ViT-B/32", "openai/clip-vit-base-patch32": "ViT-B/32",
		"RN50x4": "RN50x4", "RN50x16.pt": "RN50x16", "rn50": "RN50", "conceptual_clip_RN50x4_train.pkl": "RN50x4",
		"ViT-L/14@336px": "ViT-L/14@336px", "clip-vit-large-patch14-336": "ViT-L/14@336px", "ViT-L-14": "ViT-L/14",
		"clip-vit-base-patch16": "ViT-B/16", "captions.pkl": "", "": "",
	} {
		if got := clip.Release(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
