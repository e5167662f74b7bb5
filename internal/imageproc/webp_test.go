package imageproc

import (
	"bytes"
	"encoding/binary"
	"image"
	"testing"
)

// lossyWebP returns a lossy WebP file, its VP8 chunk and its size.
func lossyWebP(t testing.TB) (file, chunk []byte, width, height int) {
	t.Helper()
	file = readFile(t, "testdata/lossy.webp")
	for name, data := range riffChunks(file) {
		if name == "VP8 " {
			width = int(binary.LittleEndian.Uint16(data[6:]))
			height = int(binary.LittleEndian.Uint16(data[8:]))
			return file, riffChunk(name, data), width, height
		}
	}
	t.Fatal("testdata/lossy.webp has no VP8 chunk")
	return
}

// TestDecodeWebPAlpha gives a lossy photo the alpha channel of an extended file: opaque
// it is the plain photo, range and all; transparent it is white; half is half way.
func TestDecodeWebPAlpha(t *testing.T) {
	plain, chunk, w, h := lossyWebP(t)
	want, err := decode(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []uint8{255, 128, 0} {
		alpha := bytes.Repeat([]byte{a}, 1+w*h)
		alpha[0] = 0 // not compressed, not filtered
		p, err := decode(webpFile(vp8x(1<<4, w, h), riffChunk("ALPH", alpha), chunk))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range want.Pix {
			if p.Pix[i] != overWhite(v, a) {
				t.Fatalf("opacity %d: byte %d is %d, want %d", a, i, p.Pix[i], overWhite(v, a))
			}
		}
	}
}

// TestDecodeWebPStudioRange: black and white of a lossy photo are 0 and 255 although VP8
// stores them as 16 and 235.
func TestDecodeWebPStudioRange(t *testing.T) {
	var got [6]uint8
	studio.convertRow(got[:], []uint8{16, 235}, []uint8{128, 128}, []uint8{128, 128})
	if want := [6]uint8{0, 0, 0, 255, 255, 255}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDecodeWebPFirstFrame(t *testing.T) {
	p, err := decode(webpFile(vp8x(2, 9, 8), riffChunk("ANIM", make([]byte, 6)),
		anmf(2, 4, 5, 3, vp8l(5, 3, 10, 20, 30, 255)),
		anmf(0, 0, 9, 8, vp8l(9, 8, 90, 90, 90, 255))))
	if err != nil {
		t.Fatal(err)
	}
	checkPatch(t, p, 9, 8, image.Rect(2, 4, 7, 7), [3]uint8{10, 20, 30})
}

// TestDecodeWebPLossyFrame: the first frame of an animation is the photo itself.
func TestDecodeWebPLossyFrame(t *testing.T) {
	plain, chunk, w, h := lossyWebP(t)
	want, err := decode(plain)
	if err != nil {
		t.Fatal(err)
	}
	opaque := bytes.Repeat([]byte{255}, 1+w*h)
	opaque[0] = 0
	for name, frame := range map[string][]byte{
		"plain":      anmf(0, 0, w, h, chunk),
		"with alpha": anmf(0, 0, w, h, riffChunk("ALPH", opaque), chunk),
	} {
		p, err := decode(webpFile(vp8x(2, w, h), frame))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(p.Pix, want.Pix) {
			t.Errorf("%s: the frame differs from the photo", name)
		}
	}
}
