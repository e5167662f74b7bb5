//go:build amd64 && !linux

package kernels

// askForTiles returns false: it is known how to ask Linux alone.
func askForTiles() bool { return false }
