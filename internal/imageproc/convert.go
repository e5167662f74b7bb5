package imageproc

import (
	"image"
	"image/color"
)

// FromImage returns img as RGB, transparency blended over white and 16-bit channels cut
// to their high byte, as Decode does with a file. Limits.MaxBytes has no say. Errors: an
// image without pixels, or over the limits (an image.Uniform is 2e9 pixels wide).
func FromImage(img image.Image, l Limits) (*RGB, error) {
	b := img.Bounds()
	if err := l.judgeSize(b.Dx(), b.Dy()); err != nil {
		return nil, err
	}
	return toRGB(img), nil
}

// toRGB converts the types that decoders return directly; the others, rare, go through
// the colour interface.
func toRGB(img image.Image) *RGB {
	out := newRGB(img.Bounds().Dx(), img.Bounds().Dy())
	switch m := img.(type) {
	case *image.YCbCr:
		out.fillYCbCr(m, jfif)
	case *image.Gray:
		out.fillGray(m)
	case *image.RGBA:
		out.fillRGBA(m)
	case *image.NRGBA:
		out.fillNRGBA(m)
	case *image.Paletted:
		out.fillPaletted(m)
	case image.RGBA64Image:
		out.fill(m.Bounds(), func(x, y int) color.RGBA64 { return m.RGBA64At(x, y) })
	default:
		out.fill(m.Bounds(), func(x, y int) color.RGBA64 {
			r, g, b, a := m.At(x, y).RGBA()
			return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
		})
	}
	return out
}

// fill sets every pixel of p from the premultiplied colour at its place in bounds.
func (p *RGB) fill(bounds image.Rectangle, at func(x, y int) color.RGBA64) {
	for y := range p.Height {
		dst := p.row(y)
		for x := range p.Width {
			c := at(bounds.Min.X+x, bounds.Min.Y+y)
			white := 0xffff - uint32(c.A)
			dst[3*x] = uint8((uint32(c.R) + white) >> 8)
			dst[3*x+1] = uint8((uint32(c.G) + white) >> 8)
			dst[3*x+2] = uint8((uint32(c.B) + white) >> 8)
		}
	}
}

func (p *RGB) fillGray(m *image.Gray) {
	for y := range p.Height {
		dst := p.row(y)
		for x, v := range m.Pix[y*m.Stride:][:p.Width] {
			dst[3*x], dst[3*x+1], dst[3*x+2] = v, v, v
		}
	}
}

func (p *RGB) fillRGBA(m *image.RGBA) {
	for y := range p.Height {
		dst, src := p.row(y), m.Pix[y*m.Stride:][:4*p.Width]
		for ; len(dst) >= 3 && len(src) >= 4; dst, src = dst[3:], src[4:] {
			white := 255 - src[3]
			dst[0], dst[1], dst[2] = src[0]+white, src[1]+white, src[2]+white
		}
	}
}

func (p *RGB) fillNRGBA(m *image.NRGBA) {
	for y := range p.Height {
		dst, src := p.row(y), m.Pix[y*m.Stride:][:4*p.Width]
		for ; len(dst) >= 3 && len(src) >= 4; dst, src = dst[3:], src[4:] {
			a := src[3]
			dst[0], dst[1], dst[2] = overWhite(src[0], a), overWhite(src[1], a), overWhite(src[2], a)
		}
	}
}

// overWhite blends the channel value v of opacity a over white, rounded to nearest.
func overWhite(v, a uint8) uint8 {
	return uint8((uint32(v)*uint32(a) + 255*(255-uint32(a)) + 127) / 255)
}

func (p *RGB) fillPaletted(m *image.Paletted) {
	// Decoders let an index through that has no colour; Pillow shows it as black.
	var palette [256][3]uint8
	for i, c := range m.Palette[:min(len(m.Palette), len(palette))] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		palette[i] = [3]uint8{overWhite(n.R, n.A), overWhite(n.G, n.A), overWhite(n.B, n.A)}
	}
	for y := range p.Height {
		dst := p.row(y)
		for x, v := range m.Pix[y*m.Stride:][:p.Width] {
			dst[3*x], dst[3*x+1], dst[3*x+2] = palette[v][0], palette[v][1], palette[v][2]
		}
	}
}
