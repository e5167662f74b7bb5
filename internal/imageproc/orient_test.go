package imageproc

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cutline-go/cutline/internal/golden"
)

// letters returns a picture whose pixels are the letters of rows.
func letters(rows ...string) *RGB {
	p := newRGB(len(rows[0]), len(rows))
	for y, row := range rows {
		for x := range row {
			p.Pix[3*(y*p.Width+x)] = row[x]
		}
	}
	return p
}

func (p *RGB) letters() []string {
	var rows []string
	for y := range p.Height {
		row := ""
		for x := range p.Width {
			row += string(rune(p.row(y)[3*x]))
		}
		rows = append(rows, row)
	}
	return rows
}

// TestOriented stores the same picture in the eight ways that EXIF 2.3 describes.
func TestOriented(t *testing.T) {
	upright := []string{"abc", "def"}
	stored := map[int][]string{
		0: {"abc", "def"},
		1: {"abc", "def"},
		2: {"cba", "fed"},
		3: {"fed", "cba"},
		4: {"def", "abc"},
		5: {"ad", "be", "cf"},
		6: {"cf", "be", "ad"},
		7: {"fc", "eb", "da"},
		8: {"da", "eb", "fc"},
	}
	for o, rows := range stored {
		if got := letters(rows...).oriented(o).letters(); !slices.Equal(got, upright) {
			t.Errorf("orientation %d: %v became %v, want %v", o, rows, got, upright)
		}
	}
	if got := letters(upright...).FlipHorizontal().letters(); !slices.Equal(got, stored[2]) {
		t.Errorf("flipped: %v", got)
	}
}

// TestGoldenOrientation: one photo, stored eight ways, looks the same eight times.
func TestGoldenOrientation(t *testing.T) {
	dir := golden.Dir(t, "preprocess")
	first := decodeFile(t, filepath.Join(dir, "orient_1.jpg"))
	for o := 2; o <= 8; o++ {
		p := decodeFile(t, filepath.Join(dir, fmt.Sprintf("orient_%d.jpg", o)))
		if p.Width != first.Width || p.Height != first.Height {
			t.Errorf("orientation %d is %dx%d, want %dx%d", o, p.Width, p.Height, first.Width, first.Height)
			continue
		}
		// Each was compressed on its own, so they are near but not equal.
		mean, _ := difference(p.Pix, first.Pix)
		t.Logf("orientation %d: mean %.3f", o, mean)
		if mean > 3 {
			t.Errorf("orientation %d differs by %.2f on average", o, mean)
		}
	}
}

// exifBlock returns a TIFF structure with a maker and an orientation.
func exifBlock(order binary.AppendByteOrder, mark string, orientation uint16) []byte {
	b := order.AppendUint16([]byte(mark), 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x010f), 2), 4)
	b = append(b, "abc\x00"...)
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x0112), 3), 1)
	return append(order.AppendUint16(b, orientation), 0, 0, 0, 0, 0, 0)
}

func TestOrientationOfBlock(t *testing.T) {
	for o := range uint16(10) {
		want := int(o)
		if o < 1 || o > 8 {
			want = upright
		}
		for _, block := range [][]byte{
			exifBlock(binary.LittleEndian, "II", o),
			exifBlock(binary.BigEndian, "MM", o),
		} {
			if got := orientation(block); got != want {
				t.Errorf("orientation %d read as %d", o, got)
			}
			for n := range block {
				if got := orientation(block[:n]); got != want && got != upright {
					t.Errorf("orientation %d cut to %d bytes read as %d", o, n, got)
				}
			}
		}
	}
}
