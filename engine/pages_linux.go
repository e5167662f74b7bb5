package engine

import (
	"syscall"
	"unsafe"
)

// mapMemory maps zeros, in large pages where there are some: weights are read from end to
// end, and a page is looked up for each.
func mapMemory(n int) ([]byte, error) {
	bytes, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		_ = syscall.Madvise(bytes, syscall.MADV_HUGEPAGE) // a wish
	}
	return bytes, err
}

// adviseLarge asks for large pages where memory of Go's heap has whole ones.
func adviseLarge(bytes []byte) {
	page := uintptr(syscall.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))
	skip := (start+page-1)/page*page - start
	if whole := (uintptr(len(bytes)) - skip) / page * page; whole > 0 {
		_ = syscall.Madvise(bytes[skip:skip+whole], syscall.MADV_HUGEPAGE) // a wish
	}
}

// discardMemory gives what lies at some addresses back, and keeps these.
func discardMemory(bytes []byte) { _ = syscall.Madvise(bytes, syscall.MADV_DONTNEED) }

// unmapMemory ends what mapMemory began.
func unmapMemory(bytes []byte) { _ = syscall.Munmap(bytes) }
