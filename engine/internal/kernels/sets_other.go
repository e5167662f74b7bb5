//go:build !amd64 && !arm64

package kernels

func vectorSets() []*Set { return nil }
