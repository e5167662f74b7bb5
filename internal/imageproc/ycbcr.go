package imageproc

import "image"

// yuvSpace is a luma and chroma encoding of RGB, in 1/65536: the red value is
// ((Y-black)*scale + (Cr-128)*crRed) / 65536, and so on.
type yuvSpace struct {
	black, scale                    int32
	crRed, cbGreen, crGreen, cbBlue int32
}

var (
	// jfif is the full-range encoding of JPEG files (JFIF 1.02, BT.601 weights).
	jfif = yuvSpace{black: 0, scale: 65536, crRed: 91881, cbGreen: -22554, crGreen: -46802, cbBlue: 116130}
	// studio is the same with Y in 16..235 and chroma in 16..240, as VP8 has it (RFC 6386,
	// section 9.2). Package webp hands it out as an image.YCbCr, which Go takes for jfif.
	studio = yuvSpace{black: 16, scale: 76309, crRed: 104597, cbGreen: -25675, crGreen: -53279, cbBlue: 132201}
)

// fillYCbCr converts m. Subsampled chroma is interpolated, not repeated, since that is
// what libjpeg and libwebp do, and with them every program that CLIP's photos passed.
func (p *RGB) fillYCbCr(m *image.YCbCr, s yuvSpace) {
	if m.SubsampleRatio == image.YCbCrSubsampleRatio444 {
		for y := range p.Height {
			s.convertRow(p.row(y), m.Y[y*m.YStride:], m.Cb[y*m.CStride:], m.Cr[y*m.CStride:])
		}
		return
	}
	u := newUpsampler(m)
	cb, cr := u.newRow(), u.newRow()
	for y := range p.Height {
		s.convertRow(p.row(y), m.Y[y*m.YStride:], u.fill(cb, m.Cb, y), u.fill(cr, m.Cr, y))
	}
}

// convertRow fills dst from a row of luma and two of chroma at full resolution.
func (s yuvSpace) convertRow(dst, luma, cb, cr []uint8) {
	n := len(dst) / 3
	luma, cb, cr = luma[:n], cb[:n], cr[:n]
	for i := range n {
		d := dst[3*i : 3*i+3 : 3*i+3]
		y := (int32(luma[i])-s.black)*s.scale + 1<<15
		b, r := int32(cb[i])-128, int32(cr[i])-128
		d[0] = clip8((y + s.crRed*r) >> 16)
		d[1] = clip8((y + s.cbGreen*b + s.crGreen*r) >> 16)
		d[2] = clip8((y + s.cbBlue*b) >> 16)
	}
}

// clip8 returns v held to 0..255.
func clip8(v int32) uint8 {
	if uint32(v) <= 255 {
		return uint8(v)
	}
	if v < 0 {
		return 0
	}
	return 255
}
