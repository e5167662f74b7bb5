package kernels

import "golang.org/x/sys/cpu"

func vectorSets() []*Set {
	var sets []*Set
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX2 {
		if cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && askForTiles() {
			sets = append(sets, amx())
		}
		sets = append(sets, avx512())
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasF16C {
		sets = append(sets, avx2())
	}
	return sets
}

func avx2() *Set {
	return withSpare(Set{
		Name: "avx2", lanes: 8,
		tiles:     []tile{{32, product1AVX2}, {32, product2AVX2}, {32, product3AVX2}},
		halfTiles: []halfTile{{32, productHalf1AVX2}, {32, productHalf2AVX2}, {32, productHalf3AVX2}},
		widen:     widenAVX2,
		transpose: transposeAVX2, ask: ask,
		add: addAVX2, sub: subAVX2, mul: mulAVX2, div: divAVX2, max: maxAVX2, min: minAVX2,
		neg: negAVX2, abs: absAVX2, sqrt: sqrtAVX2,
		exp: expAVX2, logistic: logisticAVX2, tanh: tanhAVX2, erf: erfAVX2,
		where: whereAVX2, sum: sum32AVX2, largest: max32AVX2, squares: squares32AVX2,
		softmax: softmaxAVX2, normalize: normalizeAVX2,
	})
}

// amx is avx512 with the matrix unit.
func amx() *Set {
	s := avx512()
	s.Name, s.unit = "amx", &unit{cut: thirdsAVX512, multiply: blocksAMX}
	return s
}

func avx512() *Set {
	return withSpare(Set{
		Name: "avx512", lanes: 16,
		tiles: []tile{
			{32, product1AVX512}, {32, product2AVX512}, {32, product3AVX512}, {32, product4AVX512},
			{32, product5AVX512}, {32, product6AVX512}, {32, product7AVX512}, {32, product8AVX512},
			{32, product9AVX512}, {32, product10AVX512}, {32, product11AVX512}, {32, product12AVX512},
		},
		halfTiles: []halfTile{
			{32, productHalf1AVX512}, {32, productHalf2AVX512}, {32, productHalf3AVX512}, {32, productHalf4AVX512},
			{32, productHalf5AVX512}, {32, productHalf6AVX512}, {32, productHalf7AVX512}, {32, productHalf8AVX512},
			{32, productHalf9AVX512}, {32, productHalf10AVX512}, {32, productHalf11AVX512}, {32, productHalf12AVX512},
		},
		lead:      256,
		widen:     widenAVX512,
		transpose: transposeAVX2, ask: ask,
		add: addAVX512, sub: subAVX512, mul: mulAVX512, div: divAVX512, max: maxAVX512, min: minAVX512,
		neg: negAVX512, abs: absAVX512, sqrt: sqrtAVX512,
		exp: expAVX512, logistic: logisticAVX512, tanh: tanhAVX512, erf: erfAVX512,
		where: whereAVX512, sum: sum32AVX512, largest: max32AVX512, squares: squares32AVX512,
		softmax: softmaxAVX512, normalize: normalizeAVX512,
	})
}
