package imageproc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Limits bounds what a photo may cost. They are judged from the file's length and its
// header, before any pixel is allocated. Decoding takes up to 8 bytes a pixel for a common
// JPEG, 14 where channels have 16 bits, 30 for a progressive JPEG of four channels.
type Limits struct {
	MaxBytes  int64 // length of the file
	MaxPixels int64 // width × height
	MaxSide   int   // the larger of width and height, in pixels
}

// DefaultLimits returns 20 MB, 50 megapixels and 16384 pixels a side: room for every
// camera and telephone, none for a decompression bomb.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 20_000_000, MaxPixels: 50_000_000, MaxSide: 16384}
}

// ErrTooLarge is wrapped by the error for an image over one of its Limits.
var ErrTooLarge = errors.New("over the limit")

// read returns all of r, or an error after at most MaxBytes+1 bytes, and of a file that
// says how long it is before the first.
func (l Limits) read(r io.Reader) ([]byte, error) {
	var data bytes.Buffer
	if file, ok := r.(fs.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			if info.Size() > l.MaxBytes {
				return nil, l.tooLong()
			}
			data.Grow(int(info.Size()) + bytes.MinRead)
		}
	}
	enough := max(l.MaxBytes, l.MaxBytes+1) // math.MaxInt64 has no successor
	n, err := data.ReadFrom(io.LimitReader(r, enough))
	if err != nil {
		return nil, err
	}
	if n > l.MaxBytes {
		return nil, l.tooLong()
	}
	return data.Bytes(), nil
}

func (l Limits) tooLong() error {
	return fmt.Errorf("file is %w of %g MB", ErrTooLarge, float64(l.MaxBytes)/1e6)
}

// judgeSize says whether an image of width × height pixels may be decoded.
func (l Limits) judgeSize(width, height int) error {
	switch {
	case width <= 0 || height <= 0:
		return fmt.Errorf("image of %dx%d pixels is empty", width, height)
	case int64(width) > l.MaxPixels/int64(height):
		return fmt.Errorf("image is %dx%d pixels, %w of %g megapixels", width, height, ErrTooLarge, float64(l.MaxPixels)/1e6)
	case max(width, height) > l.MaxSide:
		return fmt.Errorf("image is %dx%d pixels, %w of %d a side", width, height, ErrTooLarge, l.MaxSide)
	}
	return nil
}
