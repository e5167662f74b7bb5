package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// safetensors joins a header and size bytes of data: 0, 1, 2, …
func safetensors(header string, size int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	out = append(out, header...)
	for i := range size {
		out = append(out, byte(i))
	}
	return out
}

func TestSafetensorsReads(t *testing.T) {
	f, err := open(t, safetensors(` {"b\u00e9\ud83d\ude00\/\n": {"shape": [2, 1], "data_offsets":[1,3], "dtype":"U8"},
		"a":{"dtype":"I8","shape":[],"data_offsets":[0,1]}, "z":{"dtype":"F64","shape":[3,0],"data_offsets":[3,3]},
		"__metadata__": {"format": "pt", "": "\""}}   `[1:], 3))
	if err != nil {
		t.Fatal(err)
	}
	if names := f.Names(); !slices.Equal(names, []string{"a", "bé😀/\n", "z"}) {
		t.Errorf("names are %q", names)
	}
	b, _ := f.Tensor("bé😀/\n")
	if values, err := b.Int64(); err != nil || !slices.Equal(values, []int64{1, 2}) || !slices.Equal(b.Shape, []int{2, 1}) {
		t.Errorf("tensor is %v of shape %v, %v", values, b.Shape, err)
	}
	if m := f.Metadata(); len(m) != 2 || m["format"] != "pt" || m[""] != `"` {
		t.Errorf("metadata is %q", m)
	}
	if _, ok := f.Tensor("missing"); ok {
		t.Error("found a tensor that is not there")
	}
}

