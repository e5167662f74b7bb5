package loss

import . "github.com/gomlx/gomlx/core/graph"

// LeastSquares is a player's loss in a least-squares GAN (Mao et al. 2017,
// arXiv:1611.04076): mean (x − to)² over a discriminator's answers x, which are to be to.
func LeastSquares(x *Node, to float64) *Node { return ReduceAllMean(Square(AddScalar(x, -to))) }

// L1 is torch.nn.L1Loss: mean |x − y| over all numbers.
func L1(x, y *Node) *Node { return ReduceAllMean(Abs(Sub(x, y))) }

// Spread is how far the rows of x [B, E] lie from their mean: the mean square over all
// numbers.
func Spread(x *Node) *Node {
	return ReduceAllMean(Square(Sub(x, ReduceAndKeep(x, ReduceMean, 0))))
}
