package imageproc

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Files made by hand, sound and hostile, for the tests of Decode.

func be32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }
func le32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }
func le16(v int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(v)) }
func le24(v int) []byte { return le32(v)[:3] }

func pngChunk(name string, data []byte) []byte {
	body := append([]byte(name), data...)
	return slices.Concat(be32(len(data)), body, be32(int(crc32.ChecksumIEEE(body))))
}

// pngHeader is a PNG of bit depth 16 with alpha that ends after its header.
func pngHeader(width, height int) []byte {
	ihdr := slices.Concat(be32(width), be32(height), []byte{16, 6, 0, 0, 0})
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", ihdr)...)
}

// insertPNG adds a chunk after a PNG's header.
func insertPNG(file []byte, name string, data []byte) []byte {
	const header = 8 + 25
	return slices.Insert(slices.Clone(file), header, pngChunk(name, data)...)
}

func gifHeader(screenW, screenH, frameW, frameH int) []byte {
	return slices.Concat([]byte("GIF89a"), le16(screenW), le16(screenH), []byte{0x80, 0, 0},
		[]byte{0, 0, 0, 255, 255, 255},
		[]byte{','}, le16(0), le16(0), le16(frameW), le16(frameH), []byte{0}, []byte{2, 1, 0})
}

func bmpHeader(width, height int) []byte {
	return slices.Concat([]byte("BM"), le32(54), le32(0), le32(54), le32(40), le32(width), le32(height),
		le16(1), le16(24), make([]byte, 24))
}

// tiffFile is a little-endian TIFF of tags of one value, which must ascend.
func tiffFile(tags ...[2]int) []byte {
	file := slices.Concat([]byte("II*\x00"), le32(8), le16(len(tags)))
	for _, tag := range tags {
		kind := 3 // 16 bits
		if tag[1]>>16 != 0 {
			kind = 4 // 32 bits
		}
		file = slices.Concat(file, le16(tag[0]), le16(kind), le32(1), le32(tag[1]))
	}
	return append(file, le32(0)...)
}

func riffChunk(name string, data []byte) []byte {
	return slices.Concat([]byte(name), le32(len(data)), data, make([]byte, len(data)%2))
}

func webpFile(chunks ...[]byte) []byte {
	return riffChunk("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...))
}

func vp8x(flags byte, width, height int) []byte {
	return riffChunk("VP8X", slices.Concat([]byte{flags, 0, 0, 0}, le24(width-1), le24(height-1)))
}

// vp8l is the chunk of a picture in one colour: five Huffman codes of one symbol each,
// so that the pixels themselves take no bits.
func vp8l(width, height int, r, g, b, a uint8) []byte {
	var bits []bool
	put := func(v, n int) {
		for i := range n {
			bits = append(bits, v>>i&1 == 1)
		}
	}
	put(width-1, 14)
	put(height-1, 14)
	put(1, 1) // has alpha
	put(0, 3) // version
	put(0, 3) // no transform, no colour cache, one group of codes
	for _, v := range []uint8{g, r, b, a} {
		put(0b101, 3) // simple code, one symbol, of 8 bits
		put(int(v), 8)
	}
	put(0b0001, 4) // distances: simple code, one symbol, of one bit: 0
	data := make([]byte, 1+(len(bits)+7)/8)
	data[0] = 0x2f
	for i, bit := range bits {
		if bit {
			data[1+i/8] |= 1 << (i % 8)
		}
	}
	return riffChunk("VP8L", data)
}

func anmf(x, y, width, height int, chunks ...[]byte) []byte {
	header := slices.Concat(le24(x/2), le24(y/2), le24(width-1), le24(height-1), make([]byte, 4))
	return riffChunk("ANMF", append(header, slices.Concat(chunks...)...))
}

func jpegSegmentOf(marker byte, payload []byte) []byte {
	return slices.Concat([]byte{0xff, marker}, binary.BigEndian.AppendUint16(nil, uint16(len(payload)+2)), payload)
}

// jpegHeader is a progressive JPEG of three components with the given number of scans,
// all empty.
func jpegHeader(width, height, scans int) []byte {
	frame := slices.Concat([]byte{8}, be32(height)[2:], be32(width)[2:],
		[]byte{3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0})
	file := append([]byte{0xff, 0xd8}, jpegSegmentOf(0xc2, frame)...)
	for range scans {
		file = append(file, jpegSegmentOf(0xda, []byte{1, 1, 0, 1, 63, 0})...)
	}
	return file
}

// insertJPEG adds a segment at the start of a JPEG.
func insertJPEG(file []byte, marker byte, payload []byte) []byte {
	return slices.Insert(slices.Clone(file), 2, jpegSegmentOf(marker, payload)...)
}

// soundFiles returns one picture of 16×12 pixels in each format by name.
func soundFiles(t testing.TB) map[string][]byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 16, 12))
	for i := range img.Pix {
		img.Pix[i] = uint8(255 - i/4)
	}
	var buf bytes.Buffer
	files := map[string][]byte{}
	keep := func(name string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		files[name] = bytes.Clone(buf.Bytes())
		buf.Reset()
	}
	keep("JPEG", jpeg.Encode(&buf, img, nil))
	keep("PNG", png.Encode(&buf, img))
	keep("GIF", gif.Encode(&buf, img, nil))
	keep("BMP", bmp.Encode(&buf, img))
	keep("TIFF", tiff.Encode(&buf, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true}))
	files["WebP"] = webpFile(vp8l(16, 12, 10, 20, 30, 255))
	return files
}