func TestSafetensorsRefuses(t *testing.T) {
	const a = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	tests := []struct {
		header string
		size   int
		words  string
	}{
		{`{` + a + `}`, 7, `tensor "a": data_offsets [0, 8], but the file holds 7 bytes`},
		{`{` + a + `}`, 9, `1 bytes follow`},
		{`{` + a + `,` + a + `}`, 8, `tensor "a": named twice`},
		{`{` + a + `,"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16, `tensor "a": named twice`},
		{`{` + a + `,"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8, `tensor "b": data_offsets [4, 8] overlap`},
		{`{` + a + `,"b":{"dtype":"F32","shape":[1],"data_offsets":[9,13]}}`, 13, `tensor "b": data_offsets [9, 13] leave a hole from 8`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8, `leave a hole from 0`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 8, `tensor "a": data_offsets [4, 0] end before`},
		{`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8, `span 8 bytes, but shape [3] of F32 takes 12`},
		{`{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}`, 8, `tensor "a": unknown element type "F33"`},
		{`{"a":{"dtype":"","shape":[2],"data_offsets":[0,8]}}`, 8, `missing`},
		{`{"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}}`, 8, `'7' where '"' is due`},
		{`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8, `a negative number`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[-1,7]}}`, 8, `a negative number`},
		{`{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}`, 8, `a number above`},
		{`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0, `overflows`},
		{`{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}`, 0, `overflows`},
		{`{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4, `overflows`},
		{`{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}`, 8, `more than 8 numbers`},
		{`{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}`, 8, `'.' where ']' is due`},
		{`{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}`, 8, `not a whole number`},
		{`{"a":{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}}`, 8, `not a whole number`},
		{`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,8]}}`, 8, `'n' where '[' is due`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}}`, 8, `more than 2 numbers`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}}`, 8, `1 data_offsets, not 2`},
		{`{"a":{"dtype":"F32","shape":[2]}}`, 8, `missing`},
		{`{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}`, 8, `field "shape" is unknown or appears twice`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8, `field "x" is unknown`},
		{`{"a":{"a":{"a":{}}}}`, 0, `field "a" is unknown`},
		{`{"a":[]}`, 0, `'[' where '{' is due`},
		{`{"a":` + strings.Repeat("[", 1_000_000), 0, `'[' where '{' is due`},
		{strings.Repeat(`{"a":`, 1_000_000), 0, `field "a" is unknown`},
		{`{` + a + `,}`, 8, `'}' where '"' is due`},
		{`{` + a + `} {`, 8, `text after the end`},
		{`{` + a + "}\x00", 8, `text after the end`},
		{`{` + a, 8, `the text ends where '}' is due`},
		{`{"a`, 8, `the text ends inside a string`},
		{`{"a\`, 8, `the text ends inside a string`},
		{"{\"a\n\":{}}", 8, `a control character`},
		{"{\"\xff\":{}}", 8, `not UTF-8`},
		{`{"\ud800":{}}`, 0, `half a surrogate pair`},
		{`{"\ud800udc00":{}}`, 0, `half a surrogate pair`},
		{`{"\ud800\udc0":{}}`, 0, `half a surrogate pair`},
		{`{"\u12g4":{}}`, 0, `a wrong escape`},
		{`{"\x":{}}`, 0, `a wrong escape`},
		{`{"__metadata__":{"a":1}}`, 0, `'1' where '"' is due`},
		{`{"__metadata__":{"a":"","a":""}}`, 0, `metadata "a" appears twice`},
		{`{"__metadata__":{},"__metadata__":{}}`, 0, `__metadata__ appears twice`},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%.60s", tt.header), func(t *testing.T) {
			refuse(t, safetensors(tt.header, tt.size), tt.words)
		})
	}
}

func TestSafetensorsHeaderLength(t *testing.T) {
	for _, n := range []uint64{math.MaxUint64, math.MaxInt64, maxHeader + 1} {
		refuse(t, append(binary.LittleEndian.AppendUint64(nil, n), `{}`...), fmt.Sprintf("more than %d", maxHeader))
	}
	refuse(t, append(binary.LittleEndian.AppendUint64(nil, 3), `{}`...), "but 2 are left")
}

// TestSafetensorsTruncated cuts a valid file after each of its bytes.
func TestSafetensorsTruncated(t *testing.T) {
	whole := safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}}`, 9)
	if _, err := open(t, whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		refuse(t, whole[:n], "")
	}
}

// largeHeader repeats an entry, a function of its number, until the header
// has size bytes.
func largeHeader(size int, entry func(i int) string) string {
	var b strings.Builder
	b.WriteString("{" + entry(0))
	for i := 1; b.Len() < size; i++ {
		b.WriteString("," + entry(i))
	}
	return b.String() + "}"
}

// TestSafetensorsHeaderMemory holds what a header costs against its length,
// more strictly than open does.
func TestSafetensorsHeaderMemory(t *testing.T) {
	const size = 10_000_000
	tests := map[string]struct {
		header, words string
	}{
		"tensors": {largeHeader(size, func(i int) string {
			return fmt.Sprintf(`"%x":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}`, i)
		}), "more than 65536 tensors"},
		"dimensions": {largeHeader(size, func(i int) string {
			return fmt.Sprintf(`"%x":{"dtype":"I8","shape":[0,1,1,1,1,1,1,1],"data_offsets":[0,0]}`, i)
		}), "more than 65536 tensors"},
		"escapes": {largeHeader(size, func(i int) string {
			return fmt.Sprintf(`"\n%x":{"dtype":"I8","shape":[0],"data_offsets":[0,0]}`, i)
		}), "more than 65536 tensors"},
		"metadata": {`{"__metadata__":` + largeHeader(size, func(i int) string {
			return fmt.Sprintf(`"%x":""`, i)
		}) + "}", "more than 4096 metadata entries"},
		"spaces": {"{" + strings.Repeat(" ", size) + "}", ""},
		"name":   {`{"` + strings.Repeat("a", size) + `":1}`, "'1' where '{' is due"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data := safetensors(tt.header, 0)
			var parsed content
			var err error
			took := allocated(func() { parsed, err = parse(data) })
			if limit := uint64(len(data)) * 464 / 100; took > limit {
				t.Errorf("a header of %d bytes allocates %d, more than %d", len(data), took, limit)
			}
			want := strings.Count(tt.header, "I8")
			switch {
			case tt.words != "" && (err == nil || !strings.Contains(err.Error(), tt.words)):
				t.Errorf("error is %v, want %q", err, tt.words)
			case tt.words == "" && (err != nil || len(parsed.tensors) != want):
				t.Errorf("%d tensors, want %d; error is %v", len(parsed.tensors), want, err)
			}
		})
	}
}

// TestSafetensorsManyNames opens as many tensors as there may be, and not one more.
func TestSafetensorsManyNames(t *testing.T) {
	file := func(count int) []byte {
		entries := make([]string, count)
		for i := range entries {
			entries[i] = fmt.Sprintf(`"%x":{"dtype":"I8","shape":[],"data_offsets":[%d,%d]}`, i, i, i+1)
		}
		return safetensors("{"+strings.Join(entries, ",")+"}", count)
	}
	f, err := open(t, file(maxTensors))
	if err != nil {
		t.Fatal(err)
	}
	if last, ok := f.Tensor(fmt.Sprintf("%x", maxTensors-1)); !ok || last.Data[0] != 255 {
		t.Errorf("the last of %d tensors is %v", maxTensors, last)
	}
	refuse(t, file(maxTensors+1), "more than 65536 tensors")
}

func TestWriteSafetensors(t *testing.T) {
	values := []float32{1, -2.5, 0x1p-20, float32(math.Inf(1)), 0, 3}
	var tensors []Tensor
	for _, dtype := range []DType{F16, F32, BF16} {
		tensor, err := FromFloat32(`<"`+string(dtype)+"\n\">", dtype, []int{2, 3}, values)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, tensor)
	}
	tensors = append(tensors,
		Tensor{Name: "odd", DType: BOOL, Shape: []int{3}, Data: []byte{1, 0, 1}},
		Tensor{Name: "scalar", DType: I64, Data: []byte{254, 255, 255, 255, 255, 255, 255, 255}},
		Tensor{Name: "none", DType: F64, Shape: []int{0, 2}})
	path := filepath.Join(t.TempDir(), "model.safetensors")
	metadata := map[string]string{"format": "pt", "é": "<\x01>"}
	if err := WriteSafetensors(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := binary.LittleEndian.Uint64(content); n%8 != 0 || content[8] != '{' {
		t.Errorf("a header of %d bytes beginning with %q", n, content[8])
	}
	slices.Reverse(tensors)
	if err := WriteSafetensors(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(content) {
		t.Errorf("the order of the tensors changes the file (%v)", err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("temporary files are left: %v", files)
	}
	f, err := open(t, content)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Metadata()) != 2 || f.Metadata()["é"] != "<\x01>" {
		t.Errorf("metadata is %q", f.Metadata())
	}
	for _, want := range tensors {
		got, ok := f.Tensor(want.Name)
		if !ok || got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || string(got.Data) != string(want.Data) {
			t.Errorf("%q came back as %v, want %v", want.Name, got, want)
		}
	}
	half, _ := f.Tensor("<\"F16\n\">")
	if back, err := half.Float32(); err != nil || !slices.Equal(back, values) {
		t.Errorf("values came back as %v, %v", back, err)
	}
	scalar, _ := f.Tensor("scalar")
	if back, err := scalar.Int64(); err != nil || !slices.Equal(back, []int64{-2}) {
		t.Errorf("scalar came back as %v, %v", back, err)
	}
}

func TestWriteSafetensorsRefuses(t *testing.T) {
	byteTensor := Tensor{Name: "a", DType: U8, Shape: []int{1}, Data: []byte{1}}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		tensors []Tensor
		words   string
	}{
		{[]Tensor{byteTensor, byteTensor}, `tensor "a": named twice`},
		{[]Tensor{{Name: metadataKey, DType: U8, Shape: []int{1}, Data: []byte{1}}}, "not a name"},
		{[]Tensor{{Name: "\xff", DType: U8, Shape: []int{1}, Data: []byte{1}}}, "not a name"},
		{[]Tensor{{Name: "a", DType: U8, Shape: []int{2}, Data: []byte{1}}}, "1 bytes, but shape [2] of U8 takes 2"},
		{[]Tensor{{Name: "a", DType: "U9", Shape: []int{1}, Data: []byte{1}}}, "unknown element type"},
		{[]Tensor{{Name: "a", DType: U8, Shape: []int{-1}, Data: []byte{1}}}, "negative dimension"},
		{[]Tensor{{Name: "a", DType: U8, Shape: make([]int, 9)}}, "9 dimensions"},
	}
	for _, tt := range tests {
		err := WriteSafetensors(path, tt.tensors, nil)
		if err == nil || !strings.Contains(err.Error(), tt.words) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("error is %v, want %q", err, tt.words)
		}
	}
	if content, _ := os.ReadFile(path); string(content) != "old" {
		t.Errorf("a refused write left %q", content)
	}
	missing := filepath.Join(t.TempDir(), "none", "model.safetensors")
	if err := WriteSafetensors(missing, nil, nil); !os.IsNotExist(err) {
		t.Errorf("a missing folder: %v", err)
	}
}

func TestConvertRefuses(t *testing.T) {
	if _, err := (Tensor{Name: "a", DType: I8, Shape: []int{1}, Data: []byte{1}}).Float32(); err == nil {
		t.Error("integers as float32")
	}
	if _, err := (Tensor{Name: "a", DType: F16, Shape: []int{1}, Data: []byte{1, 2}}).Int64(); err == nil {
		t.Error("halves as int64")
	}
	if _, err := (Tensor{Name: "a", DType: F32, Shape: []int{2}, Data: make([]byte, 4)}).Float32(); err == nil {
		t.Error("half of the bytes")
	}
	if _, err := FromFloat32("a", I64, []int{1}, []float32{1}); err == nil {
		t.Error("float32 values as I64")
	}
	if _, err := FromFloat32("a", F32, []int{2}, []float32{1}); err == nil {
		t.Error("one value for shape [2]")
	}
	for dtype, data := range map[DType][]byte{F64: {0, 0, 0, 0, 0, 0, 4, 192}, BF16: {32, 192}, F16: {0, 193}} {
		if v, err := (Tensor{DType: dtype, Data: data}).Float32(); err != nil || v[0] != -2.5 {
			t.Errorf("%s: %v, %v", dtype, v, err)
		}
	}
	for dtype, data := range map[DType][]byte{I64: {254, 255, 255, 255, 255, 255, 255, 255}, I32: {254, 255, 255, 255}, I16: {254, 255}, I8: {254}} {
		if v, err := (Tensor{DType: dtype, Data: data}).Int64(); err != nil || v[0] != -2 {
			t.Errorf("%s: %v, %v", dtype, v, err)
		}
	}
}
