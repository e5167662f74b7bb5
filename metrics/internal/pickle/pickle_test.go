package pickle

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func joined(words []string) (string, error) {
	if len(words) == 0 {
		return "", errors.New("an empty n-gram")
	}
	return strings.Join(words, "_"), nil
}

func TestRead(t *testing.T) {
	// python3 -c 'import pickle, numpy, collections
	// d = collections.defaultdict(float); d.update({("a",): 3, ("a", "dog"): 2.0,
	//     ("café",): 1, ("it\'s", "\\", "\n", "x"): 70000})
	// pickle.dump({"document_frequency": d, "ref_len": numpy.log(40504.)}, f, protocol)'
	// and with a dict or a Counter and the number itself.
	want := map[string]float64{"a": 3, "a_dog": 2, "café": 1, "it's_\\_\n_x": 70000}
	files, err := filepath.Glob("testdata/*.p")
	if err != nil || len(files) != 8 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		refLen := 40504.0
		if strings.Contains(name, "protocol") {
			refLen = math.Log(refLen)
		}
		got, err := Read(bytes.NewReader(data), joined)
		if err != nil || !maps.Equal(got.Counts, want) || math.Abs(got.RefLen-refLen) > 1e-12 {
			t.Errorf("%s: %+v, %v; want %v and %v", name, got, err, want, refLen)
		}
		for n := range data { // a file that was cut off
			if _, err := Read(bytes.NewReader(data[:n]), joined); err == nil {
				t.Errorf("%s: %d of %d bytes are read", name, n, len(data))
			}
		}
	}
}

// python2 is as Python 2 pickles unasked.
const python2 = "(dp0\nS'ref_len'\np1\nF10.5\nsS'document_frequency'\np2\nccollections\ndefaultdict\np3\n" +
	"(c__builtin__\nfloat\np4\ntp5\nRp6\n(S'a'\np7\nS\"it's\"\np8\ntp9\nF3.0\ns(g7\nS'caf\\xc3\\xa9'\np10\nt" +
	"I12\ns(V\\u0394\np11\ntp12\nL7L\nss."

func TestReadPython2(t *testing.T) {
	want := map[string]float64{"a_it's": 3, "a_café": 12, "Δ": 7}
	got, err := Read(strings.NewReader(python2), joined)
	if err != nil || !maps.Equal(got.Counts, want) || got.RefLen != 10.5 {
		t.Errorf("%+v, %v; want %v", got, err, want)
	}
}

// TestReadRefuses holds that nothing is called, and that mistakes are named.
func TestReadRefuses(t *testing.T) {
	for pickled, want := range map[string]string{
		"":                             "unexpected EOF",
		"cos\nsystem\n(S'ls'\ntR.":     `"os.system"`,
		"\x80\x02}.":                   `lacks a dictionary "document_frequency"`,
		"}K\x01K\x02s.":                "a key of type float64",
		"}(K\x01K\x02tK\x03s.":         "an n-gram that is not of words",
		"})K\x03s.":                    "an empty n-gram",
		"}S'a'\nS'b'\nS'c'\n(tss.":     "items set in what is no dictionary",
		"t.":                           "no mark",
		"K\x01.":                       "no dictionary",
		"h\x00.":                       "the memo has no entry 0",
		"}r\xff\xff\xff\x7f.":          "comes out of order",
		"X\xff\xff\xff\x7f":            "a text of 2147483647 bytes",
		"S'a\n.":                       "without its quotes",
		"\x8a\xff":                     "an integer of 255 bytes",
		strings.Repeat("N", 100_000):   "values on the stack",
		"cnumpy\ndtype\n(I1\ntR.":      "called with other arguments",
		"c" + strings.Repeat("x", 1e5): "a line of more than",
		"\xff":                         "opcode 0xff",
	} {
		if _, err := Read(strings.NewReader(pickled), joined); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", pickled, err, want)
		}
	}
}

// FuzzRead holds that no file makes the reader panic, or take much more memory than it
// has bytes.
func FuzzRead(f *testing.F) {
	f.Add([]byte(python2))
	files, err := filepath.Glob("testdata/*.p")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(bytes.NewReader(data), joined)
		if err == nil && len(got.Counts) > len(data) {
			t.Errorf("%d n-grams in %d bytes", len(got.Counts), len(data))
		}
	})
}
