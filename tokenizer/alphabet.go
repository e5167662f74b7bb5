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

// runeBytes returns the inverse of byteRunes.
func runeBytes() map[rune]byte {
	bytes := make(map[rune]byte, 256)
	for b, r := range byteRunes() {
		bytes[r] = byte(b)
	}
	return bytes
}

// spell returns the bytes that a token stands for. A token with a character from
// outside the alphabet, which only an added one can have, stands for itself.
func spell(token string, bytes map[rune]byte) string {
	out := make([]byte, 0, len(token))
	for _, r := range token {
		b, ok := bytes[r]
		if !ok {
			return token
		}
		out = append(out, b)
	}
	return string(out)
}
