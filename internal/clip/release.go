package clip

import "strings"

// Release returns which of OpenAI's models is named, in whatever spelling, by a name or
// path: "ViT-B/32" by oscar_split_ViT-B_32_train.pkl and by clip-vit-base-patch32; "" for
// none.
func Release(name string) string {
	name = strings.NewReplacer("/", "-", "_", "-").Replace(strings.ToLower(name))
	for _, release := range []struct{ name, spelling, huggingFace string }{ // longer ones first
		{"ViT-L/14@336px", "vit-l-14@336px", "vit-large-patch14-336"},
		{"ViT-L/14@336px", "vit-l-14-336", "vit-l-14-336"},
		{"ViT-L/14", "vit-l-14", "vit-large-patch14"},
		{"ViT-B/16", "vit-b-16", "vit-base-patch16"},
		{"ViT-B/32", "vit-b-32", "vit-base-patch32"},
		{"RN50x64", "rn50x64", "rn50x64"},
		{"RN50x16", "rn50x16", "rn50x16"},
		{"RN50x4", "rn50x4", "rn50x4"},
		{"RN101", "rn101", "rn101"},
		{"RN50", "rn50", "rn50"},
	} {
		if strings.Contains(name, release.spelling) || strings.Contains(name, release.huggingFace) {
			return release.name
		}
	}
	return ""
}
