package imageproc

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func decode(data []byte) (*RGB, error) {
	return Decode(bytes.NewReader(data), DefaultLimits())
}

// allocatedBy returns the bytes that f allocates.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestDecodeByContent(t *testing.T) {
	for name, file := range soundFiles(t) {
		p, err := decode(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Width != 16 || p.Height != 12 || len(p.Pix) != 3*16*12 {
			t.Errorf("%s is %dx%d with %d bytes", name, p.Width, p.Height, len(p.Pix))
		}
	}
}

func TestDecodeRefusesEveryTruncation(t *testing.T) {
	for name, file := range soundFiles(t) {
		// The last bytes may be some that no pixel needs: a GIF's trailer, a TIFF's
		// resolution.
		for n := range len(file) - 16 {
			if _, err := decode(file[:n]); err == nil {
				t.Errorf("%s cut to %d of %d bytes is no error", name, n, len(file))
			}
		}
	}
}

func TestDecodeRefusesOtherFiles(t *testing.T) {
	for _, data := range []string{"", "B", "hello", "<svg/>", "\x00\x00\x00\x18ftypheic", "RIFF\x00\x00\x00\x00WAVE", "GIF88a"} {
		if _, err := decode([]byte(data)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

func TestDecoderPanicIsAnError(t *testing.T) {
	f, err := sniff(soundFiles(t)["PNG"])
	if err != nil {
		t.Fatal(err)
	}
	f.decode = func([]byte) (*RGB, error) { panic("index out of range") }
	p, err := f.picture(soundFiles(t)["PNG"], DefaultLimits())
	if p != nil || err == nil || !strings.Contains(err.Error(), "PNG: decoder failed: index out of range") {
		t.Errorf("got %v, %v", p, err)
	}
}

func TestDecodeReturnsReadError(t *testing.T) {
	broken := errors.New("disk on fire")
	if _, err := Decode(iotest.ErrReader(broken), DefaultLimits()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestDecodeReadsNoMoreThanMaxBytes(t *testing.T) {
	limits := DefaultLimits()
	limits.MaxBytes = 1000
	endless := &io.LimitedReader{R: zeros{}, N: 1 << 30}
	_, err := Decode(endless, limits)
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "0.001 MB") {
		t.Errorf("got %v", err)
	}
	if read := 1<<30 - endless.N; read > 1001 {
		t.Errorf("read %d bytes, want at most 1001", read)
	}
	file := soundFiles(t)["PNG"]
	limits.MaxBytes = int64(len(file))
	if _, err := Decode(bytes.NewReader(file), limits); err != nil {
		t.Errorf("a file of exactly the limit: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestDecodeRefusesHostileHeaders: files that claim more than they hold cost an error of
// one line and next to no memory.
func TestDecodeRefusesHostileHeaders(t *testing.T) {
	const big = 7000 // within the limits, 49 megapixels
	alph := riffChunk("ALPH", make([]byte, 9))
	vp8 := riffChunk("VP8 ", []byte("\x10\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f"))
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"GIF screen", gifHeader(65535, 65535, 65535, 65535), "65535x65535 pixels, over the limit of 50 megapixels"},
		{"GIF side", gifHeader(65535, 10, 65535, 10), "65535x10 pixels, over the limit of 16384 a side"},
		{"GIF of nothing", gifHeader(0, 0, 0, 0), "0x0 pixels is empty"},
		{"GIF too short", gifHeader(big, big, big, big), "too short for 7000x7000 pixels"},
		{"GIF frame off screen", gifHeader(10, 10, 65535, 65535), "frame bounds"},
		{"PNG", pngHeader(65535, 65535), "over the limit of 50 megapixels"},
		{"PNG of 2^31", pngHeader(1<<31-1, 1<<31-1), "PNG"},
		{"PNG too short", pngHeader(big, big), "too short"},
		{"BMP", bmpHeader(65535, 65535), "over the limit"},
		{"BMP upside down", bmpHeader(16, -1<<31), "16x2147483648 pixels, over the limit"},
		{"BMP too short", bmpHeader(big, big), "too short"},
		{"BMP little too short", bmpHeader(16, 16), "BMP"},
		{"TIFF", tiffFile([2]int{256, 65535}, [2]int{257, 65535}, [2]int{262, 1}), "over the limit"},
		{"TIFF of 2^32", tiffFile([2]int{256, -1}, [2]int{257, -1}, [2]int{262, 1}), "TIFF"},
		{"TIFF directory away", slices.Concat([]byte("II*\x00"), le32(-1)), "TIFF"},
		{"TIFF directory too long", slices.Concat([]byte("MM\x00*"), be32(8), []byte{0xff, 0xff}), "TIFF"},
		{"TIFF strips", tiffFile([2]int{256, 16}, [2]int{257, 16}, [2]int{258, 8}, [2]int{262, 1},
			[2]int{273, -1}, [2]int{278, 16}, [2]int{279, -1}), "TIFF"},
		{"TIFF tile", tiffFile([2]int{256, 16}, [2]int{257, 16}, [2]int{258, 8}, [2]int{262, 1},
			[2]int{322, 65535}, [2]int{323, 65535}, [2]int{324, 8}, [2]int{325, 8}), "tile size"},
		{"WebP canvas", webpFile(vp8x(0, 1<<24, 1<<24), vp8), "WebP"},
		{"WebP canvas in range", webpFile(vp8x(0, 30000, 30000), vp8), "over the limit"},
		{"WebP VP8", webpFile(vp8), "over the limit"},
		{"WebP VP8L", webpFile(vp8l(16384, 16384, 1, 2, 3, 4)), "over the limit"},
		{"WebP VP8 over canvas", webpFile(vp8x(0, 8, 8), vp8), "WebP"},
		{"WebP VP8L over canvas", webpFile(vp8x(0, 8, 8), vp8l(16384, 16384, 1, 2, 3, 4)), "WebP"},
		{"WebP frame over canvas", webpFile(vp8x(2, 8, 8), anmf(0, 0, 16384, 16384, alph, vp8)), "beyond the canvas"},
		{"WebP frame off canvas", webpFile(vp8x(2, 8, 8), anmf(4, 4, 8, 8, vp8l(8, 8, 1, 2, 3, 4))), "beyond the canvas"},
		{"WebP frame cut", webpFile(vp8x(2, 8, 8), riffChunk("ANMF", make([]byte, 15))), "cut short"},
		{"JPEG", jpegHeader(65535, 65535, 1), "over the limit"},
		{"JPEG too short", jpegHeader(big, big, 10), "too short"},
		{"JPEG without height", jpegHeader(16, 0, 1), "empty"},
		{"JPEG of endless scans", jpegHeader(256, 256, 5000), "too many scans, over the limit of 64"},
	} {
		var err error
		allocated := allocatedBy(func() { _, err = decode(c.file) })
		switch {
		case err == nil:
			t.Errorf("%s: no error", c.name)
		case !strings.Contains(err.Error(), c.want), strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: error %q, want one line with %q", c.name, err, c.want)
		case allocated > 1<<20:
			t.Errorf("%s: allocated %d bytes", c.name, allocated)
		}
	}
}

// TestDecodeInflatesNoMetadata: text and profile chunks that would inflate to gigabytes
// are stepped over.
func TestDecodeInflatesNoMetadata(t *testing.T) {
	var bomb bytes.Buffer
	w := zlib.NewWriter(&bomb)
	if _, err := io.CopyN(w, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"iCCP", "zTXt"} {
		file := insertPNG(soundFiles(t)["PNG"], name, append([]byte("name\x00\x00"), bomb.Bytes()...))
		var err error
		allocated := allocatedBy(func() { _, err = decode(file) })
		if err != nil || allocated > 1<<20 {
			t.Errorf("%s: allocated %d bytes, error %v", name, allocated, err)
		}
	}
}

func TestDecodeAppliesOrientation(t *testing.T) {
	sound := soundFiles(t)
	block := exifBlock(binary.BigEndian, "MM", 6)
	prefixed := append([]byte("Exif\x00\x00"), block...)
	still := vp8l(16, 12, 1, 2, 3, 255)
	for name, file := range map[string][]byte{
		"JPEG":             insertJPEG(sound["JPEG"], 0xe1, prefixed),
		"JPEG after XMP":   insertJPEG(insertJPEG(sound["JPEG"], 0xe1, prefixed), 0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00")),
		"PNG":              insertPNG(sound["PNG"], "eXIf", block),
		"WebP":             webpFile(vp8x(8, 16, 12), still, riffChunk("EXIF", block)),
		"WebP with prefix": webpFile(vp8x(8, 16, 12), still, riffChunk("EXIF", prefixed)),
		"TIFF": append(tiffFile([2]int{256, 16}, [2]int{257, 12}, [2]int{258, 8}, [2]int{262, 1}, [2]int{273, 122},
			[2]int{274, 6}, [2]int{277, 1}, [2]int{278, 12}, [2]int{279, 192}), make([]byte, 192)...),
	} {
		p, err := decode(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Width != 12 || p.Height != 16 {
			t.Errorf("%s is %dx%d, want 12x16", name, p.Width, p.Height)
		}
	}
}

// TestDecodeForgivesBrokenEXIF damages the block in every byte.
func TestDecodeForgivesBrokenEXIF(t *testing.T) {
	sound := soundFiles(t)["JPEG"]
	block := append([]byte("Exif\x00\x00"), exifBlock(binary.LittleEndian, "II", 6)...)
	for i := range block {
		for _, v := range []byte{0, 1, 0x7f, 0xff} {
			broken := slices.Clone(block)
			broken[i] = v
			if _, err := decode(insertJPEG(sound, 0xe1, broken)); err != nil {
				t.Errorf("byte %d set to %#x: %v", i, v, err)
			}
			if _, err := decode(insertJPEG(sound, 0xe1, broken[:i])); err != nil {
				t.Errorf("cut to %d: %v", i, err)
			}
		}
	}
}

// TestDecodeGIFFirstFrame: the first frame lies where it belongs on the screen, what it
// does not cover is white, and later frames are not looked at.
func TestDecodeGIFFirstFrame(t *testing.T) {
	red := color.Palette{color.RGBA{R: 255, A: 255}}
	frame := image.NewPaletted(image.Rect(2, 1, 4, 3), red)
	var buf bytes.Buffer
	err := gif.EncodeAll(&buf, &gif.GIF{
		Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1},
		Config: image.Config{ColorModel: red, Width: 5, Height: 4},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := buf.Bytes()
	second := bytes.LastIndexByte(file, ',')
	p, err := decode(append(file[:second:second], "garbage"...))
	if err != nil {
		t.Fatal(err)
	}
	checkPatch(t, p, 5, 4, frame.Rect, [3]uint8{255, 0, 0})
}

// checkPatch fails unless p is white but for the rectangle patch of one colour.
func checkPatch(t *testing.T, p *RGB, width, height int, patch image.Rectangle, c [3]uint8) {
	t.Helper()
	if p.Width != width || p.Height != height {
		t.Fatalf("picture is %dx%d, want %dx%d", p.Width, p.Height, width, height)
	}
	for y := range height {
		for x := range width {
			want := [3]uint8{255, 255, 255}
			if (image.Point{X: x, Y: y}).In(patch) {
				want = c
			}
			if got := [3]uint8(p.row(y)[3*x:]); got != want {
				t.Errorf("pixel %d,%d is %v, want %v", x, y, got, want)
			}
		}
	}
}
