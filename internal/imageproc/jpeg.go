package imageproc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
)

// JPEG markers (ITU T.81, table B.1).
const (
	firstRestart = 0xd0
	lastRestart  = 0xd7
	endOfImage   = 0xd9
	startOfScan  = 0xda
)

// jpegSegment is one marker segment of a JPEG file.
type jpegSegment struct {
	marker  byte
	payload []byte // after the length; of a scan, its header
}

// jpegSegments yields the segments of a JPEG file up to its end or its first fault,
// stepping over the scans' coded data.
func jpegSegments(data []byte) iter.Seq[jpegSegment] {
	return func(yield func(jpegSegment) bool) {
		data := data
		for {
			// In coded data 0xff is followed by 0 or by a restart marker, so the next
			// other pair is a marker. Elsewhere there is nothing to step over.
			i := bytes.IndexByte(data, 0xff)
			if i < 0 || i+4 > len(data) {
				return
			}
			marker := data[i+1]
			if marker == 0xff {
				data = data[i+1:]
				continue
			}
			data = data[i+2:]
			if marker <= 0x01 || firstRestart <= marker && marker < endOfImage {
				continue
			}
			size := int(binary.BigEndian.Uint16(data))
			if marker == endOfImage || size < 2 || size > len(data) {
				return
			}
			if !yield(jpegSegment{marker, data[2:size]}) {
				return
			}
			data = data[size:]
		}
	}
}

// judgeScans refuses a JPEG with more scans than any encoder writes. Each scan of a
// progressive JPEG can touch all pixels at the price of a few bytes, so a file of 20 MB
// could otherwise hold a processor for hours.
func judgeScans(data []byte) error {
	const maxScans = 64
	scans := 0
	for s := range jpegSegments(data) {
		if s.marker != startOfScan {
			continue
		}
		if scans++; scans > maxScans {
			return fmt.Errorf("JPEG has too many scans, %w of %d", ErrTooLarge, maxScans)
		}
	}
	return nil
}
