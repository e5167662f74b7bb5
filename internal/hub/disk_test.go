//go:build unix

package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cutline-go/cutline/internal/hub"
	"github.com/cutline-go/cutline/internal/hub/hubtest"
)

// limit is the size of the largest file that the child of TestFullDisk may write.
const limit = 20_000

func TestMain(m *testing.M) {
	if endpoint := os.Getenv("HUB_TEST_ENDPOINT"); endpoint != "" {
		if err := onSmallDisk(endpoint, os.Getenv("HUB_TEST_CACHE")); err != nil {
			fmt.Print(err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// onSmallDisk fetches model.bin in a process whose files cannot grow over limit.
func onSmallDisk(endpoint, cache string) error {
	signal.Ignore(syscall.SIGXFSZ) // so that writing fails, as on a full disk
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	address, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	c := &hub.Client{
		Endpoint: address, Cache: cache, Transport: http.DefaultTransport, Stall: time.Minute,
		Wait: func(context.Context, time.Duration) error { return fmt.Errorf("it tries again") },
	}
	repo, err := c.Repo(context.Background(), id)
	if err != nil {
		return err
	}
	file, err := c.File(context.Background(), repo, "model.bin")
	if err != nil {
		return err
	}
	_, err = c.Fetch(context.Background(), repo, file, func(int64) {})
	return err
}

// TestFullDisk runs a process that can write a part of the file. It must say so, keep
// the part and leave nothing under the file's name; with room, the rest is fetched.
func TestFullDisk(t *testing.T) {
	server := hubtest.New(t)
	server.Add(id, "mit", files())
	c, _ := client(t, server)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "HUB_TEST_ENDPOINT="+server.URL, "HUB_TEST_CACHE="+c.Cache)
	said, err := child.CombinedOutput()
	if child.ProcessState == nil || child.ProcessState.ExitCode() != 3 {
		t.Fatalf("%v: %s", err, said)
	}
	refused(t, fmt.Errorf("%s", said), id+": model.bin: write ", syscall.EFBIG.Error(), "what came is kept")
	data := files()["model.bin"]
	partial := blob(c, data) + ".incomplete"
	if info, err := os.Stat(partial); err != nil || info.Size() != limit {
		t.Errorf("%v, %v, want %d bytes", info, err, limit)
	}
	if _, err := os.Stat(strings.TrimSuffix(partial, ".incomplete")); err == nil {
		t.Error("a part of the file has the file's name")
	}
	path, reported, err := fetch(t, c, "model.bin")
	if err != nil || reported != int64(len(data)-limit) {
		t.Errorf("then %d bytes, %v", reported, err)
	}
	holds(t, path, data)
}
