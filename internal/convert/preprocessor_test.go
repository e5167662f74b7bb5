package convert

import (
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/imageproc"
)

const statistics = `"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]`

func TestPreprocessor(t *testing.T) {
	for _, text := range []string{
		`{"size": 224, "crop_size": 224, "resample": 3, ` + statistics + `}`,
		`{"size": {"shortest_edge": 224}, "crop_size": {"height": 224, "width": 224}, "rescale_factor": 0.00392156862745098, ` + statistics + `}`,
		`{"size": {"shortest_edge": 224}, "do_convert_rgb": true, "feature_extractor_type": "CLIPFeatureExtractor", ` + statistics + `}`,
	} {
		got, err := parsePreprocessor([]byte(text))
		if err != nil || got != imageproc.CLIP(224) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		`{"size": 256, "crop_size": 224, ` + statistics + `}`:            "size 256 and crop_size 224 differ",
		`{"size": {"height": 224, "width": 224}, ` + statistics + `}`:    "squashes",
		`{"size": {"height": 224, "width": 320}, ` + statistics + `}`:    "not a square",
		`{"size": 224, "resample": 2, ` + statistics + `}`:               "resample is 2",
		`{"size": 224, "do_center_crop": false, ` + statistics + `}`:     "is off",
		`{"size": 224, "rescale_factor": 1, ` + statistics + `}`:         "rescale_factor is 1",
		`{"size": "224", ` + statistics + `}`:                            "cannot unmarshal",
		`{"size": 0, ` + statistics + `}`:                                "image size 0",
		`{"size": 224}`:                                                  "missing",
		`{"size": 224, "image_mean": [0, 0, 0], "image_std": [0, 1, 1]}`: "standard deviation 0",
		`[]`: "cannot unmarshal",
	} {
		if _, err := parsePreprocessor([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
