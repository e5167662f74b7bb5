//go:build !linux

package engine

import "errors"

func mapMemory(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func adviseLarge([]byte) {}

func discardMemory([]byte) {}

func unmapMemory([]byte) {}
