package engine

import (
	"github.com/gomlx/compute"

	native "github.com/cutline-go/cutline/engine"
)

// openNative opens this project's own engine.
func openNative() (compute.Backend, error) { return native.New(native.FromEnvironment()) }
