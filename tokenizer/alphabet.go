package tokenizer

// The byte alphabet of OpenAI's encoder.py: a printable character for each of the
// 256 bytes, so that a vocabulary of byte strings can be kept in text files. Bytes
// that Latin-1 prints stand for themselves; the others, white space among them,
// get the characters from U+0100 on, in order.

// endOfWord marks the last symbol of a word in CLIP's vocabulary.
const endOfWord = "</w>"

// printable reports whether a byte stands for itself in the alphabet.
func printable(b int) bool {
	return '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b
}

// byteOrder returns the 256 bytes in the order in which GPT-2 numbers them: the
// printable ones first, so that id 0 is "!".
func byteOrder() []byte {
	order := make([]byte, 0, 256)
	for b := range 256 {
		if printable(b) {
			order = append(order, byte(b))
		}
	}
	for b := range 256 {
		if !printable(b) {
			order = append(order, byte(b))
		}
	}
	return order
}

// byteRunes returns the character of each byte.
func byteRunes() [256]rune {
	var runes [256]rune
	next := rune(0x100)
	for b := range 256 {
		if printable(b) {
			runes[b] = rune(b)
		} else {
			runes[b] = next
			next++
		}
	}
	return runes
}

// alphabetEnd is behind the last character of the alphabet.
const alphabetEnd = 0x144

// runeBytes returns the inverse of byteRunes, -1 for what is none of them.
func runeBytes() *[alphabetEnd]int16 {
	var bytes [alphabetEnd]int16
	for r := range bytes {
		bytes[r] = -1
	}
	for b, r := range byteRunes() {
		bytes[r] = int16(b)
	}
	return &bytes
}

// appendSpelled appends the bytes that a token stands for. A token with a character from
// outside the alphabet, which only an added one can have, stands for itself.
func appendSpelled(out []byte, token string, bytes *[alphabetEnd]int16) []byte {
	before := len(out)
	for _, r := range token {
		if r >= alphabetEnd || bytes[r] < 0 {
			return append(out[:before], token...)
		}
		out = append(out, byte(bytes[r]))
	}
	return out
}
