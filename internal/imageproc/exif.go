package imageproc

import (
	"bytes"
	"encoding/binary"
)

// orientation returns the EXIF orientation in 1..8 that tiff, a TIFF structure, gives
// in its first directory. Where there is none, or it makes no sense, a photo is upright.
//
// It reads this one number itself because EXIF blocks in real photos are often damaged,
// and nothing else in them, makers' notes least of all, need be touched.
func orientation(tiff []byte) int {
	const (
		tag       = 0x0112
		short     = 3
		entrySize = 12
	)
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	start := int64(order.Uint32(tiff[4:]))
	if start+2 > int64(len(tiff)) {
		return upright
	}
	directory := tiff[start:]
	entries := int(order.Uint16(directory))
	for i := 2; entries > 0 && i+entrySize <= len(directory); i += entrySize {
		entries--
		entry := directory[i:]
		if order.Uint16(entry) != tag || order.Uint16(entry[2:]) != short {
			continue
		}
		if o := int(order.Uint16(entry[8:])); upright <= o && o <= 8 {
			return o
		}
	}
	return upright
}

// noEXIF is for formats that carry none.
func noEXIF([]byte) []byte { return nil }

// tiffEXIF returns the whole of a TIFF file, whose first directory is the photo's.
func tiffEXIF(data []byte) []byte { return data }

// jpegEXIF returns the EXIF block of a JPEG file.
func jpegEXIF(data []byte) []byte {
	const (
		app1 = 0xe1
		id   = "Exif\x00\x00"
	)
	for s := range jpegSegments(data) {
		if s.marker == startOfScan {
			return nil
		}
		if s.marker == app1 && bytes.HasPrefix(s.payload, []byte(id)) {
			return s.payload[len(id):]
		}
	}
	return nil
}

// pngEXIF returns the eXIf chunk of a PNG file (PNG 1.5 extensions).
func pngEXIF(data []byte) []byte {
	const signature, crc = 8, 4
	data = data[min(signature, len(data)):]
	for len(data) >= 8 {
		size, name := int64(binary.BigEndian.Uint32(data)), string(data[4:8])
		data = data[8:]
		if size+crc > int64(len(data)) {
			return nil
		}
		if name == "eXIf" {
			return data[:size]
		}
		data = data[size+crc:]
	}
	return nil
}

// webpEXIF returns the EXIF chunk of a WebP file. Some writers put JPEG's prefix
// before it.
func webpEXIF(data []byte) []byte {
	for name, chunk := range riffChunks(data) {
		if name == "EXIF" {
			return bytes.TrimPrefix(chunk, []byte("Exif\x00\x00"))
		}
	}
	return nil
}
