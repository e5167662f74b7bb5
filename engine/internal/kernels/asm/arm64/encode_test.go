package main

import "testing"

// TestEncodings compares with what GNU as makes of the same instructions.
func TestEncodings(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{encode3("FADD", 1, 2, 3), "WORD $0x4e23d441 // FADD V1.4S, V2.4S, V3.4S"},
		{encode3("FSUB", 31, 16, 0), "WORD $0x4ea0d61f // FSUB V31.4S, V16.4S, V0.4S"},
		{encode3("FMUL", 1, 2, 30), "WORD $0x6e3edc41 // FMUL V1.4S, V2.4S, V30.4S"},
		{encode3("FDIV", 1, 2, 3), "WORD $0x6e23fc41 // FDIV V1.4S, V2.4S, V3.4S"},
		{encode3("FMAX", 1, 2, 3), "WORD $0x4e23f441 // FMAX V1.4S, V2.4S, V3.4S"},
		{encode3("FMIN", 1, 2, 3), "WORD $0x4ea3f441 // FMIN V1.4S, V2.4S, V3.4S"},
		{encode3("FMLA", 1, 2, 3), "WORD $0x4e23cc41 // FMLA V1.4S, V2.4S, V3.4S"},
		{encode3("FMLS", 21, 12, 31), "WORD $0x4ebfcd95 // FMLS V21.4S, V12.4S, V31.4S"},
		{encode2("FNEG", 4, 5), "WORD $0x6ea0f8a4 // FNEG V4.4S, V5.4S"},
		{encode2("FABS", 4, 5), "WORD $0x4ea0f8a4 // FABS V4.4S, V5.4S"},
		{encode2("FSQRT", 31, 17), "WORD $0x6ea1fa3f // FSQRT V31.4S, V17.4S"},
		{encodeWiden("FCVTL", 1, 2), "WORD $0x0e217841 // FCVTL V1.4S, V2.4H"},
		{encodeWiden("FCVTL2", 1, 2), "WORD $0x4e217841 // FCVTL2 V1.4S, V2.8H"},
		{encodeElement("FMLA", 23, 29, 26), "WORD $0x4f9a13b7 // FMLA V23.4S, V29.4S, V26.S[0]"},
	} {
		if test.got != test.want {
			t.Errorf("%s, GNU as has %s", test.got, test.want)
		}
	}
}
