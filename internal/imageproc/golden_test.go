package imageproc

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
)

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// decodeFile decodes a photo that must be sound.
func decodeFile(t testing.TB, path string) *RGB {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := Decode(f, DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return p
}

// difference returns the mean and the largest absolute difference.
func difference(a, b []uint8) (mean float64, largest int) {
	for i := range a {
		d := int(math.Abs(float64(a[i]) - float64(b[i])))
		mean += float64(d) / float64(len(a))
		largest = max(largest, d)
	}
	return mean, largest
}

// TestGoldenPreprocess holds lossless photos to the very bytes that Pillow makes of them
// (a blend with white may round differently) and lossy ones to a small part of the 1.5
// that another JPEG decoder is allowed: repeated chroma samples alone cost more than this.
func TestGoldenPreprocess(t *testing.T) {
	const lossyMean = 0.15
	dir := golden.Dir(t, "preprocess")
	var list struct {
		Cases []struct {
			File     string
			Mode     string
			Size     [2]int
			Lossless bool
		}
	}
	if err := json.Unmarshal(readFile(t, filepath.Join(dir, "cases.json")), &list); err != nil {
		t.Fatal(err)
	}
	expected := golden.Load(t, filepath.Join(dir, "expected.safetensors"))
	checked := 0
	for _, c := range list.Cases {
		p := decodeFile(t, filepath.Join(dir, c.File))
		if got := [2]int{p.Width, p.Height}; got != c.Size {
			t.Errorf("%s is %v pixels, want %v", c.File, got, c.Size)
		}
		for _, name := range expected.Names() {
			file, side, _ := strings.Cut(name, "@")
			if file != c.File {
				continue
			}
			size, err := strconv.Atoi(side)
			if err != nil {
				t.Fatal(err)
			}
			checked++
			want, _ := expected.Tensor(name)
			got := CLIP(size).Crop(p).Pix
			if len(got) != len(want.Data) {
				t.Fatalf("%s has %d values, want %d", name, len(got), len(want.Data))
			}
			mean, largest := difference(got, want.Data)
			t.Logf("%-22s %-5s mean %.4f largest %d", name, c.Mode, mean, largest)
			switch {
			case c.Lossless && c.Mode != "RGBA" && largest > 0:
				t.Errorf("%s differs from Pillow by %d, want the same bytes", name, largest)
			case c.Lossless && largest > 1:
				t.Errorf("%s differs from Pillow by %d, want at most 1", name, largest)
			case mean > lossyMean:
				t.Errorf("%s differs from Pillow by %.3f on average, want at most %g", name, mean, lossyMean)
			}
		}
	}
	if n := len(expected.Names()); checked != n || n == 0 {
		t.Errorf("cases.json names %d of the %d expected crops", checked, n)
	}
}
