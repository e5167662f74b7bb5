// Package imageproc turns the bytes of a photo into the tensor that a CLIP image
// encoder reads: the header is judged, the pixels decoded, the EXIF orientation
// applied, colours brought to 8-bit RGB over white, the short side resized as
// Pillow does it, the centre cropped and the values normalised.
//
// Checkpoints were trained on what Pillow makes of a photo, so the resampling is
// Pillow's to the bit; a plain bicubic without antialiasing visibly moves the
// embedding.
package imageproc

import "image"

// RGB is an opaque 8-bit picture as a person should see it: Pix holds Height rows of
// Width pixels of 3 bytes (red, green, blue), top row first, without padding.
type RGB struct {
	Width, Height int
	Pix           []uint8
}

func newRGB(width, height int) *RGB {
	return &RGB{Width: width, Height: height, Pix: make([]uint8, 3*width*height)}
}

// row returns the bytes of row y.
func (p *RGB) row(y int) []uint8 {
	return p.Pix[3*p.Width*y:][:3*p.Width]
}

// Crop returns a copy of the rectangle r of p, which must lie inside p.
func (p *RGB) Crop(r image.Rectangle) *RGB {
	out := newRGB(r.Dx(), r.Dy())
	for y := range out.Height {
		copy(out.row(y), p.row(r.Min.Y + y)[3*r.Min.X:])
	}
	return out
}

// FlipHorizontal returns p mirrored left to right.
func (p *RGB) FlipHorizontal() *RGB {
	return p.oriented(mirrored)
}

// Resize returns p resampled to width × height pixels, both at least 1, with Pillow's
// antialiased bicubic filter; the aspect ratio is the caller's affair.
func (p *RGB) Resize(width, height int) *RGB {
	return p.resample(width, height, image.Rect(0, 0, width, height))
}
