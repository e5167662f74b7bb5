package imageproc

// The EXIF orientations that the code names; there are eight (EXIF 2.3, tag 0x0112).
const (
	upright  = 1
	mirrored = 2
)

// oriented returns p as a person should see it, given the EXIF orientation o in 1..8:
// where the stored rows and columns belong in the picture.
func (p *RGB) oriented(o int) *RGB {
	w, h := p.Width, p.Height
	switch o {
	case mirrored:
		return p.rearranged(w, h, 3*(w-1), -3, 3*w)
	case 3: // upside down
		return p.rearranged(w, h, 3*(w*h-1), -3, -3*w)
	case 4: // upside down, mirrored
		return p.rearranged(w, h, 3*w*(h-1), 3, -3*w)
	case 5: // rows are columns
		return p.rearranged(h, w, 0, 3*h, 3)
	case 6: // rows are columns from the right: to be turned clockwise
		return p.rearranged(h, w, 3*(h-1), 3*h, -3)
	case 7: // rows are columns from the right, upwards
		return p.rearranged(h, w, 3*(w*h-1), -3*h, -3)
	case 8: // rows are columns, upwards: to be turned counter-clockwise
		return p.rearranged(h, w, 3*h*(w-1), -3*h, 3)
	}
	return p
}

// rearranged returns a picture of width × height pixels in which p's first pixel lies at
// byte start, its right neighbour stepX further and the one below stepY further.
func (p *RGB) rearranged(width, height, start, stepX, stepY int) *RGB {
	// Whole columns of p may become rows, whose writes are far apart: bands of a few rows
	// keep the lines that they touch in the cache.
	const band = 16
	out := newRGB(width, height)
	for top := 0; top < p.Height; top += band {
		bottom := min(top+band, p.Height)
		for x := range p.Width {
			at := start + x*stepX + top*stepY
			for y := top; y < bottom; y++ {
				src := 3 * (y*p.Width + x)
				copy(out.Pix[at:at+3], p.Pix[src:src+3])
				at += stepY
			}
		}
	}
	return out
}
