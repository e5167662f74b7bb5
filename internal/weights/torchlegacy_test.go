package weights

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// legacyHead is how a legacy file of a usual machine begins.
const legacyHead = "\x80\x02" + legacyMagic + "\x80\x02M\xe9\x03." + legacyLittle

// legacyID is a storage's persistent id in a legacy file.
func legacyID(class, key string, count int64) string {
	return "(" + text("storage") + "ctorch\n" + class + "\n" + text(key) + text("cpu") + number(count) + "NtQ"
}

// legacySix is a tensor of the storage "7" of six floats.
func legacySix(offset int64, size, stride string) string {
	return tensorOf(legacyID("FloatStorage", "7", 6), offset, size, stride)
}

// elements is a storage as it follows the pickles.
func elements(count uint64, data string) string {
	return string(binary.LittleEndian.AppendUint64(nil, count)) + data
}

const keySeven = "\x80\x02]X\x01\x00\x00\x007a."

// sameFloats fails unless the tensor name of f has these values.
func sameFloats(t *testing.T, f *File, name string, want ...float32) {
	t.Helper()
	tensor, _ := f.Tensor(name)
	if got, err := tensor.Float32(); err != nil || !slices.Equal(got, want) {
		t.Errorf("%s is %v (%v), want %v", name, got, err, want)
	}
}

func TestLegacy(t *testing.T) {
	program := saved("w", legacySix(0, numbers(2, 2), numbers(3, 1)), "t", legacySix(1, numbers(2, 2), numbers(1, 3)))
	for name, head := range map[string]string{
		"usual":      legacyHead,
		"protocol 4": "\x80\x04\x95\x0d\x00\x00\x00\x00\x00\x00\x00" + legacyMagic + "\x80\x04M\xe9\x03." + legacyLittle,
		"other machine": strings.TrimSuffix(legacyHead, legacyLittle) + "\x80\x02}(" +
			text("protocol_version") + "M\xe9\x03" + text("little_endian") + "\x88u.",
	} {
		f, err := open(t, []byte(head+program+keySeven+elements(6, floats(6))))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f.Format() != "legacy torch file" || len(f.Names()) != 2 {
			t.Errorf("%s: a %s of %v", name, f.Format(), f.Names())
		}
		sameFloats(t, f, "w", 0, 1, 3, 4)
		sameFloats(t, f, "t", 1, 4, 2, 5)
	}
}

func TestLegacyRefuses(t *testing.T) {
	w := legacySix(0, numbers(6), numbers(1))
	whole := legacyHead + saved("w", w) + keySeven + elements(6, floats(6))
	start := strings.TrimSuffix(legacyHead, legacyLittle)
	for name, tt := range map[string]struct{ content, words string }{
		"protocol":         {"\x80\x02" + legacyMagic + "\x80\x02K\x07.", "protocol: not 1001"},
		"big-endian":       {start + "\x80\x02}" + text("little_endian") + "\x89s." + saved("w", w), "not little-endian"},
		"no machine":       {start + "\x80\x02N.", "not little-endian"},
		"view":             {legacyHead + saved("w", tensorOf(strings.Replace(legacyID("FloatStorage", "7", 6), "NtQ", ")tQ", 1), 0, numbers(6), numbers(1))), "a view of a storage"},
		"module":           {legacyHead + "\x80\x02(" + text("module") + "NNNtQ.", "not a storage's"},
		"script class":     {legacyHead + "\x80\x02c__torch__\nM\n)\x81.", "not allowed"},
		"nested":           {legacyHead + "\x80\x02ctorch.storage\n_load_from_bytes\n.", "not allowed"},
		"no keys":          {legacyHead + saved("w", w) + "\x80\x02N.", "keys: None, not a list"},
		"unlisted":         {legacyHead + saved("w", w) + "\x80\x02].", `storage "7" is not listed`},
		"unknown":          {legacyHead + saved() + keySeven, `storage "7" is unknown`},
		"number for key":   {legacyHead + saved() + "\x80\x02]K\x07a.", "is unknown"},
		"twice":            {legacyHead + saved("w", w) + "\x80\x02](" + text("7") + text("7") + "e." + elements(6, floats(6)), "listed twice"},
		"two counts":       {legacyHead + saved("w", w, "v", tensorOf(legacyID("FloatStorage", "7", 7), 0, numbers(6), numbers(1))), "two different ones"},
		"two types":        {legacyHead + saved("w", w, "v", tensorOf(legacyID("IntStorage", "7", 6), 0, numbers(6), numbers(1))), "two different ones"},
		"other count":      {legacyHead + saved("w", w) + keySeven + elements(5, floats(6)), "5 elements, but the object speaks of 6"},
		"huge count":       {legacyHead + saved("w", tensorOf(legacyID("FloatStorage", "7", 1<<62), 0, numbers(6), numbers(1))) + keySeven + elements(1<<62, floats(6)), "but 24 bytes are left"},
		"out of bounds":    {legacyHead + saved("w", legacySix(1, numbers(6), numbers(1))) + keySeven + elements(6, floats(6)), "leaves a storage of 6 elements"},
		"trailing":         {whole + "x", "1 bytes follow the last storage"},
		"storage, no dict": {legacyHead + "\x80\x02" + legacyID("FloatStorage", "7", 6) + "." + keySeven + elements(6, floats(6)), "not a state dict"},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, []byte(tt.content), tt.words) })
	}
	for n := range whole {
		refuse(t, []byte(whole[:n]), "")
	}
}
