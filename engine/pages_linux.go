package engine

import "syscall"

// mapMemory maps zeros, in large pages where there are some: weights are read from end to
// end, and a page is looked up for each.
func mapMemory(n int) ([]byte, error) {
	bytes, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		_ = syscall.Madvise(bytes, syscall.MADV_HUGEPAGE) // a wish
	}
	return bytes, err
}

// discardMemory gives what lies at some addresses back, and keeps these.
func discardMemory(bytes []byte) { _ = syscall.Madvise(bytes, syscall.MADV_DONTNEED) }

// unmapMemory ends what mapMemory began.
func unmapMemory(bytes []byte) { _ = syscall.Munmap(bytes) }
