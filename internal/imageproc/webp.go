package imageproc

import (
	"bytes"
	"image"

	"golang.org/x/image/webp"
)

// decodeWebP undoes package webp's one inaccuracy: lossy pictures come out of it as
// full-range YCbCr although VP8 is studio-range, which is 7/255 off on average.
func decodeWebP(data []byte) (*RGB, error) {
	img, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	p := newRGB(img.Bounds().Dx(), img.Bounds().Dy())
	switch m := img.(type) {
	case *image.YCbCr:
		p.fillYCbCr(m, studio)
	case *image.NYCbCrA:
		p.fillYCbCr(&m.YCbCr, studio)
		p.blend(m.A, m.AStride)
	default:
		return toRGB(img), nil
	}
	return p, nil
}

// blend lays p over white with one byte of opacity a pixel.
func (p *RGB) blend(alpha []uint8, stride int) {
	for y := range p.Height {
		row := p.row(y)
		for x, a := range alpha[y*stride:][:p.Width] {
			for c := 3 * x; c < 3*x+3; c++ {
				row[c] = overWhite(row[c], a)
			}
		}
	}
}
