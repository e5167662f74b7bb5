package kernels

// Add is y = a+b. The slices of this and the following methods are as long as y,
// which may be one of them.
func (s *Set) Add(y, a, b []float32) { s.binary(s.add, y, a, b) }

// Sub is y = a−b.
func (s *Set) Sub(y, a, b []float32) { s.binary(s.sub, y, a, b) }

// Mul is y = a·b.
func (s *Set) Mul(y, a, b []float32) { s.binary(s.mul, y, a, b) }

// Div is y = a/b.
func (s *Set) Div(y, a, b []float32) { s.binary(s.div, y, a, b) }

// Max is y = max(a, b), NaN where either is.
func (s *Set) Max(y, a, b []float32) { s.binary(s.max, y, a, b) }

// Min is y = min(a, b), NaN where either is.
func (s *Set) Min(y, a, b []float32) { s.binary(s.min, y, a, b) }

// Neg is y = −x.
func (s *Set) Neg(y, x []float32) { s.unary(s.neg, y, x) }

// Abs is y = |x|.
func (s *Set) Abs(y, x []float32) { s.unary(s.abs, y, x) }

// Sqrt is y = √x.
func (s *Set) Sqrt(y, x []float32) { s.unary(s.sqrt, y, x) }

// Exp is y = eˣ within 3e-7 relative; results below 2⁻¹²⁵·⁵ are 0.
func (s *Set) Exp(y, x []float32) { s.unary(s.exp, y, x) }

// Logistic is y = 1/(1+e⁻ˣ) within 3e-7 relative.
func (s *Set) Logistic(y, x []float32) { s.unary(s.logistic, y, x) }

// Tanh is within 3e-7 relative and never beyond ±1.
func (s *Set) Tanh(y, x []float32) { s.unary(s.tanh, y, x) }

// Erf is within 3.5e-7 relative and never beyond ±1.
func (s *Set) Erf(y, x []float32) { s.unary(s.erf, y, x) }

func (s *Set) unary(f func(y, x *float32, n int), y, x []float32) {
	x = x[:len(y)]
	n := len(y) &^ (s.lanes - 1)
	if n > 0 {
		f(&y[0], &x[0], n)
	}
	if n < len(y) {
		spare := s.spare.Get().(*spare)
		copy(spare.a[:], x[n:])
		f(&spare.y[0], &spare.a[0], s.lanes)
		copy(y[n:], spare.y[:])
		s.spare.Put(spare)
	}
}

func (s *Set) binary(f func(y, a, b *float32, n int), y, a, b []float32) {
	a, b = a[:len(y)], b[:len(y)]
	n := len(y) &^ (s.lanes - 1)
	if n > 0 {
		f(&y[0], &a[0], &b[0], n)
	}
	if n < len(y) {
		spare := s.spare.Get().(*spare)
		copy(spare.a[:], a[n:])
		copy(spare.b[:], b[n:])
		f(&spare.y[0], &spare.a[0], &spare.b[0], s.lanes)
		copy(y[n:], spare.y[:])
		s.spare.Put(spare)
	}
}

// Where is y = a where the condition holds, else b.
func (s *Set) Where(y []float32, condition []bool, a, b []float32) {
	condition, a, b = condition[:len(y)], a[:len(y)], b[:len(y)]
	n := len(y) &^ (s.lanes - 1)
	if n > 0 {
		s.where(&y[0], &condition[0], &a[0], &b[0], n)
	}
	if n < len(y) {
		spare := s.spare.Get().(*spare)
		copy(spare.condition[:], condition[n:])
		copy(spare.a[:], a[n:])
		copy(spare.b[:], b[n:])
		s.where(&spare.y[0], &spare.condition[0], &spare.a[0], &spare.b[0], s.lanes)
		copy(y[n:], spare.y[:])
		s.spare.Put(spare)
	}
}
