//go:build !linux

package weights

// forget leaves it to the system which pages of a mapping to keep.
func forget([]byte) {}
