package imageproc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"iter"
	"slices"

	"golang.org/x/image/webp"
)

// decodeWebP reads a still picture, or the first frame of an animation where it belongs
// on the canvas.
func decodeWebP(data []byte) (*RGB, error) {
	canvas, err := webp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	for name, chunk := range riffChunks(data) {
		if name != "ANMF" {
			continue
		}
		place, err := framePlace(chunk)
		if err != nil {
			return nil, err
		}
		// Only the canvas was judged, and the decoder allocates what the frame claims.
		if place.Max.X > canvas.Width || place.Max.Y > canvas.Height {
			return nil, errors.New("first frame reaches beyond the canvas")
		}
		p, err := decodeStillWebP(stillWebP(chunk))
		if err != nil {
			return nil, err
		}
		return p.onWhite(canvas.Width, canvas.Height, place.Min), nil
	}
	return decodeStillWebP(data)
}

// frameHeader is the length of an ANMF chunk's header: x/2, y/2, width-1, height-1 and
// duration of 24 bits each, and 8 flags.
const frameHeader = 16

// framePlace returns where on the canvas the frame of an ANMF chunk lies.
func framePlace(anmf []byte) (image.Rectangle, error) {
	if len(anmf) < frameHeader {
		return image.Rectangle{}, errors.New("animation frame is cut short")
	}
	x, y := 2*uint24(anmf), 2*uint24(anmf[3:])
	return image.Rect(x, y, x+uint24(anmf[6:])+1, y+uint24(anmf[9:])+1), nil
}

// stillWebP makes the frame of an ANMF chunk a file of its own, since package webp reads
// no animations.
func stillWebP(anmf []byte) []byte {
	size, chunks := anmf[6:12], anmf[frameHeader:]
	flags := byte(0)
	if bytes.HasPrefix(chunks, []byte("ALPH")) {
		flags = 1 << 4
	}
	body := slices.Concat([]byte("WEBPVP8X"), []byte{10, 0, 0, 0, flags, 0, 0, 0}, size, chunks)
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)))
	return append(file, body...)
}

func uint24(b []byte) int {
	return int(b[0]) | int(b[1])<<8 | int(b[2])<<16
}

// decodeStillWebP undoes package webp's one inaccuracy: lossy pictures come out of it as
// full-range YCbCr although VP8 is studio-range, which is 7/255 off on average.
func decodeStillWebP(data []byte) (*RGB, error) {
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

// riffChunks yields the chunks of a RIFF file by name, up to its end or first fault.
func riffChunks(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		const fileHeader = 12
		data := data[min(fileHeader, len(data)):]
		for len(data) >= 8 {
			name, size := string(data[:4]), int64(binary.LittleEndian.Uint32(data[4:]))
			data = data[8:]
			if size > int64(len(data)) || !yield(name, data[:size]) {
				return
			}
			data = data[min(size+size%2, int64(len(data))):]
		}
	}
}
