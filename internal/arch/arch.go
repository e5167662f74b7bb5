// Package arch holds the architecture against the source: which package may
// import which, ours and others'. It is a test and nothing else; the table is
// in table_test.go.
package arch
