package weights

import (
	"syscall"
	"unsafe"
)

// forget gives the whole pages of a read-only mapping back to the system. They are read
// from the file again where they are touched.
func forget(data []byte) {
	page := uintptr(syscall.Getpagesize())
	if len(data) == 0 {
		return
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	first := -start & (page - 1) // bytes before the first whole page
	if uintptr(len(data)) < first+page {
		return
	}
	whole := data[first : len(data)-int((start+uintptr(len(data)))&(page-1))]
	_ = syscall.Madvise(whole, syscall.MADV_DONTNEED) // it is advice
}
