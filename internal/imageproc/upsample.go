package imageproc

import "image"

// upsampler brings subsampled chroma to the resolution of the luma with the triangle
// filter that libjpeg and libwebp call fancy upsampling: a sample lies between its
// pixels, so each pixel takes 3/4 of the nearest sample and 1/4 of the next one, in both
// directions. A ratio of 4 (rare) is repeated, as libjpeg does.
type upsampler struct {
	left, top   int // the picture's first pixel in its chroma block: 0 unless cut from a larger image
	across      int // pixels that share a sample, in a row
	down        int // and in a column
	cols, rows  int // chroma samples
	stride      int
	columnTotal []int32 // 4 × the vertically interpolated samples
}

func newUpsampler(m *image.YCbCr) *upsampler {
	u := &upsampler{across: 2, down: 1, stride: m.CStride}
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio420:
		u.down = 2
	case image.YCbCrSubsampleRatio440:
		u.across, u.down = 1, 2
	case image.YCbCrSubsampleRatio411:
		u.across = 4
	case image.YCbCrSubsampleRatio410:
		u.across, u.down = 4, 2
	}
	u.left, u.cols = phase(m.Rect.Min.X, m.Rect.Max.X, u.across)
	u.top, u.rows = phase(m.Rect.Min.Y, m.Rect.Max.Y, u.down)
	u.columnTotal = make([]int32, u.cols)
	return u
}

// phase returns where the pixels lo..hi begin in their first chroma sample, when every
// sample covers n pixels, and over how many samples they reach.
func phase(lo, hi, n int) (offset, samples int) {
	// image.YCbCr divides with truncation, so this holds for negative coordinates as far
	// as image.YCbCr itself does.
	return lo - lo/n*n, (hi+n-1)/n - lo/n
}

// newRow returns room for one row of chroma.
func (u *upsampler) newRow() []uint8 {
	return make([]uint8, u.cols*u.across)
}

// fill writes the chroma of picture row y into dst, one value a pixel, and returns the
// part that begins at the picture's first pixel.
func (u *upsampler) fill(dst, plane []uint8, y int) []uint8 {
	u.interpolateColumns(plane, y+u.top)
	if u.across == 2 {
		u.interpolateRow(dst)
	} else {
		for i := range dst {
			dst[i] = uint8((u.columnTotal[i/u.across] + 2) >> 2)
		}
	}
	return dst[u.left:]
}

// interpolateColumns sets columnTotal for row y, counted from the first chroma row's top.
func (u *upsampler) interpolateColumns(plane []uint8, y int) {
	near := y / u.down
	far := near
	if u.down == 2 {
		far = min(max(near+2*(y%2)-1, 0), u.rows-1)
	}
	a, b := plane[near*u.stride:][:u.cols], plane[far*u.stride:][:u.cols]
	total := u.columnTotal[:u.cols]
	for i := range total {
		total[i] = 3*int32(a[i]) + int32(b[i])
	}
}

// interpolateRow doubles columnTotal into dst. The two roundings alternate, as in
// libjpeg, so that halves do not drift one way.
func (u *upsampler) interpolateRow(dst []uint8) {
	t := u.columnTotal
	previous := t[0]
	for i, v := range t {
		next := v
		if i+1 < len(t) {
			next = t[i+1]
		}
		d := dst[2*i : 2*i+2 : 2*i+2]
		d[0] = uint8((3*v + previous + 8) >> 4)
		d[1] = uint8((3*v + next + 7) >> 4)
		previous = v
	}
}
