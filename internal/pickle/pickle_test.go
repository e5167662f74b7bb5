package pickle

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
)

// python3 returns what Python 3 writes in each protocol: pickle.dumps({"none": None,
// "yes": True, "no": False, "int": 7, "minus": -7, "long": 1<<40, "half": 2.5,
// "text": "é\n'\\", "bytes": b"\x00\xff", "tuple": (1, "a"), "list": [1, [2]],
// "dict": {"a": ()}}, protocol).
func python3() []string {
	return []string{
		"(dp0\nVnone\np1\nNsVyes\np2\nI01\nsVno\np3\nI00\nsVint\np4\nI7\nsVminus\np5\nI-7\nsVlong\np6\nL1099511627776L\nsVhalf\np7\nF2.5\nsVtext\np8\nV\xe9\x5cu000a'\x5cu005c\np9\nsVbytes\np10\nc_codecs\nencode\np11\n(V\x5cu0000\xff\np12\nVlatin1\np13\ntp14\nRp15\nsVtuple\np16\n(I1\nVa\np17\ntp18\nsVlist\np19\n(lp20\nI1\na(lp21\nI2\naasVdict\np22\n(dp23\ng17\n(tss.",
		"}q\x00(X\x04\x00\x00\x00noneq\x01NX\x03\x00\x00\x00yesq\x02I01\nX\x02\x00\x00\x00noq\x03I00\nX\x03\x00\x00\x00intq\x04K\x07X\x05\x00\x00\x00minusq\x05J\xf9\xff\xff\xffX\x04\x00\x00\x00longq\x06L1099511627776L\nX\x04\x00\x00\x00halfq\x07G@\x04\x00\x00\x00\x00\x00\x00X\x04\x00\x00\x00textq\x08X\x05\x00\x00\x00\xc3\xa9\n'\x5cq\x09X\x05\x00\x00\x00bytesq\nc_codecs\nencode\nq\x0b(X\x03\x00\x00\x00\x00\xc3\xbfq\x0cX\x06\x00\x00\x00latin1q\x0dtq\x0eRq\x0fX\x05\x00\x00\x00tupleq\x10(K\x01X\x01\x00\x00\x00aq\x11tq\x12X\x04\x00\x00\x00listq\x13]q\x14(K\x01]q\x15K\x02aeX\x04\x00\x00\x00dictq\x16}q\x17h\x11)su.",
		"\x80\x02}q\x00(X\x04\x00\x00\x00noneq\x01NX\x03\x00\x00\x00yesq\x02\x88X\x02\x00\x00\x00noq\x03\x89X\x03\x00\x00\x00intq\x04K\x07X\x05\x00\x00\x00minusq\x05J\xf9\xff\xff\xffX\x04\x00\x00\x00longq\x06\x8a\x06\x00\x00\x00\x00\x00\x01X\x04\x00\x00\x00halfq\x07G@\x04\x00\x00\x00\x00\x00\x00X\x04\x00\x00\x00textq\x08X\x05\x00\x00\x00\xc3\xa9\n'\x5cq\x09X\x05\x00\x00\x00bytesq\nc_codecs\nencode\nq\x0bX\x03\x00\x00\x00\x00\xc3\xbfq\x0cX\x06\x00\x00\x00latin1q\x0d\x86q\x0eRq\x0fX\x05\x00\x00\x00tupleq\x10K\x01X\x01\x00\x00\x00aq\x11\x86q\x12X\x04\x00\x00\x00listq\x13]q\x14(K\x01]q\x15K\x02aeX\x04\x00\x00\x00dictq\x16}q\x17h\x11)su.",
		"\x80\x03}q\x00(X\x04\x00\x00\x00noneq\x01NX\x03\x00\x00\x00yesq\x02\x88X\x02\x00\x00\x00noq\x03\x89X\x03\x00\x00\x00intq\x04K\x07X\x05\x00\x00\x00minusq\x05J\xf9\xff\xff\xffX\x04\x00\x00\x00longq\x06\x8a\x06\x00\x00\x00\x00\x00\x01X\x04\x00\x00\x00halfq\x07G@\x04\x00\x00\x00\x00\x00\x00X\x04\x00\x00\x00textq\x08X\x05\x00\x00\x00\xc3\xa9\n'\x5cq\x09X\x05\x00\x00\x00bytesq\nC\x02\x00\xffq\x0bX\x05\x00\x00\x00tupleq\x0cK\x01X\x01\x00\x00\x00aq\x0d\x86q\x0eX\x04\x00\x00\x00listq\x0f]q\x10(K\x01]q\x11K\x02aeX\x04\x00\x00\x00dictq\x12}q\x13h\x0d)su.",
		"\x80\x04\x95\x99\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04none\x94N\x8c\x03yes\x94\x88\x8c\x02no\x94\x89\x8c\x03int\x94K\x07\x8c\x05minus\x94J\xf9\xff\xff\xff\x8c\x04long\x94\x8a\x06\x00\x00\x00\x00\x00\x01\x8c\x04half\x94G@\x04\x00\x00\x00\x00\x00\x00\x8c\x04text\x94\x8c\x05\xc3\xa9\n'\x5c\x94\x8c\x05bytes\x94C\x02\x00\xff\x94\x8c\x05tuple\x94K\x01\x8c\x01a\x94\x86\x94\x8c\x04list\x94]\x94(K\x01]\x94K\x02ae\x8c\x04dict\x94}\x94h\x0d)su.",
		"\x80\x05\x95\x99\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04none\x94N\x8c\x03yes\x94\x88\x8c\x02no\x94\x89\x8c\x03int\x94K\x07\x8c\x05minus\x94J\xf9\xff\xff\xff\x8c\x04long\x94\x8a\x06\x00\x00\x00\x00\x00\x01\x8c\x04half\x94G@\x04\x00\x00\x00\x00\x00\x00\x8c\x04text\x94\x8c\x05\xc3\xa9\n'\x5c\x94\x8c\x05bytes\x94C\x02\x00\xff\x94\x8c\x05tuple\x94K\x01\x8c\x01a\x94\x86\x94\x8c\x04list\x94]\x94(K\x01]\x94K\x02ae\x8c\x04dict\x94}\x94h\x0d)su.",
	}
}

