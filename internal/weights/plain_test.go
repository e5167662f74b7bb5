package weights

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// blobOf is the bytes s in a pickle.
func blobOf(s string) string {
	return "B" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

// inBytes is a storage in a plain pickle: a legacy file of one.
func inBytes(content string) string {
	return "ctorch.storage\n_load_from_bytes\n" + blobOf(content) + "\x85R"
}

// nestedSix is a legacy file of a storage of six floats.
func nestedSix() string {
	return legacyHead + "\x80\x02" + legacyID("FloatStorage", "7", 6) + "." + keySeven + elements(6, floats(6))
}

const (
	numpyF4    = "cnumpy\ndtype\nX\x02\x00\x00\x00f4\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	numpyEmpty = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
)

// array is a numpy array of 2×3 float32.
func array(order, content string) string {
	return numpyEmpty + "(K\x01" + numbers(2, 3) + numpyF4 + order + content + "tb"
}

func TestPlainPickle(t *testing.T) {
	codecs := "c_codecs\nencode\n" + text("\x00\x00\u0080?") + text("latin1") + "\x86R" // 1.0
	program := "\x80\x03}(" +
		text("w") + tensorOf(inBytes(nestedSix()), 1, numbers(2, 2), numbers(1, 3)) +
		text("array") + array("\x89", blobOf(floats(6))) +
		text("fortran") + array("\x88", blobOf(floats(6))) +
		text("buffer") + "cnumpy.core.numeric\n_frombuffer\n(\x96\x18\x00\x00\x00\x00\x00\x00\x00" + floats(6) + numpyF4 + numbers(6) + text("C") + "tR" +
		text("score") + "cnumpy.core.multiarray\nscalar\n" + numpyF4 + codecs + "\x86R" +
		text("captions") + "](}(" + text("caption") + text("a dog") + text("ids") + "K\x01K\x02\x86ue" +
		"u."
	content := []byte(program)
	f, err := open(t, content)
	if err != nil {
		t.Fatal(err)
	}
	if f.Format() != "pickle" || !slices.Equal(f.Names(), []string{"array", "buffer", "fortran", "w"}) {
		t.Errorf("a %s of %v", f.Format(), f.Names())
	}
	sameFloats(t, f, "w", 1, 4, 2, 5)
	sameFloats(t, f, "array", 0, 1, 2, 3, 4, 5)
	sameFloats(t, f, "buffer", 0, 1, 2, 3, 4, 5)
	sameFloats(t, f, "fortran", 0, 2, 4, 1, 3, 5)

	p, err := OpenPickle(write(t, content))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	score, _ := p.Get("score")
	if x, ok := score.Scalar(); !ok || x != 1.0 {
		t.Errorf("score is %v", x)
	}
	captions, _ := p.Get("captions")
	for item := range captions.Items() {
		caption, _ := item.Get("caption")
		if x, _ := caption.Scalar(); x != "a dog" {
			t.Errorf("caption is %v", x)
		}
		ids, _ := item.Get("ids")
		if got := len(slices.Collect(ids.Items())); got != 2 {
			t.Errorf("%d ids", got)
		}
	}
	if _, err := captions.Tensor("captions"); err == nil || !strings.Contains(err.Error(), "a list, not a tensor") {
		t.Errorf("a list as a tensor: %v", err)
	}
}

func TestPlainRefuses(t *testing.T) {
	w := func(storage string) string {
		return "\x80\x03}" + text("w") + tensorOf(storage, 0, numbers(6), numbers(1)) + "s."
	}
	inside := legacyHead + "\x80\x02" + inBytes(nestedSix()) + "."
	for name, tt := range map[string]struct{ program, words string }{
		"no legacy file":   {w(inBytes("PK\x03\x04")), "no legacy torch file"},
		"no bytes":         {w("ctorch.storage\n_load_from_bytes\nN\x85R"), "no legacy torch file"},
		"cut":              {w(inBytes(nestedSix()[:200])), "_load_from_bytes: "},
		"a dict":           {w(inBytes(legacyHead + saved() + "\x80\x02].")), "of a dict, not a storage"},
		"in itself":        {w(inBytes(inside)), "not allowed"},
		"persistent":       {w(storageID("FloatStorage", "0", 6)), "outside of a torch file"},
		"script":           {"\x80\x02c__torch__\nM\n)\x81.", "not allowed"},
		"trailing":         {w(inBytes(nestedSix())) + "N", "1 bytes follow the pickle"},
		"2 GiB of bytes":   {"\x80\x04B\xff\xff\xff\x7f1234567.", "2147483647 bytes are due"},
		"2^64 bytes":       {"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "18446744073709551615 bytes are due"},
		"codec":            {"\x80\x02c_codecs\nencode\n" + text("a") + text("rot13") + "\x86R.", "something else than bytes"},
		"not latin1":       {"\x80\x02c_codecs\nencode\n" + text("ā") + text("latin1") + "\x86R.", "not latin1"},
		"object array":     {"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87R.", "no plain number"},
		"big-endian":       {"\x80\x02" + strings.Replace(numpyF4, "<", ">", 1) + ".", "not little-endian"},
		"short array":      {"\x80\x02" + array("\x89", blobOf(floats(5))) + ".", "20 bytes, but shape [2 3]"},
		"empty array":      {"\x80\x02}" + text("a") + numpyEmpty + "s.", `tensor "a": an array without its elements`},
		"array twice":      {"\x80\x02" + array("\x89", blobOf(floats(6))) + "Nb.", "attributes set on a tensor"},
		"array of nothing": {"\x80\x02" + numpyEmpty + "(K\x01NNNNtb.", "without shape, type, order or bytes"},
		"buffer":           {"\x80\x02cnumpy.core.numeric\n_frombuffer\n)R.", "wrong arguments"},
		"scalar":           {"\x80\x02cnumpy.core.multiarray\nscalar\n" + numpyF4 + "C\x01a\x86R.", "without type or bytes"},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, []byte(tt.program), tt.words) })
	}
}

