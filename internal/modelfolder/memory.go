package modelfolder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"unsafe"

	"github.com/cutline-go/cutline/internal/weights"
)

// MemoryConfig describes a memory of texts.
type MemoryConfig struct {
	Texts       int     `json:"texts"`
	Temperature float64 `json:"inverse_temperature"` // of the softmax over likeness; DeCap: 100
}

// Memory is the texts that a captioner looks photos up among, with their embeddings by
// its CLIP: memory.safetensors, which stays mapped. It ends with the folder's Close.
type Memory struct {
	embeddings weights.Tensor // [N, E], F32
	texts      weights.Tensor // N lines of UTF-8, each with its end: U8
	lines      [][]byte       // of texts, once one is asked for
}

// The tensors of memory.safetensors.
const (
	memoryEmbeddings = "embeddings"
	memoryTexts      = "texts"
)

// NewMemory makes a memory of texts and their embeddings [N, E], which it borrows. White
// space in a text becomes single spaces.
func NewMemory(texts []string, embeddings []float32) (*Memory, error) {
	if len(texts) == 0 || len(embeddings) == 0 || len(embeddings)%len(texts) != 0 {
		return nil, fmt.Errorf("a memory of %d texts and %d numbers", len(texts), len(embeddings))
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, errors.New("a memory takes a little-endian machine")
	}
	var lines bytes.Buffer
	for _, text := range texts {
		lines.WriteString(strings.Join(strings.Fields(text), " ") + "\n")
	}
	values := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(embeddings))), 4*len(embeddings))
	return &Memory{
		embeddings: weights.Tensor{Name: memoryEmbeddings, DType: weights.F32, Shape: []int{len(texts), len(embeddings) / len(texts)}, Data: values},
		texts:      weights.Tensor{Name: memoryTexts, DType: weights.U8, Shape: []int{lines.Len()}, Data: lines.Bytes()},
	}, nil
}

// readMemory checks the tensors of a file against the folder's configuration.
func readMemory(file *weights.File, c Config) (*Memory, error) {
	m := &Memory{}
	var found [2]bool
	m.embeddings, found[0] = file.Tensor(memoryEmbeddings)
	m.texts, found[1] = file.Tensor(memoryTexts)
	if !found[0] || !found[1] || len(file.Names()) != 2 {
		return nil, fmt.Errorf("holds %v, want %s and %s", file.Names(), memoryEmbeddings, memoryTexts)
	}
	if e := m.embeddings; e.DType != weights.F32 || len(e.Shape) != 2 || e.Shape[0] != c.Memory.Texts || e.Shape[1] != c.CLIP.EmbedDim {
		return nil, fmt.Errorf("%s are %s %v, want %s [%d %d]", memoryEmbeddings, e.DType, e.Shape, weights.F32, c.Memory.Texts, c.CLIP.EmbedDim)
	}
	if m.texts.DType != weights.U8 || len(m.texts.Shape) != 1 || bytes.Count(m.texts.Data, []byte("\n")) != c.Memory.Texts {
		return nil, fmt.Errorf("%s are not %d lines", memoryTexts, c.Memory.Texts)
	}
	return m, nil
}

// Len is the number of texts.
func (m *Memory) Len() int { return m.embeddings.Shape[0] }

// Width is E, that of an embedding.
func (m *Memory) Width() int { return m.embeddings.Shape[1] }

// Block writes the embeddings from one up to but without another into a slice of that
// size, [to−from, E] in C order.
func (m *Memory) Block(from, to int, into []float32) {
	data := m.embeddings.Data[4*from*m.Width() : 4*to*m.Width()]
	for i := range into {
		into[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
}

// Text is text i. It is for one goroutine.
func (m *Memory) Text(i int) string {
	if m.lines == nil {
		m.lines = bytes.Split(m.texts.Data, []byte("\n"))
	}
	return strings.ToValidUTF8(string(m.lines[i]), "")
}

// tensors are what memory.safetensors holds.
func (m *Memory) tensors() []weights.Tensor { return []weights.Tensor{m.embeddings, m.texts} }
