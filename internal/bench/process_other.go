//go:build !linux

package bench

// PeakMemory returns the most memory, in bytes, that this process has had resident,
// mapped files included; 0 where the system does not tell.
func PeakMemory() int64 { return 0 }

// Processor names the processor, "" where the system does not tell.
func Processor() string { return "" }
