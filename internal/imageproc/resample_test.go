package imageproc

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// noise returns a picture of random pixels.
func noise(width, height int) *RGB {
	r := rand.New(rand.NewPCG(uint64(width), uint64(height)))
	p := newRGB(width, height)
	for i := range p.Pix {
		p.Pix[i] = uint8(r.Uint32())
	}
	return p
}

func TestResizeKeepsConstant(t *testing.T) {
	for _, size := range [][4]int{{1, 1, 7, 5}, {64, 48, 3, 3}, {37, 91, 224, 224}, {1000, 3, 17, 300}} {
		for _, v := range []uint8{0, 1, 127, 254, 255} {
			p := newRGB(size[0], size[1])
			for i := range p.Pix {
				p.Pix[i] = v
			}
			for i, got := range p.Resize(size[2], size[3]).Pix {
				if got != v {
					t.Fatalf("%v: value %d became %d at byte %d", size, v, got, i)
				}
			}
		}
	}
}

func TestResizeToItselfChangesNothing(t *testing.T) {
	p := noise(31, 17)
	if !bytes.Equal(p.Resize(31, 17).Pix, p.Pix) {
		t.Error("a picture resized to its own size changed")
	}
}

// TestCropIsTheCentreOfResize holds the crop, which computes nothing outside itself, to
// the crop of the whole resized picture, at offsets that are whole, odd and halves.
func TestCropIsTheCentreOfResize(t *testing.T) {
	const size = 16
	for _, s := range [][2]int{{16, 16}, {33, 16}, {16, 35}, {50, 30}, {30, 47}, {7, 9}, {3, 500}, {2000, 2}} {
		p := noise(s[0], s[1])
		short := min(s[0], s[1])
		w, h := size*s[0]/short, size*s[1]/short
		x := int(math.RoundToEven(float64(w-size) / 2))
		y := int(math.RoundToEven(float64(h-size) / 2))
		want := p.Resize(w, h).Crop(image.Rect(x, y, x+size, y+size))
		if got := CLIP(size).Crop(p); !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%v: crop differs from the centre of the whole", s)
		}
	}
}

func TestCropBoundsWorkOnElongatedPictures(t *testing.T) {
	for _, s := range [][2]int{{16384, 1}, {1, 16384}, {16384, 3000}} {
		p := newRGB(s[0], s[1])
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			allocated := allocatedBy(func() { CLIP(224).Crop(p) })
			if limit := uint64(8 << 20); allocated > limit {
				t.Errorf("allocated %d bytes, want at most %d", allocated, limit)
			}
		})
	}
}

func TestTensor(t *testing.T) {
	c := CLIP(2)
	p := &RGB{Width: 2, Height: 2, Pix: []uint8{
		0, 51, 102, 153, 204, 255,
		255, 0, 51, 102, 153, 204,
	}}
	got := c.Tensor(p)
	want := [3][4]float64{{0, 153, 255, 102}, {51, 204, 0, 153}, {102, 255, 51, 204}}
	for ch, plane := range want {
		for i, v := range plane {
			exact := (v/255 - float64(c.Mean[ch])) / float64(c.Std[ch])
			if g := float64(got[4*ch+i]); math.Abs(g-exact) > 1e-6 {
				t.Errorf("channel %d, pixel %d is %g, want %g", ch, i, g, exact)
			}
		}
	}
	if len(got) != 12 {
		t.Errorf("tensor has %d values, want 12", len(got))
	}
}

func TestConfigValidate(t *testing.T) {
	if err := CLIP(224).Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []Config{CLIP(0), CLIP(-1), CLIP(1 << 20), {Size: 224}} {
		if c.Validate() == nil {
			t.Errorf("%+v is valid", c)
		}
	}
}
