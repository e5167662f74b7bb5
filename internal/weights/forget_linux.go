package weights

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// forget gives the whole pages of a read-only mapping back to the system. They are read
// from the file again where they are touched.
func forget(data []byte) { advise(data, unix.MADV_DONTNEED) }

// expect maps pages together that are about to be read one by one.
func expect(data []byte) { advise(data, unix.MADV_POPULATE_READ) }

// advise tells the system something of the whole pages among data.
func advise(data []byte, advice int) {
	page := uintptr(unix.Getpagesize())
	if len(data) == 0 {
		return
	}
	start := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	first := -start & (page - 1) // bytes before the first whole page
	if uintptr(len(data)) < first+page {
		return
	}
	whole := data[first : len(data)-int((start+uintptr(len(data)))&(page-1))]
	_ = unix.Madvise(whole, advice)
}
