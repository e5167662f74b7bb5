package clip

// StretchPositions resamples the table of positions [1+from², width] of an image
// tower to [1+to², width], so that what was trained on photos of one size can be
// trained on with another. The first row, of the class token or the mean, stays;
// between the centres of the old places the others are interpolated linearly.
func StretchPositions(table []float32, width, from, to int) []float32 {
	out := append(make([]float32, 0, (1+to*to)*width), table[:width]...)
	place := func(row, column int) []float32 { return table[(1+row*from+column)*width:][:width] }
	for row := range to {
		top, bottom, down := between(row, from, to)
		for column := range to {
			left, right, across := between(column, from, to)
			a, b := place(top, left), place(top, right)
			c, d := place(bottom, left), place(bottom, right)
			for i := range width {
				above := a[i] + across*(b[i]-a[i])
				below := c[i] + across*(d[i]-c[i])
				out = append(out, above+down*(below-above))
			}
		}
	}
	return out
}

// between returns the old places on both sides of the new place i, and how far it is
// from the first to the second.
func between(i, from, to int) (first, second int, share float32) {
	at := (float64(i)+0.5)*float64(from)/float64(to) - 0.5
	at = min(max(at, 0), float64(from-1))
	first = int(at)
	return first, min(first+1, from-1), float32(at - float64(first))
}
