package weights

import (
	"archive/zip"
	"testing"
)

// exercise reads everything in an opened file.
func exercise(t *testing.T, tensors []Tensor) {
	for _, tensor := range tensors {
		if err := tensor.check(); err != nil {
			t.Error(err)
		}
		if _, err := tensor.Float32(); err == nil {
			continue
		}
		if _, err := tensor.Int64(); err != nil {
			t.Errorf("neither float32 nor int64: %v", err)
		}
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add([]byte(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}`), 9)
	f.Add([]byte(`{"__metadata__":{"a":"\u00e9\n"},"\ud83d\ude00":{"dtype":"BF16","shape":[0,3],"data_offsets":[0,0]}}  `), 0)
	f.Fuzz(func(t *testing.T, header []byte, size int) {
		c, err := parse(safetensors(string(header), min(max(size, 0), 1<<16)))
		if err == nil {
			exercise(t, c.tensors)
		}
	})
}

// FuzzTorch feeds pickles to the reader: the archive around them is sound.
func FuzzTorch(f *testing.F) {
	f.Add([]byte(saved("w", six(0, numbers(2, 3), numbers(3, 1)), "v", six(0, numbers(3, 2), numbers(1, 3)))))
	f.Add([]byte(saved("epoch", "K\x07", "net", dictOf("w", six(5, ")", ")"))+"q\x07", "again", "h\x07")))
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94\x8c\x05torch\x8c\x04Size\x93u."))
	f.Fuzz(func(t *testing.T, program []byte) {
		c, err := parse(torchFile(t, string(program)))
		if err == nil {
			exercise(t, c.tensors)
		}
	})
}

// FuzzTorchArchive feeds whole files: archives, stored and packed, legacy files and
// plain pickles.
func FuzzTorchArchive(f *testing.F) {
	program := saved("w", six(0, numbers(2, 3), numbers(3, 1)))
	for _, method := range []uint16{zip.Store, zip.Deflate} {
		f.Add(zipOf(f, entry{"m/data.pkl", program, method}, entry{"m/data/0", floats(6), method}, entry{"m/byteorder", "little", method}))
	}
	f.Add(scriptFile(f, module("w", six(0, numbers(2), numbers(1)), "m", module("w", six(2, numbers(2), numbers(1))))))
	f.Add([]byte(legacyHead + saved("w", legacySix(0, numbers(2, 3), numbers(3, 1))) + keySeven + elements(6, floats(6))))
	f.Add([]byte("\x80\x03}" + text("w") + tensorOf(inBytes(nestedSix()), 1, numbers(2, 2), numbers(1, 3)) + "s."))
	f.Add([]byte("\x80\x03}" + text("w") + array("\x89", blobOf(floats(6))) + "s."))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) == 0 {
			return
		}
		c, err := parse(content)
		if err == nil {
			exercise(t, c.tensors)
		}
	})
}
