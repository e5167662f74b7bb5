package method

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// pool is a memory of rows that a generator made in earlier updates, for a
// discriminator to be shown again (Shrivastava et al. 2017, arXiv:1612.07828, as in
// CycleGAN's code). The rows lie in a store, below scope pool, so that checkpoints hold
// them.
type pool struct {
	rows  *model.Variable // [size, E]
	size  int             // 0: it remembers nothing
	width int
}

// newPool makes the store's pool of that name.
func newPool(store *model.Store, name string, size, width int) (*pool, error) {
	p := &pool{size: size, width: width}
	if size == 0 {
		return p, nil
	}
	var err error
	p.rows, err = store.CreateVariable("/pool/"+name, tensors.FromFlatDataAndDimensions(make([]float32, size*width), size, width))
	if err != nil {
		return nil, fmt.Errorf("method: %w", err)
	}
	p.rows.SetTrainable(false)
	return p, nil
}

// swap takes in fresh rows [B, E], of which updates before took in seen. While there is
// room they are kept and returned; then each is returned, or, as often, swapped for one
// that is kept.
func (p *pool) swap(fresh []float32, seen int, rng *rand.Rand) ([]float32, error) {
	if p.size == 0 {
		return fresh, nil
	}
	value, err := p.rows.Value()
	if err != nil {
		return nil, fmt.Errorf("method: pool: %w", err)
	}
	kept, err := tensors.CopyFlatData[float32](value)
	if err != nil {
		return nil, fmt.Errorf("method: pool: %w", err)
	}
	out := make([]float32, len(fresh))
	for i := range len(fresh) / p.width {
		row := fresh[i*p.width : (i+1)*p.width]
		shown := out[i*p.width : (i+1)*p.width]
		copy(shown, row)
		if at := seen + i; at < p.size {
			copy(kept[at*p.width:], row)
		} else if rng.IntN(2) == 1 {
			old := kept[rng.IntN(p.size)*p.width:][:p.width]
			copy(shown, old)
			copy(old, row)
		}
	}
	if err := p.rows.SetValue(tensors.FromFlatDataAndDimensions(kept, p.size, p.width)); err != nil {
		return nil, fmt.Errorf("method: pool: %w", err)
	}
	return out, nil
}
