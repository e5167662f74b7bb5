package fixtext

import (
	"bytes"
	"unicode/utf8"
)

// decodeVariant decodes the first character of b, also where it is encoded in ways
// that UTF-8 forbids: as a UTF-16 pair with three bytes a half (CESU-8), or U+0000
// in two bytes (Java). The length is 0 where the bytes make no character.
func decodeVariant(b []byte) (rune, int) {
	if r, n := utf8.DecodeRune(b); r != utf8.RuneError || n == 3 {
		return r, n
	}
	switch {
	case len(b) >= 2 && b[0] == 0xC0 && b[1] == 0x80:
		return 0, 2
	case len(b) >= 6 && b[0] == 0xED && b[1]&0xF0 == 0xA0 && isContinuation(b[2]) &&
		b[3] == 0xED && b[4]&0xF0 == 0xB0 && isContinuation(b[5]):
		high := rune(b[1]&0x0F)<<6 | rune(b[2]&0x3F)
		low := rune(b[4]&0x0F)<<6 | rune(b[5]&0x3F)
		return 0x10000 + high<<10 | low, 6
	}
	return utf8.RuneError, 0
}

// decodeAll decodes bytes that are UTF-8 or its variants throughout.
func decodeAll(b []byte) (string, bool) {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := decodeVariant(b)
		if n == 0 {
			return "", false
		}
		out = utf8.AppendRune(out, r)
		b = b[n:]
	}
	return string(out), true
}

func isContinuation(b byte) bool { return b&0xC0 == 0x80 }

// restoreA0 puts back the byte A0, a no-break space, where a program has made it a
// plain space in the middle of what would be UTF-8.
func restoreA0(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		if b[0] == 0xC3 && len(b) > 1 && b[1] == ' ' && isWordA(b[2:]) {
			out = append(out, 0xC3, 0xA0, ' ')
			b = b[2:]
			continue
		}
		n := alteredLength(b)
		if n == 0 {
			n = 1
			out = append(out, b[0])
		} else {
			out = append(out, bytes.ReplaceAll(b[:n], []byte{' '}, []byte{0xA0})...)
		}
		b = b[n:]
	}
	return out
}

// isWordA tells by what follows "Ã " whether that was the word "à" and the space
// after it, or the beginning of Portuguese às, àquele, àquela, àquilo.
func isWordA(rest []byte) bool {
	for _, end := range [...]string{" ", "quele", "quela", "quilo", "s "} {
		if bytes.HasPrefix(rest, []byte(end)) {
			return false
		}
	}
	return true
}

// alteredLength returns the length of a UTF-8 sequence at the start of b that has
// a space for the byte A0, or 0. It knows those that lead to likely characters.
func alteredLength(b []byte) int {
	length := 0
	switch lead := b[0]; {
	case bytes.IndexByte([]byte{0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9}, lead) >= 0:
		length = 2
	case 0xE0 <= lead && lead <= 0xE3:
		length = 3
	case lead == 0xF0:
		length = 4
	}
	if length == 0 || len(b) < length {
		return 0
	}
	spaces := 0
	for i, c := range b[1:length] {
		switch {
		case c == ' ':
			if length == 3 && i == 0 && b[0] < 0xE2 {
				return 0
			}
			spaces++
		case !isContinuation(c), length == 3 && (c == 0x85 || c == 0xA0):
			return 0
		}
	}
	if spaces != 1 {
		return 0
	}
	return length
}

// lost is the byte that stands for U+FFFD, a byte that could not be decoded.
const lost = 0x1A

// replaceLossy writes U+FFFD for UTF-8 sequences in which bytes were lost, shown as
// U+FFFD or, once a sequence, as a question mark.
func replaceLossy(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		n := lossyLength(b)
		if n == 0 {
			n = 1
			out = append(out, b[0])
		} else {
			out = utf8.AppendRune(out, utf8.RuneError)
		}
		b = b[n:]
	}
	return out
}

// lossyLength returns the length of a sequence with lost bytes at the start of b,
// or 0.
func lossyLength(b []byte) int {
	switch lead := b[0]; {
	case lead == lost:
		return 1
	case 0xC2 <= lead && lead <= 0xDF:
		if len(b) > 1 && (b[1] == lost || b[1] == '?' && lead <= 0xC3) {
			return 2
		}
	case lead == 0xED && len(b) >= 6 && b[1]&0xF0 == 0xA0 && b[3] == 0xED && b[4]&0xF0 == 0xB0 &&
		partly([]byte{b[2], b[5]}, 2):
		return 6
	case 0xE0 <= lead && lead <= 0xEF:
		if len(b) >= 3 && partly(b[1:3], 1) {
			return 3
		}
	case 0xF0 <= lead && lead <= 0xF4:
		if len(b) >= 4 && partly(b[1:4], 1) {
			return 4
		}
	}
	return 0
}

// partly reports whether all bytes are continuations or lost, some of them lost,
// and at most so many shown as question marks.
func partly(b []byte, questions int) bool {
	missing := 0
	for _, c := range b {
		switch {
		case c == lost:
			missing++
		case c == '?':
			missing++
			questions--
		case !isContinuation(c):
			return false
		}
	}
	return missing > 0 && questions >= 0
}
