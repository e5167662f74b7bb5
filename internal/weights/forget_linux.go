package weights

import (
	"syscall"
	"unsafe"
)

// forget gives the whole pages of a read-only mapping back to the system. They are read
// from the file again where they are touched.
func forget(data []byte) { advise(data, syscall.MADV_DONTNEED) }

// expect maps pages together that are about to be read one by one.
func expect(data []byte) {
	const populateRead = 22 // MADV_POPULATE_READ, since Linux 5.14
	advise(data, populateRead)
}

// advise tells the system something of the whole pages among data.
func advise(data []byte, advice int) {
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
	_ = syscall.Madvise(whole, advice)
}
