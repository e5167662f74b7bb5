package hub

import "path/filepath"

// RetryAfter lets tests read dates in headers.
var RetryAfter = retryAfter

// ParseRepo lets tests describe models.
var ParseRepo = parseRepo

// WellFormed tells whether r can be part of paths and printed: what parseRepo promises.
func WellFormed(r Repo) bool {
	good := isCommit(r.Commit) && printable(r.Licence) == r.Licence
	for _, f := range r.Files {
		good = good && isFileName(f.Name) && filepath.IsLocal(f.Name)
	}
	return good
}
