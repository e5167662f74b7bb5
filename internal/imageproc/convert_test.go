package imageproc

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"testing"
)

// overWhiteAt is what FromImage promises for one pixel, by the colour interface alone.
func overWhiteAt(img image.Image, x, y int) [3]int {
	r, g, b, a := img.At(x, y).RGBA()
	white := 0xffff - a
	return [3]int{int(r+white) >> 8, int(g+white) >> 8, int(b+white) >> 8}
}

// everyImage returns one image of each type in package image, of random pixels, whose
// bounds begin away from the origin.
func everyImage() map[string]image.Image {
	r := rand.New(rand.NewPCG(1, 2))
	bounds := image.Rect(0, 0, 40, 30)
	palette := color.Palette{color.Black, color.NRGBA{200, 100, 50, 128}, color.Transparent, color.White}
	canvases := map[string]draw.Image{
		"RGBA": image.NewRGBA(bounds), "NRGBA": image.NewNRGBA(bounds),
		"RGBA64": image.NewRGBA64(bounds), "NRGBA64": image.NewNRGBA64(bounds),
		"Gray": image.NewGray(bounds), "Gray16": image.NewGray16(bounds),
		"Alpha": image.NewAlpha(bounds), "Alpha16": image.NewAlpha16(bounds),
		"CMYK": image.NewCMYK(bounds), "Paletted": image.NewPaletted(bounds, palette),
	}
	cut := func(m image.Image) image.Image {
		return m.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(image.Rect(3, 5, 28, 22))
	}
	all := map[string]image.Image{}
	for name, m := range canvases {
		for y := range bounds.Dy() {
			for x := range bounds.Dx() {
				v := r.Uint64()
				m.Set(x, y, color.NRGBA64{uint16(v), uint16(v >> 16), uint16(v >> 32), uint16(v >> 48)})
			}
		}
		all[name] = cut(m)
	}
	yuv := image.NewNYCbCrA(bounds, image.YCbCrSubsampleRatio444)
	for _, plane := range [][]uint8{yuv.Y, yuv.Cb, yuv.Cr, yuv.A} {
		for i := range plane {
			plane[i] = uint8(r.Uint32())
		}
	}
	all["NYCbCrA"] = cut(yuv)
	all["YCbCr"] = cut(&yuv.YCbCr)
	all["foreign"] = struct{ image.Image }{all["NRGBA64"]}
	return all
}

func TestFromImageEveryType(t *testing.T) {
	for name, img := range everyImage() {
		p, err := FromImage(img, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		b := img.Bounds()
		if p.Width != b.Dx() || p.Height != b.Dy() {
			t.Fatalf("%s is %dx%d, want %v", name, p.Width, p.Height, b.Size())
		}
		for y := range p.Height {
			for x := range p.Width {
				want := overWhiteAt(img, b.Min.X+x, b.Min.Y+y)
				for ch, w := range want {
					if got := int(p.row(y)[3*x+ch]); got < w-1 || got > w+1 {
						t.Fatalf("%s at %d,%d channel %d is %d, want %d", name, x, y, ch, got, w)
					}
				}
			}
		}
	}
}

func TestFromImageRefuses(t *testing.T) {
	for name, img := range map[string]image.Image{
		"empty":   image.NewRGBA(image.Rectangle{}),
		"uniform": image.White,
	} {
		if _, err := FromImage(img, DefaultLimits()); err == nil {
			t.Errorf("%s image is no error", name)
		}
	}
}

var subsampled = []image.YCbCrSubsampleRatio{
	image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440,
	image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
}

// TestChromaOfSubImage cuts a picture at every phase of the chroma grid: away from the
// cut, the colours must be those of the whole picture.
func TestChromaOfSubImage(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, ratio := range subsampled {
		whole := image.NewYCbCr(image.Rect(0, 0, 41, 39), ratio)
		for _, plane := range [][]uint8{whole.Y, whole.Cb, whole.Cr} {
			for i := range plane {
				plane[i] = uint8(r.Uint32())
			}
		}
		p := toRGB(whole)
		for offset := range 5 {
			cut := image.Rect(offset, offset, 30+offset, 28+offset)
			inner := image.Rect(4, 4, 20, 20)
			got := toRGB(whole.SubImage(cut)).Crop(inner)
			if want := p.Crop(inner.Add(cut.Min)); !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("ratio %v cut at %d differs from the whole", ratio, offset)
			}
		}
	}
}

// TestChromaIsInterpolated holds the triangle filter to its definition on one row.
func TestChromaIsInterpolated(t *testing.T) {
	m := image.NewYCbCr(image.Rect(0, 0, 6, 2), image.YCbCrSubsampleRatio420)
	copy(m.Cb, []uint8{0, 160, 80})
	u := newUpsampler(m)
	got := u.fill(u.newRow(), m.Cb, 0)
	want := []uint8{0, 40, 120, 140, 100, 80}
	if !bytes.Equal(got, want) {
		t.Errorf("chroma is %v, want %v", got, want)
	}
}
