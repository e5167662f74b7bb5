package imageproc

import (
	"bytes"
	"fmt"
	"io"
)

// Decode reads one photo: JPEG, PNG, GIF or WebP (of an animation the first frame), BMP
// or TIFF (its first page), told apart by content. It applies the EXIF orientation and
// blends transparency over white.
//
// A photo over a limit (ErrTooLarge), of an unknown format (ErrFormat), cut short or
// damaged is an error of one line that leaves the file's name to the caller. Damaged
// EXIF never is one: the photo then counts as upright.
func Decode(r io.Reader, l Limits) (*RGB, error) {
	data, err := l.read(r)
	if err != nil {
		return nil, err
	}
	if len(data) == 0 { // an upload or a download that failed: say so
		return nil, fmt.Errorf("the file is empty: %w", ErrFormat)
	}
	f, err := sniff(data)
	if err != nil {
		return nil, err
	}
	return f.picture(data, l)
}

// picture judges, decodes and turns upright. The parsers are other people's code over
// foreign bytes; a panic in one, were there still a way to cause it, must cost this photo
// and not the batch or the server, so this is the one place that recovers.
func (f format) picture(data []byte, l Limits) (p *RGB, err error) {
	defer func() {
		if v := recover(); v != nil {
			p, err = nil, fmt.Errorf("decode %s: decoder failed: %v", f.name, v)
		}
	}()
	if err := f.judgeHeader(data, l); err != nil {
		return nil, err
	}
	p, err = f.decode(data)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", f.name, err)
	}
	return p.oriented(orientation(f.exif(data))), nil
}

// judgeHeader holds the size that the header claims against the limits and against what
// a file of this length can possibly hold, so that a few hostile bytes cannot make the
// decoder allocate a picture that never comes.
func (f format) judgeHeader(data []byte, l Limits) error {
	c, err := f.config(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read %s header: %w", f.name, err)
	}
	if err := l.judgeSize(c.Width, c.Height); err != nil {
		return err
	}
	if int64(c.Width)*int64(c.Height) > f.pixelsPerByte*int64(len(data)) {
		return fmt.Errorf("%s file of %d bytes is too short for %dx%d pixels", f.name, len(data), c.Width, c.Height)
	}
	if f.judgeWork == nil {
		return nil
	}
	return f.judgeWork(data)
}
