package convert

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/cutline-go/cutline/internal/imageproc"
)

// length is a side in pixels, which Hugging Face's files have written as a number,
// as {"shortest_edge": n} and as {"height": n, "width": n}.
type length struct {
	pixels int
	exact  bool // both sides are said: resizing to them would squash
}

// UnmarshalJSON reads any of the three.
func (l *length) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &l.pixels) == nil {
		return nil
	}
	var sides struct {
		ShortestEdge int `json:"shortest_edge"`
		Height       int `json:"height"`
		Width        int `json:"width"`
	}
	if err := json.Unmarshal(data, &sides); err != nil {
		return err
	}
	if sides.Height != sides.Width {
		return fmt.Errorf("%d×%d pixels are not a square", sides.Width, sides.Height)
	}
	l.pixels, l.exact = sides.ShortestEdge, false
	if sides.Height != 0 {
		l.pixels, l.exact = sides.Height, true
	}
	return nil
}

// parsePreprocessor reads preprocessor_config.json. It refuses what imageproc does
// not do: the only pipeline is a bicubic resize of the short side, a crop of the
// same length, and normalisation.
func parsePreprocessor(data []byte) (imageproc.Config, error) {
	const bicubic = 3 // PIL.Image.BICUBIC
	p := struct {
		Size      *length     `json:"size"`
		Crop      *length     `json:"crop_size"`
		Resample  int         `json:"resample"`
		Rescale   float64     `json:"rescale_factor"`
		Mean      *[3]float32 `json:"image_mean"`
		Std       *[3]float32 `json:"image_std"`
		DoResize  bool        `json:"do_resize"`
		DoCrop    bool        `json:"do_center_crop"`
		DoRescale bool        `json:"do_rescale"`
		DoNorm    bool        `json:"do_normalize"`
	}{Resample: bicubic, Rescale: 1. / 255, DoResize: true, DoCrop: true, DoRescale: true, DoNorm: true}
	if err := json.Unmarshal(data, &p); err != nil {
		return imageproc.Config{}, err
	}
	switch {
	case p.Size == nil || p.Mean == nil || p.Std == nil:
		return imageproc.Config{}, fmt.Errorf("size, image_mean or image_std is missing")
	case !p.DoResize || !p.DoCrop || !p.DoRescale || !p.DoNorm:
		return imageproc.Config{}, fmt.Errorf("a step of resize, center_crop, rescale and normalize is off: not CLIP's preprocessing")
	case p.Size.exact:
		return imageproc.Config{}, fmt.Errorf("size squashes photos to %[1]d×%[1]d pixels: not CLIP's preprocessing", p.Size.pixels)
	case p.Crop != nil && p.Crop.pixels != p.Size.pixels:
		return imageproc.Config{}, fmt.Errorf("size %d and crop_size %d differ", p.Size.pixels, p.Crop.pixels)
	case p.Resample != bicubic:
		return imageproc.Config{}, fmt.Errorf("resample is %d, want %d, bicubic", p.Resample, bicubic)
	case math.Abs(p.Rescale-1./255) > 1e-6:
		return imageproc.Config{}, fmt.Errorf("rescale_factor is %g, want 1/255", p.Rescale)
	}
	c := imageproc.Config{Size: p.Size.pixels, Mean: *p.Mean, Std: *p.Std}
	return c, c.Validate()
}
