package kernels

import "golang.org/x/sys/cpu"

func vectorSets() []*Set {
	if !cpu.ARM64.HasASIMD {
		return nil
	}
	return []*Set{neon()}
}

func neon() *Set {
	return withSpare(Set{
		Name: "neon", lanes: 16, // in four registers
		tiles:     []tile{{32, product1NEON}, {32, product2NEON}, {32, product3NEON}},
		halfTiles: []halfTile{{32, productHalf1NEON}, {32, productHalf2NEON}, {32, productHalf3NEON}},
		widen:     widenNEON,
		transpose: transposePortable,
		add:       addNEON, sub: subNEON, mul: mulNEON, div: divNEON, max: maxNEON, min: minNEON,
		neg: negNEON, abs: absNEON, sqrt: sqrtNEON,
		exp: expNEON, logistic: logisticNEON, tanh: tanhNEON, erf: erfNEON,
		where: whereNEON, sum: sum32NEON, largest: max32NEON, squares: squares32NEON,
		softmax: softmaxNEON, normalize: normalizeNEON,
	})
}
