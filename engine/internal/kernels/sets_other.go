//go:build !amd64

package kernels

func vectorSets() []*Set { return nil }
