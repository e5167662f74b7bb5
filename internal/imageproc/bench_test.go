package imageproc

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// camera returns a picture of 12 megapixels with the coarse and fine structure of a photo.
func camera() *RGB {
	p := newRGB(4000, 3000)
	noise := uint32(1)
	for y := range p.Height {
		for x := range p.Width {
			noise = noise*1664525 + 1013904223
			i := 3 * (y*p.Width + x)
			p.Pix[i] = uint8(x/16) + uint8(noise>>29)
			p.Pix[i+1] = uint8(y/12) + uint8(noise>>28)
			p.Pix[i+2] = uint8((x*y)>>16) + uint8(noise>>30)
		}
	}
	return p
}

// encodeJPEG returns p as a JPEG file of 4:2:0 chroma, what cameras write.
func encodeJPEG(t testing.TB, p *RGB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i := range p.Width * p.Height {
		copy(img.Pix[4*i:], p.Pix[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func BenchmarkCrop12MP(b *testing.B) {
	p := camera()
	for b.Loop() {
		CLIP(224).Crop(p)
	}
}

func BenchmarkOrient12MP(b *testing.B) {
	p := camera()
	for b.Loop() {
		p.oriented(6)
	}
}

func BenchmarkConvert12MP(b *testing.B) {
	img, err := jpeg.Decode(bytes.NewReader(encodeJPEG(b, camera())))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		toRGB(img)
	}
}

func BenchmarkDecode12MP(b *testing.B) {
	file := encodeJPEG(b, camera())
	for b.Loop() {
		if _, err := Decode(bytes.NewReader(file), DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeCrop12MP(b *testing.B) {
	file := encodeJPEG(b, camera())
	for b.Loop() {
		p, err := Decode(bytes.NewReader(file), DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		CLIP(224).Crop(p)
	}
}
