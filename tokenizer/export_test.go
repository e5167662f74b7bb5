package tokenizer

// IsRepaired reports whether CLIP's cleaning of a text depends on ftfy.
func IsRepaired(text string) bool { return clean(text) != tidy(text) }

// EncodeUnrepaired is CLIP's Encode without ftfy.
func EncodeUnrepaired(t *BPE, text string) []int { return t.encodeCLIP(tidy(text)) }

// ReadVocab reads vocab.json.
var ReadVocab = readVocab

// MergeShort and MergeLong encode one piece in the two ways.
func MergeShort(t *BPE, piece string) []int32 { return mergeWith(t, piece, (*merger).short) }

// MergeLong is the way with the heap.
func MergeLong(t *BPE, piece string) []int32 { return mergeWith(t, piece, (*merger).long) }

func mergeWith(t *BPE, piece string, way func(*merger, *BPE)) []int32 {
	var m merger
	for i := range len(piece) {
		m.symbols = append(m.symbols, t.bytes[piece[i]])
	}
	way(&m, t)
	return m.symbols
}

// BuildForTest makes a tokenizer of GPT-2's bytes and any merges.
func BuildForTest(merges [][2]string) (*BPE, error) {
	tokens := gpt2Bytes()
	known := make(map[string]bool)
	for _, m := range merges {
		if token := m[0] + m[1]; !known[token] {
			known[token] = true
			tokens = append(tokens, token)
		}
	}
	return build(tokens, merges)
}
