// Package hub fetches files of models from the Hugging Face hub into the cache that
// Hugging Face's own programs use:
//
//	models--OWNER--NAME/
//	  blobs/DIGEST               what the files hold, under its checksum
//	  blobs/DIGEST.incomplete    a download that goes on where it stopped
//	  refs/main                  the commit that the branch stood at
//	  snapshots/COMMIT/FILE      a link to a blob
//
// Nothing enters the cache under its name before its checksum is right. Names,
// commits and checksums that the server tells become parts of paths, so they are
// held to their form first.
package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Client fetches from one hub into one cache.
type Client struct {
	Endpoint *url.URL // https://huggingface.co, or a mirror
	Token    string   // "" for what everybody may read; sent to Endpoint's host alone
	Cache    string   // folder
	Offline  bool     // no connection is opened: what the cache holds must do

	Transport http.RoundTripper
	Stall     time.Duration                              // a transfer that brings nothing for so long is broken off, and goes on
	Wait      func(context.Context, time.Duration) error // before a request is made again
}

// FromEnvironment returns the client that Hugging Face's variables describe:
// HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, and HF_HUB_CACHE or HF_HOME.
func FromEnvironment() (*Client, error) {
	cache, err := folder("HF_HUB_CACHE", "hub")
	if err != nil {
		return nil, err
	}
	address := os.Getenv("HF_ENDPOINT")
	if address == "" {
		address = "https://huggingface.co"
	}
	endpoint, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || endpoint.Host == "" || endpoint.User != nil || !slices.Contains([]string{"http", "https"}, endpoint.Scheme) {
		return nil, errors.New("HF_ENDPOINT is not an address such as https://huggingface.co")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	return &Client{
		Endpoint: endpoint, Token: strings.TrimSpace(os.Getenv("HF_TOKEN")), Cache: cache,
		Offline:   slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(os.Getenv("HF_HUB_OFFLINE"))),
		Transport: transport, Stall: time.Minute, Wait: wait,
	}, nil
}

// Assets returns the folder for what programs make of downloads: HF_ASSETS_CACHE or
// the folder assets in HF_HOME.
func Assets() (string, error) { return folder("HF_ASSETS_CACHE", "assets") }

// folder returns the folder that a variable names or, where it is not set, the one
// of that name in HF_HOME, which stands for ~/.cache/huggingface.
func folder(variable, name string) (string, error) {
	if dir := os.Getenv(variable); dir != "" {
		return expand(dir)
	}
	if home := os.Getenv("HF_HOME"); home != "" {
		return expand(filepath.Join(home, name))
	}
	if cache := os.Getenv("XDG_CACHE_HOME"); cache != "" {
		return expand(filepath.Join(cache, "huggingface", name))
	}
	return expand(filepath.Join("~", ".cache", "huggingface", name))
}

// expand replaces a leading ~ by the home folder.
func expand(dir string) (string, error) {
	rest, ok := strings.CutPrefix(filepath.ToSlash(dir), "~")
	if !ok || (rest != "" && rest[0] != '/') {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no folder for models: %w; set HF_HOME", err)
	}
	return filepath.Join(home, rest), nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// maxName bounds names, as the hub does.
const maxName = 96

// CheckName refuses what cannot be the name of a model: NAME or OWNER/NAME, of
// ASCII letters, digits, and ".", "_" and "-" between them.
func CheckName(name string) error {
	form := regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$`)
	parts := strings.Split(name, "/")
	good := len(name) <= maxName && len(parts) <= 2 && !strings.Contains(name, "--") && !strings.Contains(name, "..")
	for _, part := range parts {
		good = good && form.MatchString(part)
	}
	if !good {
		return fmt.Errorf("%.120q is not the name of a model, which is NAME or OWNER/NAME", name)
	}
	return nil
}

// Folder returns the one folder name that a checked name stands for.
func Folder(name string) string { return strings.ReplaceAll(name, "/", "--") }
