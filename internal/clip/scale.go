package clip

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Scale is what the CLIP in store multiplies cosines with, its inverse temperature.
func Scale(store *model.Store) (float64, error) {
	v := store.GetVariable(model.JoinPath("/", Scope, "logit_scale"))
	if v == nil {
		return 0, errors.New("clip: no logit_scale")
	}
	value, err := v.Value()
	if err != nil {
		return 0, fmt.Errorf("clip: logit_scale: %w", err)
	}
	return math.Exp(float64(tensors.ToScalar[float32](value))), nil
}
