package engine

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// lowerRandom fills a tensor with the bits of a PCG generator, those that GoMLX's
// Go engine gives for the same state, and returns the generator's next state.
func lowerRandom(p *planner, n *node) bool {
	if n.inputs[0].shape.DType != dtypes.Uint64 || n.inputs[0].size() < 2 || n.outputs[1].shape.DType.IsPacked() {
		return false
	}
	state := p.dense(p.view(n.inputs[0]))
	next, bits := p.alloc(n.outputs[0]), p.alloc(n.outputs[1])
	length := bytesOf(n.outputs[1].shape)
	p.emit(n.op.String(), []view{state}, []view{next, bits}, func(e *env) error {
		from, to := slice[uint64](e, state), slice[uint64](e, next)
		rng := rand.NewPCG(from[0], from[1])
		fill(rng, e.bytes(bits)[:length])
		copy(to, from[:state.size()])
		after, err := rng.MarshalBinary()
		if err != nil || len(after) != 20 {
			return fmt.Errorf("reading the generator's state: %w", err)
		}
		to[0], to[1] = binary.LittleEndian.Uint64(after[4:]), binary.LittleEndian.Uint64(after[12:])
		return nil
	})
	return true
}

func fill(rng *rand.PCG, to []byte) {
	for len(to) >= 8 {
		binary.LittleEndian.PutUint64(to, rng.Uint64())
		to = to[8:]
	}
	if len(to) > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], rng.Uint64())
		copy(to, last[:])
	}
}

// lowerBits is for operations on the bits of unsigned integers.
func lowerBits(p *planner, n *node) bool {
	switch n.inputs[0].shape.DType {
	case dtypes.Uint32:
		return bitwise[uint32](p, n)
	case dtypes.Uint64:
		return bitwise[uint64](p, n)
	}
	return false
}

func bitwise[T uint32 | uint64](p *planner, n *node) bool {
	switch n.op {
	case compute.OpTypeBitwiseAnd:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a & b }))
	case compute.OpTypeBitwiseOr:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a | b }))
	case compute.OpTypeBitwiseXor:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a ^ b }))
	case compute.OpTypeShiftLeft:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a << b }))
	case compute.OpTypeShiftRightLogical:
		return binaryLoop(p, n, pairwise(func(a, b T) T { return a >> b }))
	}
	return false
}

// lowerBitcast looks at the same bytes as another type of the same size.
func lowerBitcast(p *planner, n *node) bool {
	v := p.view(n.inputs[0])
	to := n.outputs[0].shape.DType
	if v.dtype.Size() != to.Size() || v.dtype.IsPacked() || to.IsPacked() {
		return false
	}
	v.dtype = to
	p.views[n.outputs[0]] = v
	return true
}
