package batches

import (
	"math/rand/v2"

	"github.com/cutline-go/cutline/internal/imageproc"
)

// colour changes brightness, contrast and saturation of p in place, each by a factor
// within strength of 1, as torchvision's ColorJitter does.
func colour(p *imageproc.RGB, strength float64, rng *rand.Rand) {
	factor := func() float64 { return 1 + strength*(2*rng.Float64()-1) }
	brightness, contrast, saturation := factor(), factor(), factor()
	grey := brightness * meanLuminance(p)
	for i := 0; i < len(p.Pix); i += 3 {
		pixel := p.Pix[i : i+3]
		own := brightness * luminance(pixel)
		for c, v := range pixel {
			value := own + saturation*(brightness*float64(v)-own)
			value = grey + contrast*(value-grey)
			pixel[c] = uint8(min(max(value+0.5, 0), 255))
		}
	}
}

// luminance is ITU-R BT.601's, which Pillow turns colours to grey by.
func luminance(pixel []uint8) float64 {
	return 0.299*float64(pixel[0]) + 0.587*float64(pixel[1]) + 0.114*float64(pixel[2])
}

func meanLuminance(p *imageproc.RGB) float64 {
	sum := 0.0
	for i := 0; i < len(p.Pix); i += 3 {
		sum += luminance(p.Pix[i : i+3])
	}
	return sum / float64(p.Width*p.Height)
}
