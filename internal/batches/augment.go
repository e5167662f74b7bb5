package batches

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"github.com/cutline-go/cutline/internal/imageproc"
)

// Augment is how photos are varied while training.
type Augment struct {
	MinArea   float64 `json:"min_area"`   // smallest share of the photo that a crop keeps, up to 1: no crops
	MaxAspect float64 `json:"max_aspect"` // largest stretch of either side against the other, 1 to 1/min_area
	Flip      bool    `json:"flip"`       // mirror half of the photos
	Colour    float64 `json:"colour"`     // largest change of brightness, contrast and saturation, 0 to 1, of 1
}

// Validate reports the first field out of its range.
func (a Augment) Validate() error {
	if !(a.MinArea > 0 && a.MinArea <= 1) {
		return fmt.Errorf("augment: min_area is %g, want more than 0 and at most 1", a.MinArea)
	}
	// A crop that is too wide for the photo is cut to its width, and so keeps no less
	// than 1/max_aspect of it.
	if !(a.MaxAspect >= 1 && a.MaxAspect*a.MinArea <= 1) {
		return fmt.Errorf("augment: max_aspect is %g, want 1 to 1/min_area, %g", a.MaxAspect, 1/a.MinArea)
	}
	if !(a.Colour >= 0 && a.Colour <= 1) {
		return fmt.Errorf("augment: colour is %g, want 0 to 1", a.Colour)
	}
	return nil
}

// Apply varies photo p into size × size pixels: a crop, its sides to scale or not,
// perhaps its mirror image, and its colours. a must be valid.
func (a Augment) Apply(p *imageproc.RGB, size int, rng *rand.Rand) *imageproc.RGB {
	area := a.MinArea + (1-a.MinArea)*rng.Float64()
	aspect := math.Exp((2*rng.Float64() - 1) * math.Log(a.MaxAspect)) // of width to height
	width := min(p.Width, int(math.Round(float64(p.Width)*math.Sqrt(area*aspect))))
	height := min(p.Height, int(math.Round(float64(p.Height)*math.Sqrt(area/aspect))))
	width, height = max(1, width), max(1, height)
	left, top := rng.IntN(p.Width-width+1), rng.IntN(p.Height-height+1)
	p = p.Crop(image.Rect(left, top, left+width, top+height)).Resize(size, size)
	if a.Flip && rng.IntN(2) == 1 {
		p = p.FlipHorizontal()
	}
	if a.Colour > 0 {
		colour(p, a.Colour, rng)
	}
	return p
}
