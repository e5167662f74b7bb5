//go:build !linux

package weights

// forget leaves it to the system which pages of a mapping to keep.
func forget([]byte) {}

// expect leaves it to the system how pages of a mapping are read.
func expect([]byte) {}
