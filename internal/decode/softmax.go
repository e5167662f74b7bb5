package decode

import (
	"fmt"
	"math"
)

// NoDistributionError tells that a model's logits give its tokens no probabilities, as
// those of a training do that diverged.
type NoDistributionError struct{ what string }

func (e *NoDistributionError) Error() string { return e.what }

// logSumExp returns log Σ exp(logit), which turns a logit into a log-probability
// when subtracted, in float64: PyTorch's float32 softmax().log() with less rounding.
// It refuses rows that are no distribution: empty ones, NaN, +∞, and −∞ throughout.
func logSumExp(row []float32) (float64, error) {
	if len(row) == 0 {
		return 0, &NoDistributionError{"no logits"}
	}
	largest := row[0]
	for token, logit := range row {
		if logit != logit {
			return 0, &NoDistributionError{fmt.Sprintf("logit of token %d is NaN", token)}
		}
		if logit > largest {
			largest = logit
		}
	}
	if math.IsInf(float64(largest), 0) {
		return 0, &NoDistributionError{fmt.Sprintf("the largest logit is %g", largest)}
	}
	sum, shift := 0.0, float64(largest)
	for _, logit := range row {
		sum += exp(float64(logit) - shift)
	}
	return shift + math.Log(sum), nil
}
