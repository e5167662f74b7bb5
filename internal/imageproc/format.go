package imageproc

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// ErrFormat is returned for a file that is none of the formats that Decode reads.
var ErrFormat = errors.New("not a JPEG, PNG, GIF, WebP, BMP or TIFF image")

// format is how one kind of file is read.
type format struct {
	name   string
	config func(io.Reader) (image.Config, error) // width and height, from the header alone
	decode func(data []byte) (*RGB, error)       // the pixels as stored
	exif   func(data []byte) []byte              // the TIFF structure with the orientation, or nil

	// pixelsPerByte is the most pixels that one byte of such a file can stand for.
	pixelsPerByte int64
	// judgeWork, where not nil, refuses a file whose decoding would take far longer
	// than its pixels warrant.
	judgeWork func(data []byte) error
}

// The most pixels a byte can stand for, by the densest code of each format.
const (
	jpegPixelsPerByte = 8 * 64       // one bit for a block of 8×8
	pngPixelsPerByte  = 8 * 1032     // bilevel rows, deflated
	gifPixelsPerByte  = 4096         // one LZW code of 12 bits for its longest string
	bmpPixelsPerByte  = 8            // bilevel, not compressed
	tiffPixelsPerByte = 8 * 16384    // CCITT group 4: one bit for a row like the last
	webpPixelsPerByte = 16384 * 1024 // VP8L: a picture of one colour takes no bits at all
)

// sniff tells the format by the file's first bytes; its name is never asked.
func sniff(data []byte) (format, error) {
	none := func([]byte) []byte { return nil }
	switch {
	case hasMagic(data, "\xff\xd8\xff"):
		return format{"JPEG", jpeg.DecodeConfig, still(jpeg.Decode), jpegEXIF, jpegPixelsPerByte, judgeScans}, nil
	case hasMagic(data, "\x89PNG\r\n\x1a\n"):
		return format{"PNG", png.DecodeConfig, still(png.Decode), pngEXIF, pngPixelsPerByte, nil}, nil
	case hasMagic(data, "GIF87a"), hasMagic(data, "GIF89a"):
		return format{"GIF", gif.DecodeConfig, decodeGIF, none, gifPixelsPerByte, nil}, nil
	case hasMagic(data, "RIFF????WEBP"):
		return format{"WebP", webp.DecodeConfig, decodeWebP, webpEXIF, webpPixelsPerByte, nil}, nil
	case hasMagic(data, "BM"):
		return format{"BMP", bmp.DecodeConfig, still(bmp.Decode), none, bmpPixelsPerByte, nil}, nil
	case hasMagic(data, "II*\x00"), hasMagic(data, "MM\x00*"):
		whole := func(data []byte) []byte { return data }
		return format{"TIFF", tiff.DecodeConfig, still(tiff.Decode), whole, tiffPixelsPerByte, nil}, nil
	}
	return format{}, ErrFormat
}

// hasMagic reports whether data begins with magic, in which '?' stands for any byte.
func hasMagic(data []byte, magic string) bool {
	if len(data) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != data[i] {
			return false
		}
	}
	return true
}

// still adapts a decoder whose image is the whole picture.
func still(decode func(io.Reader) (image.Image, error)) func([]byte) (*RGB, error) {
	return func(data []byte) (*RGB, error) {
		img, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return toRGB(img), nil
	}
}

// decodeGIF reads the first frame only and shows it where it belongs on the screen,
// which a frame need not fill.
func decodeGIF(data []byte) (*RGB, error) {
	screen, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return toRGB(frame).onWhite(screen.Width, screen.Height, frame.Bounds().Min), nil
}

// onWhite returns a white picture of width × height pixels with p at the point at.
func (p *RGB) onWhite(width, height int, at image.Point) *RGB {
	if p.Width == width && p.Height == height {
		return p
	}
	out := newRGB(width, height)
	for i := range out.Pix {
		out.Pix[i] = 255
	}
	for y := range p.Height {
		copy(out.row(at.Y + y)[3*at.X:], p.row(y))
	}
	return out
}
