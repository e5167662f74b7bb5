package imageproc

import (
	"bytes"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"

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

	// pixelsPerByte is the most pixels that one byte of such a file can stand for, by the
	// densest of the format's codes.
	pixelsPerByte int64
	// judgeWork, where not nil, refuses a file whose decoding would take far longer
	// than its pixels warrant.
	judgeWork func(data []byte) error
}

// sniff tells the format by the file's first bytes; its name is never asked.
func sniff(data []byte) (format, error) {
	switch {
	case hasMagic(data, "\xff\xd8\xff"):
		return format{
			name: "JPEG", config: jpeg.DecodeConfig, decode: still(jpeg.Decode), exif: jpegEXIF,
			pixelsPerByte: 8 * 64, // one bit for a block of 8×8
			judgeWork:     judgeScans,
		}, nil
	case hasMagic(data, "\x89PNG\r\n\x1a\n"):
		return format{
			name: "PNG", config: png.DecodeConfig, decode: still(png.Decode), exif: pngEXIF,
			pixelsPerByte: 8 * 1032, // bilevel rows, deflated
		}, nil
	case hasMagic(data, "GIF87a"), hasMagic(data, "GIF89a"):
		return format{
			name: "GIF", config: gif.DecodeConfig, decode: decodeGIF, exif: noEXIF,
			pixelsPerByte: 4096, // one LZW code of 12 bits for its longest string
		}, nil
	case hasMagic(data, "RIFF????WEBP"):
		return format{
			name: "WebP", config: webp.DecodeConfig, decode: decodeWebP, exif: webpEXIF,
			pixelsPerByte: math.MaxInt32, // VP8L: a picture of one colour takes no bits
		}, nil
	case hasMagic(data, "BM"):
		return format{
			name: "BMP", config: bmp.DecodeConfig, decode: still(bmp.Decode), exif: noEXIF,
			pixelsPerByte: 8, // bilevel, not compressed
		}, nil
	case hasMagic(data, "II*\x00"), hasMagic(data, "MM\x00*"):
		return format{
			name: "TIFF", config: tiff.DecodeConfig, decode: still(tiff.Decode), exif: tiffEXIF,
			pixelsPerByte: 8 * 16384, // CCITT group 4: one bit for a row like the last
		}, nil
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
