package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// The pieces of a pickle, as torch writes them.

func text(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func number(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func numbers(values ...int64) string {
	out := "("
	for _, n := range values {
		out += number(n)
	}
	return out + "t"
}

func storageID(class, key string, count int64) string {
	return "(" + text("storage") + "ctorch\n" + class + "\n" + text(key) + text("cpu") + number(count) + "tQ"
}

func tensorOf(storage string, offset int64, size, stride string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + size + stride + "\x89" + ordered + "tR"
}

// six is a tensor of the storage 0 of six floats.
func six(offset int64, size, stride string) string {
	return tensorOf(storageID("FloatStorage", "0", 6), offset, size, stride)
}

const ordered = "ccollections\nOrderedDict\n)R"

// saved is the whole program for a state dict of (name, value) pairs.
func saved(pairs ...string) string {
	return "\x80\x02" + dictOf(pairs...) + "."
}

func dictOf(pairs ...string) string {
	out := ordered + "("
	for i := 0; i < len(pairs); i += 2 {
		out += text(pairs[i]) + pairs[i+1]
	}
	return out + "u"
}

// entry is one file in a zip archive.
type entry struct {
	name, content string
	method        uint16
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err == nil {
			_, err = io.WriteString(f, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// floats is the content of a storage: 0, 1, 2, …
func floats(n int) string {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i)
	}
	tensor, _ := FromFloat32("", F32, []int{n}, values)
	return string(tensor.Data)
}

// torchFile is an archive with one storage of six floats.
func torchFile(t testing.TB, program string) []byte {
	t.Helper()
	return zipOf(t, entry{name: "m/data.pkl", content: program}, entry{name: "m/data/0", content: floats(6)}, entry{name: "m/version", content: "3\n"})
}

func TestTorchViews(t *testing.T) {
	program := saved(
		"whole", six(0, numbers(2, 3), numbers(3, 1)),
		"transposed", six(0, numbers(3, 2), numbers(1, 3)),
		"column", six(1, numbers(2, 1), numbers(3, 1)),
		"broadcast", six(4, numbers(2, 2), numbers(0, 1)),
		"scalar", six(5, ")", ")"),
		"one", six(5, numbers(1, 1), numbers(77, 99)),
		"empty", six(6, numbers(0, 3), numbers(5, 7)),
		"size", six(4, "ctorch\nSize\n("+numbers(2)+"tR", "K\x01\x85"),
		"parameter", "ctorch._utils\n_rebuild_parameter\n("+six(0, numbers(1), numbers(1))+"\x88"+ordered+"tR",
		"count", "K\x07", "ratio", "G\x3f\xe0\x00\x00\x00\x00\x00\x00", "list", "](K\x01K\x02e", "none", "N",
	)
	f, err := open(t, torchFile(t, program))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		shape  []int
		values []float32
	}{
		"whole":      {[]int{2, 3}, []float32{0, 1, 2, 3, 4, 5}},
		"transposed": {[]int{3, 2}, []float32{0, 3, 1, 4, 2, 5}},
		"column":     {[]int{2, 1}, []float32{1, 4}},
		"broadcast":  {[]int{2, 2}, []float32{4, 5, 4, 5}},
		"scalar":     {nil, []float32{5}},
		"one":        {[]int{1, 1}, []float32{5}},
		"empty":      {[]int{0, 3}, nil},
		"size":       {[]int{2}, []float32{4, 5}},
		"parameter":  {[]int{1}, []float32{0}},
	}
	if len(f.Names()) != len(tests) {
		t.Errorf("names are %v", f.Names())
	}
	for name, want := range tests {
		got, _ := f.Tensor(name)
		values, err := got.Float32()
		if err != nil || !slices.Equal(got.Shape, want.shape) || !slices.Equal(values, want.values) {
			t.Errorf("%s: %v of shape %v (%v), want %v of shape %v", name, values, got.Shape, err, want.values, want.shape)
		}
	}
}

func TestTorchStorages(t *testing.T) {
	for class, dtype := range map[string]DType{
		"DoubleStorage": F64, "FloatStorage": F32, "HalfStorage": F16, "BFloat16Storage": BF16, "LongStorage": I64,
		"IntStorage": I32, "ShortStorage": I16, "CharStorage": I8, "ByteStorage": U8, "BoolStorage": BOOL,
	} {
		count := int64(24 / dtype.size())
		program := saved("a", tensorOf(storageID(class, "0", count), 0, numbers(count), numbers(1)))
		f, err := open(t, torchFile(t, program))
		if err != nil {
			t.Fatal(err)
		}
		if a, _ := f.Tensor("a"); a.DType != dtype || string(a.Data) != floats(6) {
			t.Errorf("%s: %v", class, a)
		}
	}
}

// TestTorchProtocol4 reads what newer pickles consist of: frames, memoised
// short strings, classes named on the stack.
func TestTorchProtocol4(t *testing.T) {
	short := func(s string) string { return "\x8c" + string(rune(len(s))) + s + "\x94" }
	class := func(module, name string) string { return short(module) + short(name) + "\x93\x94" }
	body := "}\x94(" + short("a") + class("torch._utils", "_rebuild_tensor_v2") +
		"(" + "(" + short("storage") + class("torch", "FloatStorage") + short("0") + short("cpu") + "K\x06tQ" +
		"K\x01K\x02\x85\x94K\x01\x85\x94\x89" + class("collections", "OrderedDict") + ")R\x94t\x94R\x94" +
		"\x8d\x01\x00\x00\x00\x00\x00\x00\x00b" + "h\x03u."
	f, err := open(t, torchFile(t, "\x80\x04\x95"+string(binary.LittleEndian.AppendUint64(nil, uint64(len(body))))+body))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := f.Tensor("a")
	if values, err := a.Float32(); err != nil || !slices.Equal(values, []float32{1, 2}) {
		t.Errorf("%v, %v", values, err)
	}
}

func TestTorchNested(t *testing.T) {
	a, b := six(0, numbers(1), numbers(1)), six(1, numbers(1), numbers(1))
	optimizer := dictOf("state", dictOf("exp_avg", a), "param_groups", "]")
	tests := map[string]struct {
		program string
		names   string // or the error's words
	}{
		"state_dict":     {saved("epoch", "K\x03", "state_dict", dictOf("w", a, "v", b), "optimizer", optimizer), "[v w]"},
		"any name":       {saved("net", dictOf("w", a)), "[w]"},
		"empty siblings": {saved("ema", dictOf(), "net", dictOf("w", a)), "[w]"},
		"shared":         {saved("net", dictOf("w", a)+"q\x07", "same", "h\x07"), "[w]"},
		"scalars beside": {saved("w", a, "input_resolution", "K\x07", "config", dictOf("k", "K\x01")), "[w]"},
		"two":            {saved("net", dictOf("w", a), "ema", dictOf("w", a)), `several state dicts, in "net" and in "ema"`},
		"both levels":    {saved("net", dictOf("w", a), "w", a), `several state dicts, in the top level and in "net"`},
		"too deep":       {saved("a", dictOf("b", dictOf("w", a))), "no tensors"},
		"none":           {saved("epoch", "K\x03"), "no tensors"},
		"unnamed":        {"\x80\x02}K\x01" + a + "s.", "no tensors"},
		"twice":          {saved("w", a, "w", b), `tensor "w": named twice`},
		"tensor":         {"\x80\x02" + a + ".", "a tensor, not a state dict"},
		"list":           {"\x80\x02]" + a + "a.", "a list, not a state dict"},
		"itself":         {"\x80\x02}q\x00" + text("self") + "h\x00s.", "no tensors"},
		"attributes":     {"\x80\x02" + dictOf("w", a) + "}" + text("_metadata") + ordered + "sb.", "[w]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := open(t, torchFile(t, tt.program))
			switch {
			case err == nil && fmt.Sprint(f.Names()) != tt.names:
				t.Errorf("names are %v, want %s", f.Names(), tt.names)
			case err != nil && !strings.Contains(err.Error(), tt.names):
				t.Errorf("error is %v, want %s", err, tt.names)
			}
		})
	}
}

func TestTorchRefusesTensors(t *testing.T) {
	const huge = 1 << 62
	tests := []struct{ tensor, words string }{
		{six(0, numbers(7), numbers(1)), "leaves a storage of 6 elements"},
		{six(1, numbers(2, 3), numbers(3, 1)), "leaves a storage"},
		{six(6, ")", ")"), "leaves a storage"},
		{six(7, numbers(0), numbers(1)), "leaves a storage"},
		{six(0, numbers(2), numbers(6)), "leaves a storage"},
		{six(0, numbers(3), numbers(huge)), "overflows"},
		{six(huge, numbers(2), numbers(huge)), "overflows"},
		{six(-1, numbers(1), numbers(1)), "-1 for a size"},
		{six(0, numbers(-1), numbers(1)), "-1 for a size"},
		{six(0, numbers(1), numbers(-1)), "-1 for a size"},
		{six(0, numbers(huge, huge), numbers(0, 0)), "overflows"},
		{six(0, numbers(huge, huge, 0), numbers(0, 0, 0)), "overflows"},
		{six(0, numbers(1<<40), numbers(0)), "more memory than its size can justify"},
		{six(0, numbers(1, 1), numbers(1)), "wrong arguments"},
		{six(0, numbers(1, 1, 1, 1, 1, 1, 1, 1, 1), numbers(1, 1, 1, 1, 1, 1, 1, 1, 1)), "wrong arguments"},
		{six(0, "N\x85", numbers(1)), "None for a size"},
		{six(0, "]\x85\x85\x85", "K\x01\x85"), "a tuple for a size"},
		{tensorOf(storageID("FloatStorage", "0", 7), 0, numbers(1), numbers(1)), "a storage of 24 bytes, not 7 elements of F32"},
		{tensorOf(storageID("FloatStorage", "0", 5), 0, numbers(1), numbers(1)), "a storage of 24 bytes, not 5 elements of F32"},
		{tensorOf(storageID("FloatStorage", "0", -6), 0, numbers(1), numbers(1)), "-6 for a size"},
		{tensorOf(storageID("FloatStorage", "1", 6), 0, numbers(1), numbers(1)), `zip entry "m/data/1" is missing`},
		{tensorOf(storageID("FloatStorage", "../data/0", 6), 0, numbers(1), numbers(1)), "is missing"},
		{tensorOf(storageID("QInt8Storage", "0", 6), 0, numbers(1), numbers(1)), `class "torch.QInt8Storage" is not allowed`},
		{tensorOf("N", 0, numbers(1), numbers(1)), "wrong arguments"},
		{"ctorch._utils\n_rebuild_tensor_v2\n)R", "with 0 arguments"},
		{"ctorch._utils\n_rebuild_parameter\n(NNNtR", "without a tensor"},
		{"ctorch\nSize\n(K\x01tR", "without a tuple"},
		{"NQ", "a persistent id that is not a storage's"},
		{"(" + text("module") + "NNNNtQ", "a persistent id that is not a storage's"},
		{"((t" + "NNNNtQ", "a persistent id that is not a storage's"},
		{"(" + text("storage") + "NNNNtQ", "without class, key or number"},
	}
	for _, tt := range tests {
		t.Run(tt.words, func(t *testing.T) {
			refuse(t, torchFile(t, saved("w", tt.tensor)), tt.words)
		})
	}
}

func TestTorchRefusesPickles(t *testing.T) {
	tests := map[string]struct{ program, words string }{
		"empty":                {"", "pickle byte 0: 1 bytes are due, but 0 are left"},
		"protocol":             {"\x80\x06.", "protocol 6"},
		"call":                 {"cos\nsystem\n" + text("id") + "\x85R.", `class "os.system" is not allowed`},
		"stack global":         {text("builtins") + text("eval") + "\x93.", `class "builtins.eval" is not allowed`},
		"long class":           {text(strings.Repeat("\n", 1<<20)) + text("eval") + "\x93.", `is not allowed`},
		"unnamed class":        {"NN\x93.", "a class named by None and None"},
		"endless class":        {"c" + strings.Repeat("a", 1<<20), "a line without end"},
		"cut class":            {"cos\nsys", "a line without end"},
		"instance":             {"(ios\nsystem\n.", "opcode INST (0x69) is not allowed"},
		"new object":           {"))\x81.", "an instance of a tuple made with a tuple"},
		"module outside":       {"c__torch__\nCLIP\n)\x81.", `class "__torch__.CLIP" is not allowed`},
		"loose memo for ever":  {"N" + strings.Repeat("r\xff\xff\xff\xff", 1<<19) + ".", "more memory"},
		"unknown opcode":       {"\xff.", "opcode 0xff is not allowed"},
		"2 GiB string":         {"X\xff\xff\xff\x7f1234567.", "2147483647 bytes are due, but 8 are left"},
		"14 bytes":             {"\x80\x02X\x00\x00\x00\x80123456.", "2147483648 bytes are due, but 7 are left"},
		"2^63 string":          {"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.", "18446744073709551615 bytes are due"},
		"frame":                {"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "a frame of 18446744073709551615 bytes"},
		"long number":          {"\x8a\xff", "an integer of 255 bytes"},
		"cut number":           {"J\x00\x00", "4 bytes are due, but 2 are left"},
		"not UTF-8":            {"X\x01\x00\x00\x00\xff.", "not UTF-8"},
		"memo miss":            {"h\x00.", "the memo has no entry 0"},
		"long memo miss":       {"j\xff\xff\xff\xff.", "the memo has no entry 4294967295"},
		"empty put":            {"q\x00.", "the stack runs empty"},
		"empty stop":           {".", "leaves 0 values"},
		"two values":           {"NN.", "leaves 2 values"},
		"open mark":            {"N(.", "leaves 1 values and 1 marks"},
		"below the mark":       {"N(\x85.", "the stack runs empty"},
		"no mark":              {"Nt.", "no mark"},
		"append to tuple":      {")Na.", "items appended to a tuple"},
		"append to nothing":    {"N(Ne.", "items appended to None"},
		"set in list":          {"]NNs.", "items set in a list"},
		"odd":                  {"}(Nu.", "a key without a value"},
		"attributes of a list": {"]Nb.", "attributes set on a list"},
		"call a number":        {"K\x01)R.", "an int called with a tuple"},
		"call with a list":     {"ccollections\nOrderedDict\n]R.", "a function called with a list"},
		"filled dict":          {"ccollections\nOrderedDict\n]\x85R.", "OrderedDict with arguments"},
		"no end":               {"\x80\x02N", "1 bytes are due"},
		"trailing":             {"\x80\x02}.N.", "2 bytes follow the pickle"},
		"marks":                {strings.Repeat("(", 1<<20), "more than 1024 marks"},
		"stack":                {strings.Repeat("N", 1<<20), "more than 65536 values"},
		"deep lists":           {strings.Repeat("]", 1<<16) + strings.Repeat("a", 1<<16-1) + ".", "not a state dict"},
		"deep tuples":          {")" + strings.Repeat("\x85", 1<<16) + ".", "not a state dict"},
		"endless tuples":       {")" + strings.Repeat("\x85", 1<<20) + ".", "more memory"},
		"billion tuples":       {")" + strings.Repeat("q\x00h\x00\x86", 1<<15) + ".", "not a state dict"},
		"list of itself":       {"]q\x00h\x00a.", "not a state dict"},
		"list of lists":        {"](" + strings.Repeat("]", 60000) + "e.", "not a state dict"},
		"lists for ever":       {"]" + strings.Repeat("]a", 1<<20) + ".", "more memory"},
		"dicts for ever":       {"]" + strings.Repeat("}a", 1<<20) + ".", "more memory"},
		"numbers for ever":     {"]" + strings.Repeat("M\xff\xffa", 1<<20) + ".", "more memory"},
		"memo for ever":        {"N" + strings.Repeat("\x94", 1<<22) + ".", "more memory"},
		"keys for ever":        {"}" + strings.Repeat("NNs", 1<<20) + ".", "more memory"},
		"classes for ever":     {"]" + strings.Repeat("ctorch\nSize\na", 1<<20) + ".", "more memory"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			refuse(t, torchFile(t, tt.program), tt.words)
		})
	}
}

func TestTorchRefusesArchives(t *testing.T) {
	program := saved("w", six(0, numbers(6), numbers(1)))
	pkl, data := entry{name: "m/data.pkl", content: program}, entry{name: "m/data/0", content: floats(6)}
	tests := map[string]struct {
		entries []entry
		words   string
	}{
		"no pickle":     {[]entry{data}, "without data.pkl"},
		"at the top":    {[]entry{{name: "data.pkl", content: program}, data}, "without data.pkl"},
		"too deep":      {[]entry{{name: "x/m/data.pkl", content: program}, data}, "without data.pkl"},
		"two":           {[]entry{pkl, data, {name: "n/data.pkl"}}, `two state dicts, in "m/" and "n/"`},
		"same name":     {[]entry{pkl, data, data}, `zip entry "m/data/0": named twice`},
		"climbing":      {[]entry{pkl, data, {name: "m/../../x"}}, "not a plain path"},
		"absolute":      {[]entry{pkl, data, {name: "/x"}}, "not a plain path"},
		"backslash":     {[]entry{pkl, data, {name: `m\x`}}, "not a plain path"},
		"no storage":    {[]entry{pkl}, `tensor "w": zip entry "m/data/0" is missing`},
		"big-endian":    {[]entry{pkl, data, {name: "m/byteorder", content: "big"}}, `byte order "big"`},
		"short storage": {[]entry{pkl, {name: "m/data/0", content: floats(5)}}, "a storage of 20 bytes"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			refuse(t, zipOf(t, tt.entries...), tt.words)
		})
	}
	for _, entries := range [][]entry{
		{pkl, data, {name: "m/byteorder", content: "little"}},
		{{name: "m/"}, {name: "m/data.pkl", content: program, method: zip.Deflate}, {name: "m/data/0", content: floats(6), method: zip.Deflate}},
	} {
		f, err := open(t, zipOf(t, entries...))
		if err != nil {
			t.Fatal(err)
		}
		if w, ok := f.Tensor("w"); !ok || string(w.Data) != floats(6) {
			t.Errorf("tensor is %v", w)
		}
	}
}

