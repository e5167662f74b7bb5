//go:build !linux

package bench

// PeakMemory returns the most memory, in bytes, that this process has had resident,
// mapped files included; 0 where the system does not tell.
func PeakMemory() int64 { return 0 }

// ForgetPeakMemory gives unused memory back and counts the most from here on, where the
// system lets it.
func ForgetPeakMemory() {}

// Processor names the processor, "" where the system does not tell.
func Processor() string { return "" }
