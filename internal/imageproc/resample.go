package imageproc

import (
	"image"
	"math"
)

// precision is the number of fractional bits of Pillow's coefficients for 8-bit
// channels: 32, less 8 for the value and 2 for overshoot and sign.
const precision = 32 - 8 - 2

// taps are the weights of one output pixel: weight[i] belongs to the input pixel
// first+i, and they sum to 1<<precision up to rounding.
type taps struct {
	first  int
	weight []int32
}

// resample returns the part window of p resized to width × height. Pixels outside the
// window are never computed, which alters no bit of those inside and makes even the
// centre of a picture a thousand times longer than it is high cheap.
//
// It follows Pillow's ImagingResample: rows first, rounded to 8 bits, then columns. A
// direction whose size does not change, which Pillow skips, has weights 0, 1, 0.
func (p *RGB) resample(width, height int, window image.Rectangle) *RGB {
	columns := bicubicTaps(p.Width, width, window.Min.X, window.Max.X)
	rows := bicubicTaps(p.Height, height, window.Min.Y, window.Max.Y)

	last := rows[len(rows)-1]
	top, bottom := rows[0].first, last.first+len(last.weight)
	strip := newRGB(window.Dx(), bottom-top)
	for y := range strip.Height {
		blendPixels(strip.row(y), p.row(top+y), columns)
	}
	out := newRGB(window.Dx(), window.Dy())
	sums := make([]int32, 3*out.Width)
	for y, t := range rows {
		strip.blendRows(out.row(y), sums, t.first-top, t.weight)
	}
	return out
}

// blendPixels sets each pixel of dst to its weighted sum over the row src.
func blendPixels(dst, src []uint8, columns []taps) {
	for x, t := range columns {
		const half = 1 << (precision - 1)
		r, g, b := int32(half), int32(half), int32(half)
		in, weight := src[3*t.first:][:3*len(t.weight)], t.weight
		// Four pixels a turn: this loop is most of the time that a large photo takes here.
		for len(in) >= 12 && len(weight) >= 4 {
			w0, w1, w2, w3 := weight[0], weight[1], weight[2], weight[3]
			r += w0*int32(in[0]) + w1*int32(in[3]) + w2*int32(in[6]) + w3*int32(in[9])
			g += w0*int32(in[1]) + w1*int32(in[4]) + w2*int32(in[7]) + w3*int32(in[10])
			b += w0*int32(in[2]) + w1*int32(in[5]) + w2*int32(in[8]) + w3*int32(in[11])
			in, weight = in[12:], weight[4:]
		}
		for i, w := range weight {
			r += w * int32(in[3*i])
			g += w * int32(in[3*i+1])
			b += w * int32(in[3*i+2])
		}
		dst[3*x] = clip8(r >> precision)
		dst[3*x+1] = clip8(g >> precision)
		dst[3*x+2] = clip8(b >> precision)
	}
}

// blendRows sets dst to the weighted sum of the rows of p from first on; sums is room to
// work in, as long as dst.
func (p *RGB) blendRows(dst []uint8, sums []int32, first int, weight []int32) {
	for i := range sums {
		sums[i] = 1 << (precision - 1)
	}
	for i, w := range weight {
		for j, v := range p.row(first + i) {
			sums[j] += w * int32(v)
		}
	}
	for i, v := range sums {
		dst[i] = clip8(v >> precision)
	}
}

// bicubicTaps returns the weights of output pixels from..to of a row of in pixels
// resized to out. When shrinking, the filter widens with the factor, which is the
// antialiasing (Pillow's precompute_coeffs).
func bicubicTaps(in, out, from, to int) []taps {
	const support = 2.0
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	all := make([]taps, 0, to-from)
	for x := from; x < to; x++ {
		center := (float64(x) + 0.5) * scale
		first := max(int(center-support*widen+0.5), 0)
		end := min(int(center+support*widen+0.5), in)
		weights := make([]float64, end-first)
		sum := 0.0
		for i := range weights {
			weights[i] = bicubic((float64(first+i) - center + 0.5) * (1 / widen))
			sum += weights[i]
		}
		t := taps{first: first, weight: make([]int32, len(weights))}
		for i, w := range weights {
			t.weight[i] = int32(math.Round(w / sum * (1 << precision)))
		}
		all = append(all, t)
	}
	return all
}

// bicubic is the cubic convolution kernel with a = -0.5 (Keys 1981).
func bicubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}