// TestPlainSlow makes a pickle read one large file in it again and again, and one
// text be turned into bytes as often.
func TestPlainSlow(t *testing.T) {
	large := legacyHead + strings.Repeat("\x80\x02", 1<<19) + "N." + "\x80\x02]."
	again := "\x80\x03]q\x00ctorch.storage\n_load_from_bytes\nq\x01" + blobOf(large) + "q\x02" + strings.Repeat("h\x01h\x02\x85Ra", 1<<15)
	refuse(t, []byte(again), "of None, not a storage")
	storage := strings.Replace(nestedSix(), "\x80\x02("+text("storage"), strings.Repeat("\x80\x02", 1<<19)+"("+text("storage"), 1)
	again = "\x80\x03](ctorch.storage\n_load_from_bytes\nq\x01" + blobOf(storage) + "q\x02" + strings.Repeat("h\x01h\x02\x85R", 1<<15)
	refuse(t, []byte(again), "more memory")
	bytes := "\x80\x02](c_codecs\nencode\nq\x01" + text(strings.Repeat("a", 1<<20)) + "q\x02" + strings.Repeat("h\x01h\x02"+text("latin1")+"\x86R", 1<<10)
	refuse(t, []byte(bytes), "more memory")
}

// TestPlainLists opens what fills most of the memory that a file of its size may
// take: a million captions, and tensors one by one.
func TestPlainLists(t *testing.T) {
	var b strings.Builder
	b.WriteString("\x80\x04]\x94")
	caption := "a brown dog runs over the wet grass with a ball."
	for range 1000 {
		b.WriteByte('(')
		for range 1000 {
			b.WriteString("\x8c" + string(rune(len(caption))) + caption + "\x94")
		}
		b.WriteByte('e')
	}
	b.WriteByte('.')
	captions := write(t, []byte(b.String()))
	pickle, err := OpenPickle(captions)
	if err != nil {
		t.Fatal(err)
	}
	defer pickle.Close()
	count := 0
	for range pickle.Items() {
		count++
	}
	if count != 1_000_000 {
		t.Errorf("%d captions", count)
	}
	took := allocated(func() {
		again, err := OpenPickle(captions)
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	})
	if limit := uint64(64<<20 + 4*b.Len()); took > limit {
		t.Errorf("%d bytes allocate %d, more than %d", b.Len(), took, limit)
	}

	b.Reset()
	b.WriteString("\x80\x03](")
	const width = 512
	half := legacyHead + "\x80\x02" + legacyID("HalfStorage", "7", width) + "." + keySeven + elements(width, strings.Repeat("ab", width))
	for range 20_000 {
		b.WriteString("}(" + text("image") + tensorOf(inBytes(half), 0, numbers(width), numbers(1)) +
			text("caption") + tensorOf(inBytes(half), 0, numbers(width), numbers(1)) + "u")
	}
	b.WriteString("e.")
	refuse(t, []byte(b.String()), "a list, not a state dict") // all is read, within the limit
}
