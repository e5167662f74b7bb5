package imageproc

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// FuzzDecode: whatever the bytes, either a whole picture within the limits or an error of
// one line.
func FuzzDecode(f *testing.F) {
	for _, file := range soundFiles(f) {
		f.Add(file)
	}
	_, vp8, w, h := lossyWebP(f)
	f.Add(webpFile(vp8x(2, w, h), anmf(0, 0, w, h, vp8)))
	f.Add(insertJPEG(soundFiles(f)["JPEG"], 0xe1, append([]byte("Exif\x00\x00"), exifBlock(binary.LittleEndian, "II", 6)...)))
	limits := Limits{MaxBytes: 1 << 16, MaxPixels: 1 << 17, MaxSide: 1 << 10}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(bytes.NewReader(data), limits)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
			if strings.Contains(err.Error(), "decoder failed") {
				t.Errorf("panic: %v", err)
			}
			return
		}
		if len(p.Pix) != 3*p.Width*p.Height || limits.judgeSize(p.Width, p.Height) != nil {
			t.Fatalf("%dx%d pixels with %d bytes", p.Width, p.Height, len(p.Pix))
		}
		CLIP(8).Crop(p)
	})
}