// plain is a resolver that knows no class but that of bytes.
type plain struct{ Values }

func (p plain) Class(module, name string) (any, error) {
	if known, ok := p.NumPy(module + "." + name); ok {
		return known, nil
	}
	return nil, errors.New("not allowed")
}

// both runs a pickle in memory and as a stream.
func both(pickled []byte) (values [2]any, errs [2]error) {
	for i := range values {
		m := &Machine{Budget: NewBudget(1 << 20)}
		m.Resolver = plain{Values{m.Budget}}
		if i == 0 {
			values[i], _, errs[i] = m.Run(pickled)
		} else {
			values[i], errs[i] = m.RunStream(bufio.NewReaderSize(bytes.NewReader(pickled), 1<<16))
		}
	}
	return values, errs
}

// spelled writes a value, not deeper than so many containers.
func spelled(v any, depth int) string {
	var parts []string
	sequence, ok := v.(interface{ Items() iter.Seq[any] })
	switch d, isDict := v.(*Dict); {
	case depth == 0:
		return "…"
	case isDict:
		for key, value := range d.Pairs() {
			parts = append(parts, spelled(key, depth-1)+": "+spelled(value, depth-1))
		}
	case ok:
		for item := range sequence.Items() {
			parts = append(parts, spelled(item, depth-1))
		}
	default:
		return fmt.Sprintf("%#v", v)
	}
	return Kind(v) + "(" + strings.Join(parts, ", ") + ")"
}

func TestProtocols(t *testing.T) {
	const want = `a dict("none": <nil>, "yes": true, "no": false, "int": 7, "minus": -7, "long": 1099511627776, "half": 2.5, ` +
		`"text": "é\n'\\", "bytes": pickle.Bytes{0x0, 0xff}, "tuple": a tuple(1, "a"), "list": a list(1, a list(2)), "dict": a dict("a": a tuple()))`
	for protocol, pickled := range python3() {
		values, errs := both([]byte(pickled))
		for i, v := range values {
			if got := spelled(v, 9); errs[i] != nil || got != want {
				t.Errorf("protocol %d: %v, %s", protocol, errs[i], got)
			}
		}
	}
}

// FuzzMachine holds that nothing makes the machine panic, and that a stream is read as
// memory is. A stream has more memory.
func FuzzMachine(f *testing.F) {
	for _, pickled := range python3() {
		f.Add([]byte(pickled))
	}
	f.Add([]byte("(lp0\nS'it\\'s'\np1\naU\x02\xffa0T\x01\x00\x00\x00bI01\nd."))
	f.Fuzz(func(t *testing.T, pickled []byte) {
		values, errs := both(pickled)
		if (errs[0] == nil) && (errs[1] != nil) && len(pickled) < 1<<16 {
			t.Errorf("in memory %s, as a stream %v", spelled(values[0], 3), errs[1])
		}
		if errs[0] == nil && errs[1] == nil && spelled(values[0], 3) != spelled(values[1], 3) {
			t.Errorf("%s and %s", spelled(values[0], 3), spelled(values[1], 3))
		}
	})
}
