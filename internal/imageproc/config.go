package imageproc

import (
	"fmt"
	"image"
	"math"
)

// Config is how a checkpoint wants its photos; it is part of a model's config.json.
type Config struct {
	Size int        `json:"size"` // side of the square that the encoder sees, in pixels
	Mean [3]float32 `json:"mean"` // of red, green and blue, on a scale of 0 to 1
	Std  [3]float32 `json:"std"`  // their standard deviations
}

// CLIP returns the preprocessing of OpenAI's CLIP and of the models trained like it, for
// an encoder of size × size pixels: 224 for ViT-B/32, 288 for RN50x4, 336 for
// ViT-L/14@336px.
func CLIP(size int) Config {
	return Config{
		Size: size,
		Mean: [3]float32{0.48145466, 0.4578275, 0.40821073},
		Std:  [3]float32{0.26862954, 0.26130258, 0.27577711},
	}
}

// Validate returns an error when c, read from a file, can make no tensor.
func (c Config) Validate() error {
	const maxSize = 4096
	if c.Size < 1 || c.Size > maxSize {
		return fmt.Errorf("image size %d is not in 1..%d", c.Size, maxSize)
	}
	for i, s := range c.Std {
		if !(s > 0) {
			return fmt.Errorf("standard deviation %g of channel %d is not positive", s, i)
		}
	}
	return nil
}

// Crop resizes p so that its short side is Size and returns the square in the middle, as
// torchvision's Resize and CenterCrop do with Pillow's bicubic filter.
func (c Config) Crop(p *RGB) *RGB {
	short := min(p.Width, p.Height)
	width, height := c.Size*p.Width/short, c.Size*p.Height/short
	x, y := centred(width, c.Size), centred(height, c.Size)
	return p.resample(width, height, image.Rect(x, y, x+c.Size, y+c.Size))
}

// centred returns where a length of size begins in the middle of n, a half rounded to
// the even pixel like Python's round.
func centred(n, size int) int {
	return int(math.RoundToEven(float64(n-size) / 2))
}

// Tensor returns p cropped and normalised: [3, Size, Size] float32 in C order, red,
// green and blue plane, each value (v/255 - mean) / std.
func (c Config) Tensor(p *RGB) []float32 {
	crop := c.Crop(p)
	plane := c.Size * c.Size
	out := make([]float32, 3*plane)
	for ch := range 3 {
		var normal [256]float32
		for v := range normal {
			normal[v] = (float32(v)/255 - c.Mean[ch]) / c.Std[ch]
		}
		for i := range plane {
			out[ch*plane+i] = normal[crop.Pix[3*i+ch]]
		}
	}
	return out
}
