package metrics

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// countsOf returns the counts of n-grams, the tokens of which are joined by "_".
func countsOf(t testing.TB, counts map[string]int) map[gram]int {
	t.Helper()
	grams := make(map[gram]int, len(counts))
	for key, n := range counts {
		g, err := gramOf(strings.Split(key, "_"))
		if err != nil {
			t.Fatal(err)
		}
		grams[g] = n
	}
	return grams
}

// frequencyPickles returns the files of every protocol.
func frequencyPickles(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/frequencies/*.p")
	if err != nil || len(names) != 8 {
		t.Fatal(names, err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestFrequencyPickle(t *testing.T) {
	// python3 -c 'import pickle, numpy, collections
	// d = collections.defaultdict(float); d.update({("a",): 3, ("a", "dog"): 2.0,
	//     ("café",): 1, ("it\'s", "\\", "\n", "x"): 70000})
	// pickle.dump({"document_frequency": d, "ref_len": numpy.log(40504.)}, f, protocol)'
	// and with a dict or a Counter and the number itself, which 70000 is above.
	want := countsOf(t, map[string]int{"a": 3, "a_dog": 2, "café": 1, "it's_\\_\n_x": 70000})
	for name, data := range frequencyPickles(t) {
		images := 40504.0
		if strings.Contains(name, "protocol") {
			images = math.Log(images)
		}
		got, err := ReadDocumentFrequencies(bytes.NewReader(data))
		if err != nil || !maps.Equal(got.counts, want) || math.Abs(got.logImages-images) > 1e-12 {
			t.Errorf("%s: %+v, %v; want %v and %v", name, got, err, want, images)
		}
		for n := range data { // a file that was cut off
			if _, err := ReadDocumentFrequencies(bytes.NewReader(data[:n])); err == nil {
				t.Errorf("%s: %d of %d bytes are read", name, n, len(data))
			}
		}
	}
}

// python2 is as Python 2 pickles unasked.
const python2 = "(dp0\nS'ref_len'\np1\nF10.5\nsS'document_frequency'\np2\nccollections\ndefaultdict\np3\n" +
	"(c__builtin__\nfloat\np4\ntp5\nRp6\n(S'a'\np7\nS\"it's\"\np8\ntp9\nF3.0\ns(g7\nS'caf\\xc3\\xa9'\np10\nt" +
	"I12\ns(V\\u0394\np11\ntp12\nL7L\nss."

func TestFrequencyPickleOfPython2(t *testing.T) {
	want := countsOf(t, map[string]int{"a_it's": 3, "a_café": 12, "Δ": 7})
	got, err := readFrequencyPickle(strings.NewReader(python2))
	if err != nil || !maps.Equal(got.counts, want) || got.logImages != 10.5 {
		t.Errorf("%+v, %v; want %v", got, err, want)
	}
}

// TestFrequencyPickleRefuses holds that nothing is called, and that mistakes are named.
func TestFrequencyPickleRefuses(t *testing.T) {
	counts := func(key, count string) string { return "}" + key + count + "s." }
	for pickled, want := range map[string]string{
		"":                         "0 are left",
		"cos\nsystem\n(S'ls'\ntR.": `"os.system"`,
		"\x80\x02}.":               `lacks a dictionary "document_frequency"`,
		"}K\x01K\x02s.":            "an int for a key",
		"}(K\x01K\x02tK\x03s.":     "a tuple for a key",
		"})K\x03s.":                "a tuple for a key",
		counts("(S'a'\nS'a'\nS'a'\nS'a'\nS'a'\nt", "I1\n"): "a tuple for a key",
		counts("S'a'\n\x85", "S'b'\n"):                     "a string, not a number",
		counts("S'a'\n\x85", "I-1\n"):                      "so many images: -1",
		counts("S'a'\n\x85", "Fnan\n"):                     "so many images: NaN",
		"}S'document_frequency'\n}s.":                      `"ref_len": None, not a number`,
		"}S'a'\nS'b'\nS'c'\n(tss.":                         "items set in a string",
		"t.":                                               "no mark",
		"K\x01.":                                           "lacks a dictionary",
		"h\x00.":                                           "the memo has no entry 0",
		"X\xff\xff\xff\x7f":                                "2147483647 bytes are due at once",
		"S'a\n.":                                           "without its quotes",
		"\x8a\xff":                                         "an integer of 255 bytes",
		strings.Repeat("N", 100_000):                       "values on the stack",
		"cnumpy\ndtype\n(I1\ntR.":                          "no plain number",
		"c" + strings.Repeat("x", 1e5):                     "a line without end",
		"\xff":                                             "opcode 0xff",
		"I99999999999999999999\n.":                         "out of range",
		"p4294967296\n":                                    "out of range",
		"}q\x00S'document_frequency'\nh\x00s.":             `"ref_len": None`,
	} {
		if _, err := readFrequencyPickle(strings.NewReader(pickled)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", pickled, err, want)
		}
	}
}

// TestFrequencyPickleMemory reads what costs the most memory for each byte, and files as
// long as people have them.
func TestFrequencyPickleMemory(t *testing.T) {
	numbered := func(n int, one func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(one(i))
		}
		return b.String()
	}
	short := func(i int) string { return fmt.Sprintf("U\x05%05x", i) }
	for name, file := range map[string]struct{ pickled, want string }{
		"words":      {numbered(1<<20, func(i int) string { return short(i) + "0" }), "more memory"},
		"n-grams":    {"}" + numbered(1<<20, func(i int) string { return short(i) + "\x85K\x01s" }), "more memory"},
		"dicts":      {numbered(1<<20, func(int) string { return "}0" }), "more memory"},
		"filled":     {numbered(1<<20, func(int) string { return "}U\x01a\x85K\x01s0" }), "more memory"},
		"tuples":     {numbered(1<<20, func(int) string { return "(NNNNNNNNt0" }), "more memory"},
		"lists":      {numbered(1<<20, func(int) string { return "]0" }), "more memory"},
		"numbers":    {numbered(1<<20, func(int) string { return "J\xff\xff\xff\x7f0" }), "0 are left"},
		"memo":       {"N" + strings.Repeat("\x94", 1<<22), "more memory"},
		"loose memo": {"N" + numbered(1<<20, func(i int) string { return fmt.Sprintf("p%d\n", 2*i+9) }), "more memory"},
		"bytes":      {numbered(1<<10, func(int) string { return "B\x00\xf0\x00\x00" + strings.Repeat("b", 0xf000) + "0" }), "0 are left"},
		"escapes":    {numbered(1<<10, func(int) string { return "V" + strings.Repeat("\xe9", 0xf000) + "\n0" }), "0 are left"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readFrequencyPickle(strings.NewReader(file.pickled))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), file.want) {
			t.Errorf("%s: error %v, want %q", name, err, file.want)
		}
		if took := int(after.TotalAlloc - before.TotalAlloc); took > 64<<20+4*len(file.pickled) {
			t.Errorf("%s: %d bytes allocate %d", name, len(file.pickled), took)
		}
	}
}

// FuzzFrequencyPickle holds that no file makes the reader panic, or holds more n-grams
// than bytes.
func FuzzFrequencyPickle(f *testing.F) {
	f.Add([]byte(python2))
	for _, data := range frequencyPickles(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readFrequencyPickle(bytes.NewReader(data))
		if err == nil && len(got.counts) > len(data) {
			t.Errorf("%d n-grams in %d bytes", len(got.counts), len(data))
		}
	})
}
