package main

import (
	"fmt"
	"testing"

	"github.com/mmcloughlin/avo/reg"
)

// TestTileEncodings compares with what GNU as makes of the same instructions.
func TestTileEncodings(t *testing.T) {
	for _, test := range []struct {
		got        []byte
		want, text string
	}{
		{configure(reg.RDI), "c4 e2 78 49 07", "ldtilecfg (%rdi)"},
		{tileZero(3), "c4 e2 7b 49 d8", "tilezero %tmm3"},
		{release(), "c4 e2 78 49 c0", "tilerelease"},
		{tileProduct(2, 5, 7), "c4 e2 42 5c d5", "tdpbf16ps %tmm7,%tmm5,%tmm2"},
		{tileLoad(4, reg.RSI, reg.RCX, 2048), "c4 e2 7b 4b a4 0e 00 08 00 00", "tileloadd 2048(%rsi,%rcx,1),%tmm4"},
		{tileLoad(1, reg.R13, reg.R9, 64), "c4 82 7b 4b 8c 0d 40 00 00 00", "tileloadd 64(%r13,%r9,1),%tmm1"},
		{tileLoad(6, reg.R8, reg.RCX, -64), "c4 c2 7b 4b b4 08 c0 ff ff ff", "tileloadd -64(%r8,%rcx,1),%tmm6"},
		{tileStore(2, reg.RAX, reg.RBX, 64), "c4 e2 7a 4b 94 18 40 00 00 00", "tilestored %tmm2,64(%rax,%rbx,1)"},
		{tileStore(0, reg.R13, reg.RBX, 0), "c4 c2 7a 4b 84 1d 00 00 00 00", "tilestored %tmm0,0(%r13,%rbx,1)"},
	} {
		if got := fmt.Sprintf("% x", test.got); got != test.want {
			t.Errorf("%s: %s, GNU as has %s", test.text, got, test.want)
		}
	}
}
