//go:build goexperiment.simd && amd64

package engine

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// composer builds elementwise float32 functions of the backend's sums,
// products, quotients, minima and bit operations. It keeps the first error, so
// that formulas read as formulas.
//
// Bounds are the largest errors found against float64 math. The polynomials
// are minimax fits of this project.
type composer struct {
	f   compute.Function
	err error
}

// exp is eˣ within 1.2e-7 relative. Results below 2⁻¹²⁵·⁵ are 0, which spares
// a second scaling for the subnormal ones.
func (c *composer) exp(x compute.Value) compute.Value { return c.expOf(x, 1) }

// logistic is 1/(1+e⁻ˣ) within 2.5e-7 relative.
func (c *composer) logistic(x compute.Value) compute.Value {
	one := c.num(1)
	return c.div(one, c.add(c.expOf(x, -1), one))
}

// expOf is e^(sign·x) for a sign of 1 or -1.
func (c *composer) expOf(x compute.Value, sign float32) compute.Value {
	// Beyond these bounds eˣ is infinite or, with the last n, 0 in any case.
	if sign > 0 {
		x = c.clamp(x, -87.6, 89)
	} else {
		x = c.clamp(x, -89, 87.6)
	}
	r, t := c.reduce(x, sign)
	// 2eʳ·2ⁿ⁻¹ instead of eʳ·2ⁿ, because 2ⁿ overflows before the result does.
	twice := [...]float32{2, 2, 0.9999999, 0.3333286, 0.08333601, 0.01674837, 0.002768724}
	for k := 1; k < len(twice); k += 2 {
		twice[k] *= sign
	}
	return c.mul(c.poly(r, twice[:]...), c.exp2(t, -1))
}

// tanh is within 2.4e-7 relative, exactly ±1 far out and never beyond. With
// m = e²ˣ−1 it is m/(m+2), and m comes from a polynomial without a constant
// term, so that nothing cancels near 0.
func (c *composer) tanh(x compute.Value) compute.Value {
	x = c.clamp(x, -9.1, 9.1)
	r, t := c.reduce(x, 2)
	em1 := c.mul(r, c.poly(r, 2, 1.9999999, 1.3333205, 0.6666742, 0.2678111, 0.08888879))
	scale := c.exp2(t, 0)
	m := c.add(c.mul(em1, scale), c.sub(scale, c.num(1)))
	return c.div(m, c.add(m, c.num(2)))
}

// erf is tanh(x·(1+S(x²))) within 3e-7 relative and 2e-7 absolute, exactly ±1
// far out: there the slope of tanh swallows the error of S.
func (c *composer) erf(x compute.Value) compute.Value {
	s := c.poly(c.mul(x, x), 0.12837918, 0.102771446, -0.00020037718, -0.00060925784,
		8.190124e-05, -4.173143e-06, -3.8715328e-08, 8.020866e-09)
	return c.tanh(c.add(x, c.mul(x, s)))
}

// reduce writes s·x = n·ln 2 + s·r with an integer n and |s·r| ≤ ln 2/2, for s
// a power of two or its negative. It returns r, and t, whose lowest mantissa
// bits are n in two's complement: adding 1.5·2²³ leaves no room for a fraction.
func (c *composer) reduce(x compute.Value, s float32) (r, t compute.Value) {
	const (
		round = 3 << 22
		// ln 2 in two parts; products of n with the first, of nine bits, are exact.
		ln2Hi = 355.0 / 512
		ln2Lo = math.Ln2 - ln2Hi
	)
	t = c.add(c.mul(x, c.num(s*math.Log2E)), c.num(round))
	n := c.sub(t, c.num(round))
	r = c.sub(x, c.mul(n, c.num(ln2Hi/s)))
	return c.sub(r, c.mul(n, c.num(ln2Lo/s))), t
}

// exp2 is 2^(n+extra) for the n in reduce's t, or 0 if that is below 2⁻¹²⁶: n
// is moved into the exponent's place.
func (c *composer) exp2(t compute.Value, extra int32) compute.Value {
	const mantissaBits, bias = 23, 127
	n := c.do(c.f.Bitcast(t, dtypes.Int32))
	n = c.do(c.f.ShiftLeft(n, c.do(c.f.Constant([]int32{mantissaBits}))))
	n = c.add(n, c.do(c.f.Constant([]int32{(bias + extra) << mantissaBits})))
	return c.do(c.f.Bitcast(n, dtypes.Float32))
}

// poly is Σ coefficients[k]·xᵏ.
func (c *composer) poly(x compute.Value, coefficients ...float32) compute.Value {
	last := len(coefficients) - 1
	sum := c.num(coefficients[last])
	for k := last - 1; k >= 0; k-- {
		sum = c.add(c.mul(sum, x), c.num(coefficients[k]))
	}
	return sum
}

// clamp keeps NaN.
func (c *composer) clamp(x compute.Value, low, high float32) compute.Value {
	return c.do(c.f.Min(c.do(c.f.Max(x, c.num(low))), c.num(high)))
}

func (c *composer) num(v float32) compute.Value { return c.do(c.f.Constant([]float32{v})) }

func (c *composer) add(a, b compute.Value) compute.Value { return c.do(c.f.Add(a, b)) }
func (c *composer) sub(a, b compute.Value) compute.Value { return c.do(c.f.Sub(a, b)) }
func (c *composer) mul(a, b compute.Value) compute.Value { return c.do(c.f.Mul(a, b)) }
func (c *composer) div(a, b compute.Value) compute.Value { return c.do(c.f.Div(a, b)) }

// do keeps the first error; the nil in place of its value makes the backend
// refuse whatever is built on it.
func (c *composer) do(v compute.Value, err error) compute.Value {
	if err == nil {
		return v
	}
	if c.err == nil {
		c.err = err
	}
	return nil
}
