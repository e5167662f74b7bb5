package imageproc

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"image"
	"image/gif"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var damagedCount = flag.Int("damaged", 400, "damaged images to read")

// TestDamagedImages reads photos of four formats with flipped bits, cut short, spliced
// with others, or with a header that lies, the same ones each time. Each is a picture
// within the limits or an error of one line, never a panic, and takes less than 1 GB.
// `make damaged` reads 10,000 and tells what they took.
func TestDamagedImages(t *testing.T) {
	sources := damageSources(t)
	decoded, refused := 0, 0
	var slowest time.Duration
	var largest uint64
	var slow, large string
	for i := range *damagedCount {
		name, data := damage(sources, uint64(i))
		var err error
		start := time.Now()
		allocated := allocatedBy(func() { err = seen(data) })
		took := time.Since(start)
		switch {
		case err == nil:
			decoded++
		case strings.Contains(err.Error(), "decoder failed"):
			t.Errorf("image %d, %s: a panic: %v", i, name, err)
		case strings.Contains(err.Error(), "\n"):
			t.Errorf("image %d, %s: an error of several lines: %q", i, name, err)
		default:
			refused++
		}
		if allocated > 1<<30 {
			t.Errorf("image %d, %s: %d bytes allocate %d", i, name, len(data), allocated)
		}
		if took > slowest {
			slowest, slow = took, fmt.Sprintf("image %d, %s", i, name)
		}
		if allocated > largest {
			largest, large = allocated, fmt.Sprintf("image %d, %s", i, name)
		}
	}
	if decoded+refused != *damagedCount {
		t.Errorf("%d decoded and %d refused, of %d", decoded, refused, *damagedCount)
	}
	t.Logf("%d damaged images: %d decoded, %d refused; the slowest took %v (%s), the largest %d MB (%s)",
		*damagedCount, decoded, refused, slowest, slow, largest/1e6, large)
}

// seen makes of a file what a CLIP sees.
func seen(data []byte) error {
	p, err := decode(data)
	if err == nil {
		CLIP(224).Tensor(p)
	}
	return err
}

// source is a sound file and where its header says how large it is.
type source struct {
	name   string
	data   []byte
	fields []int // offsets of 16-bit numbers
	order  binary.AppendByteOrder
}

func damageSources(t *testing.T) []source {
	picture := camera().Crop(image.Rect(100, 100, 420, 340))
	img := image.NewNRGBA(image.Rect(0, 0, picture.Width, picture.Height))
	for i := range picture.Width * picture.Height {
		copy(img.Pix[4*i:], picture.Pix[3*i:3*i+3])
		img.Pix[4*i+3] = uint8(255 - i%7)
	}
	encoded := func(encode func(*bytes.Buffer) error) []byte {
		var file bytes.Buffer
		if err := encode(&file); err != nil {
			t.Fatal(err)
		}
		return file.Bytes()
	}
	deep := image.NewNRGBA64(image.Rect(0, 0, 97, 61))
	for i := range deep.Pix {
		deep.Pix[i] = uint8(i * i / 7)
	}
	return []source{
		jpegSource("JPEG", encodeJPEG(t, picture)),
		jpegSource("progressive JPEG", readFile(t, "testdata/progressive.jpg")),
		{"PNG", encoded(func(b *bytes.Buffer) error { return png.Encode(b, img) }), []int{18, 22}, binary.BigEndian},
		{"PNG of 16 bits", encoded(func(b *bytes.Buffer) error { return png.Encode(b, deep) }), []int{16, 18, 20, 22, 24}, binary.BigEndian},
		gifSource(encoded(func(b *bytes.Buffer) error { return gif.Encode(b, img, nil) })),
		{"lossy WebP", readFile(t, "testdata/lossy.webp"), []int{16, 26, 28}, binary.LittleEndian},
		{"lossless WebP", readFile(t, "testdata/lossless.webp"), []int{16, 21, 23}, binary.LittleEndian},
	}
}

// jpegSource finds the frame header: its height, its width, and how its components are
// sampled.
func jpegSource(name string, data []byte) source {
	frame := max(bytes.Index(data, []byte{0xff, 0xc0, 0, 17}), bytes.Index(data, []byte{0xff, 0xc2, 0, 17}))
	return source{name, data, []int{frame + 5, frame + 7, frame + 10}, binary.BigEndian}
}

// gifSource finds the screen and the first frame.
func gifSource(data []byte) source {
	frame := bytes.IndexByte(data, ',')
	return source{"GIF", data, []int{6, 8, frame + 5, frame + 7}, binary.LittleEndian}
}

// damage returns the image of that number and says what it is.
func damage(sources []source, number uint64) (string, []byte) {
	rng := rand.New(rand.NewPCG(20130715, number))
	s := sources[rng.IntN(len(sources))]
	data := slices.Clone(s.data)
	kinds := []struct {
		name string
		do   func() []byte
	}{
		{"bits flipped", func() []byte { return flipped(rng, data, len(data)) }},
		{"bits of the header flipped", func() []byte { return flipped(rng, data, 64) }},
		{"cut short", func() []byte { return data[:rng.IntN(len(data))] }},
		{"spliced", func() []byte { return spliced(rng, data, sources[rng.IntN(len(sources))].data) }},
		{"with a header that lies", func() []byte { return s.lying(rng, data) }},
	}
	kind := kinds[rng.IntN(len(kinds))]
	return s.name + " " + kind.name, kind.do()
}

// flipped changes some bits among the first bytes.
func flipped(rng *rand.Rand, data []byte, first int) []byte {
	for range 1 + rng.IntN(32) {
		data[rng.IntN(first)] ^= 1 << rng.IntN(8)
	}
	return data
}

// spliced puts a piece of another file in the place of one of data's.
func spliced(rng *rand.Rand, data, other []byte) []byte {
	piece := func(of []byte) (from, to int) {
		from = rng.IntN(len(of))
		return from, from + rng.IntN(min(len(of)-from, 4096))
	}
	from, to := piece(data)
	begin, end := piece(other)
	return slices.Replace(data, from, to, other[begin:end]...)
}

// lying changes numbers of the header, and makes a PNG's checksum agree.
func (s source) lying(rng *rand.Rand, data []byte) []byte {
	for _, at := range s.fields {
		lies := []uint16{0, 1, 255, 4096, 7000, 16383, 65535, uint16(rng.Uint32()), uint16(rng.IntN(2000))}
		if rng.IntN(3) > 0 {
			s.order.AppendUint16(data[:at], lies[rng.IntN(len(lies))])
		}
	}
	if bytes.HasPrefix(data, []byte("\x89PNG")) {
		binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	}
	return data
}
