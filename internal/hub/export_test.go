package hub

// RetryAfter lets tests read dates in headers.
var RetryAfter = retryAfter
