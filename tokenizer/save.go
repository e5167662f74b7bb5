package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Save writes vocab.json and merges.txt in Hugging Face's layout into dir, which
// it makes where there is none. Open reads the same tokenizer back.
func (t *BPE) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	vocab, err := t.vocabJSON()
	if err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, vocabFile), vocab, 0o644); err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, mergesFile), t.mergesText(), 0o644); err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	return nil
}

// vocabJSON returns vocab.json with the tokens in the order of their ids.
func (t *BPE) vocabJSON() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for id, token := range t.tokens {
		b.WriteByte("{,"[min(id, 1)])
		if err := enc.Encode(token); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the encoder ends each value with a line break
		fmt.Fprintf(&b, ":%d", id)
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

// mergesText returns merges.txt.
func (t *BPE) mergesText() []byte {
	var b bytes.Buffer
	b.WriteString("#version: 0.2\n")
	for _, p := range t.pairs {
		fmt.Fprintf(&b, "%s %s\n", t.tokens[p[0]], t.tokens[p[1]])
	}
	return b.Bytes()
}
