package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// errOffline is the answer to whatever would open a connection.
var errOffline = errors.New("HF_HUB_OFFLINE is set, so nothing is fetched")

const (
	maxRedirects = 10
	maxFailures  = 4               // in a row without a byte
	maxWait      = 5 * time.Minute // that a server may ask for
)

// passing is an error that may be gone a moment later.
type passing struct {
	error
	after    time.Duration // that the server asks for
	advanced bool          // something came before it
}

func (p *passing) Unwrap() error { return p.error }

// again calls do until it succeeds, fails for good, or has failed too often. The
// pauses double from one second on, if the server asks for none.
func (c *Client) again(ctx context.Context, do func() error) error {
	for failures := 0; ; {
		err := do()
		var p *passing
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
		if !errors.As(err, &p) {
			return err
		}
		if p.advanced {
			failures = 0
		}
		failures++
		switch pause := cmp.Or(p.after, time.Second<<(failures-1)); {
		case p.after > maxWait:
			return fmt.Errorf("%w; try again in %s", err, p.after)
		case failures == maxFailures:
			return fmt.Errorf("%w; given up after %d attempts", err, failures)
		default:
			if err := c.Wait(ctx, pause); err != nil {
				return err
			}
		}
	}
}

// send makes a request, from byte begin of the body on, and follows redirects. The
// token goes to the endpoint's host and port and nowhere else: content networks that
// the hub sends us to are strangers, and carry their permission in the address. The
// caller closes the body. A HEAD ends at the first answer that tells a checksum.
func (c *Client) send(ctx context.Context, method, address string, begin int64) (*http.Response, error) {
	if c.Offline {
		return nil, errOffline
	}
	client := &http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	for range maxRedirects {
		request, err := http.NewRequestWithContext(ctx, method, address, nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("User-Agent", "cutline")
		request.Header.Set("Accept-Encoding", "identity") // ranges count the file's bytes
		if begin > 0 {
			request.Header.Set("Range", fmt.Sprintf("bytes=%d-", begin))
		}
		if c.Token != "" && sameHost(request.URL, c.Endpoint) {
			request.Header.Set("Authorization", "Bearer "+c.Token)
		}
		response, err := client.Do(request)
		if err != nil {
			return nil, &passing{error: withoutAddress(err)}
		}
		location, err := response.Location()
		if response.StatusCode < 300 || response.StatusCode > 399 || err != nil ||
			(method == http.MethodHead && response.Header.Get("X-Linked-Etag") != "") {
			return response, nil
		}
		response.Body.Close()
		if location.Scheme != "https" && location.Scheme != c.Endpoint.Scheme {
			return nil, fmt.Errorf("%s redirects to an address of %s, not https", request.URL.Host, printable(location.Scheme))
		}
		address = location.String()
	}
	return nil, fmt.Errorf("%s redirects more than %d times", c.Endpoint.Host, maxRedirects)
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// withoutAddress drops the address from an error of net/http: that of a content
// network holds a signature, and is long.
func withoutAddress(err error) error {
	var of *url.Error
	if !errors.As(err, &of) {
		return err
	}
	if at, parsing := url.Parse(of.URL); parsing == nil {
		return fmt.Errorf("%s: %w", at.Host, of.Err)
	}
	return of.Err
}

// check returns the error that a status stands for, nil where it is one of those
// that are wanted.
func (c *Client) check(r *http.Response, wanted ...int) error {
	for _, status := range wanted {
		if r.StatusCode == status {
			return nil
		}
	}
	said := printable(r.Header.Get("X-Error-Message"))
	err := fmt.Errorf("%s answers %d %s", r.Request.URL.Host, r.StatusCode, cmp.Or(said, http.StatusText(r.StatusCode)))
	code := r.Header.Get("X-Error-Code")
	switch status := r.StatusCode; {
	case code == "GatedRepo":
		return fmt.Errorf("%w; agree to its terms on the model's page, and set HF_TOKEN", err)
	case status == http.StatusUnauthorized && c.Token == "":
		return fmt.Errorf("%w; either there is no such model, or it takes a token in HF_TOKEN", err)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("%w; HF_TOKEN holds no token that may read it", err)
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return &passing{error: err, after: retryAfter(r.Header.Get("Retry-After"))}
	}
	return err
}

// retryAfter reads a Retry-After header: seconds or a date; 0 where there is none.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(time.Until(date).Round(time.Second), 0)
	}
	return 0
}

// readAll reads a body that is not over limit bytes.
func readAll(r *http.Response, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, &passing{error: fmt.Errorf("%s: the connection broke: %w", r.Request.URL.Host, err)}
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s: an answer of more than %d bytes", r.Request.URL.Host, limit)
	}
	return data, nil
}

// printable makes a line of at most 200 characters of what a server says.
func printable(s string) string {
	line := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	if runes := []rune(line); len(runes) > 200 {
		line = string(runes[:200]) + "…"
	}
	return line
}