// TestTorchBombs opens archives whose entries unpack to much more than they
// take, or claim to.
func TestTorchBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", 40<<20)
	program := func(count int64) entry {
		return entry{name: "m/data.pkl", content: saved("w", tensorOf(storageID("ByteStorage", "0", count), 0, numbers(count), numbers(1)))}
	}
	refuse(t, zipOf(t, program(int64(len(zeros))), entry{name: "m/data/0", content: zeros, method: zip.Deflate}), "more memory")
	refuse(t, zipOf(t, entry{name: "m/data.pkl", content: zeros, method: zip.Deflate}), "more memory")

	// Sizes that the directory claims: 24 bytes into the last entry's record.
	claim := func(content []byte, size uint32) []byte {
		record := bytes.LastIndex(content, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(content[record+24:], size)
		return content
	}
	packed := entry{name: "m/data/0", content: zeros[:1000], method: zip.Deflate}
	refuse(t, claim(zipOf(t, program(1000), packed), 1<<31), "cannot unpack to 2147483648")
	refuse(t, claim(zipOf(t, program(1001), packed), 1001), "m/data/0")
	refuse(t, claim(zipOf(t, program(999), packed), 999), "m/data/0")
	packed.method = zip.Store
	refuse(t, claim(zipOf(t, program(1000), packed), 1<<31), "stored as 1000 bytes, but 2147483648 long")

	// As many storages as the budget allows, each a thousand times its bytes.
	var pairs []string
	var entries []entry
	for i := range 100 {
		key := fmt.Sprint(i)
		pairs = append(pairs, key, tensorOf(storageID("ByteStorage", key, 1<<20), 0, numbers(1<<20), numbers(1)))
		entries = append(entries, entry{name: "m/data/" + key, content: zeros[:1<<20], method: zip.Deflate})
	}
	refuse(t, zipOf(t, append(entries, entry{name: "m/data.pkl", content: saved(pairs...)})...), "more memory")

	// As many transposes of one storage.
	pairs = nil
	for i := range 1000 {
		pairs = append(pairs, fmt.Sprint(i), tensorOf(storageID("ByteStorage", "0", 1<<20), 0, numbers(1<<10, 1<<10), numbers(1, 1<<10)))
	}
	refuse(t, zipOf(t, entry{name: "m/data/0", content: zeros[:1<<20]}, entry{name: "m/data.pkl", content: saved(pairs...)}), "more memory")
}

// TestTorchDirectory opens archives of more entries than any model has.
func TestTorchDirectory(t *testing.T) {
	for _, n := range []int{20_000, 200_000} {
		entries := make([]entry, n)
		for i := range entries {
			entries[i].name = fmt.Sprint(i)
		}
		words := "without data.pkl"
		if n == 200_000 {
			words = "zip directory: larger than"
		}
		refuse(t, zipOf(t, entries...), words)
	}
}

// TestTorchDamaged cuts and changes a valid archive, and the pickle in it, at
// each byte. Whatever the changes mean, nothing panics; a cut is an error.
func TestTorchDamaged(t *testing.T) {
	program := saved("w", six(0, numbers(2, 3), numbers(3, 1)), "v", six(0, numbers(3, 2), numbers(1, 3)))
	whole := torchFile(t, program)
	if _, err := open(t, whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		refuse(t, whole[:n], "")
	}
	for n := range program {
		refuse(t, torchFile(t, program[:n]), "data.pkl")
	}
	for i := range whole {
		for _, mask := range []byte{1, 0x80, 0xff} {
			changed := bytes.Clone(whole)
			changed[i] ^= mask
			open(t, changed)
		}
	}
}
