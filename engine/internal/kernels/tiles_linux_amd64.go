package kernels

import "syscall"

// askForTiles asks the system for the registers of the matrix unit, which it saves for
// processes that asked alone.
func askForTiles() bool {
	const requestPermission, tileData = 0x1023, 18 // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
	_, _, err := syscall.RawSyscall(syscall.SYS_ARCH_PRCTL, requestPermission, tileData, 0)
	return err == 0
}
