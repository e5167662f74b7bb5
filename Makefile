# A bare `make` prints the targets.

# Go's SIMD kernels make the networks about ten times faster than plain Go's;
# `make TARGET GOEXPERIMENT=` goes without.
GOEXPERIMENT ?= simd
export GOEXPERIMENT

FUZZTIME    ?= 1m
FUZZJOBS    ?= 1
ORT_VERSION ?= 1.30.0
TESTFLAGS   ?=
TAGS        ?=

.DEFAULT_GOAL := help
.PHONY: help build test race lint generate golden-kernels kernels-arm64 golden-arm64 arm64 kernels-avx512 golden-avx512 fuzz corpus damaged bench bench-peers performance cover static tiny true-size ort rename

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/cutline, one static file (TAGS=onnx or xla: not static, runs ONNX Runtime or XLA too)
	CGO_ENABLED=$(if $(TAGS),1,0) go build -trimpath -tags '$(TAGS)' -o bin/ ./cmd/cutline

test: ## run every test (TESTFLAGS='-run Golden' for some)
	go test $(TESTFLAGS) ./...

race: ## run the engine's tests with the race detector
	CGO_ENABLED=1 go test -race ./engine/...

lint: ## gofmt, go vet and staticcheck
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "not gofmt'ed:" $$unformatted >&2; exit 1; fi
	go vet ./...
	go tool staticcheck ./...

generate: ## write the assembly of the kernels from its source
	go generate ./engine/internal/kernels

GOLDEN = $(addprefix ./,$(sort $(dir $(shell git grep -l 'func TestGolden' -- '*_test.go'))))
KERNELS = $(shell go run .ci/kernels.go)

golden-kernels: ## run the golden tests with each set of kernels that the processor has
	@set -e; for set in $(KERNELS); do \
		echo "== $$set"; \
		CUTLINE_KERNELS=$$set go test -count 1 -run '^TestGolden' $(GOLDEN); \
	done

ARM64 = GOOS=linux GOARCH=arm64 CGO_ENABLED=0

kernels-arm64: ## run the kernels' tests for arm64 under qemu-aarch64
	$(ARM64) go test -count 1 -vet off -timeout 1h -exec qemu-aarch64 ./engine/internal/kernels

golden-arm64: kernels-arm64 ## run the golden tests as well, which takes 9 minutes
	$(ARM64) go test -count 1 -vet off -timeout 1h -exec qemu-aarch64 -run '^TestGolden' $(GOLDEN)

arm64: ## build and vet for arm64, tests included
	$(ARM64) go build ./...
	$(ARM64) go vet ./...

kernels-avx512: ## run the kernels' tests with AVX-512 under Bochs
	./.ci/avx512 '/^avx512$$|^Fuzz' ./engine/internal/kernels

golden-avx512: ## run the golden tests with AVX-512 under Bochs, which takes 8 minutes or more
	./.ci/avx512 '^TestGolden' $(GOLDEN)

fuzz: ## run each fuzz target for FUZZTIME (1m), FUZZJOBS (1) at a time
	FUZZTIME=$(FUZZTIME) FUZZJOBS=$(FUZZJOBS) ./.ci/fuzz

corpus: ## keep the inputs that fuzzing found and that reach new code, in testdata/fuzz
	go run .ci/corpus.go

damaged: ## read 10,000 damaged images and tell what they took
	go test -count 1 -v -run TestDamagedImages -timeout 0 ./internal/imageproc -args -damaged 10000

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

bench-peers: ## measure beside PyTorch, ONNX Runtime and GoMLX into dist/peers.md (needs Debian's python3-torch, npm)
	ORT_VERSION=$(ORT_VERSION) ./reference/peers/run

performance: ## measure captions on every engine into dist/performance.md (ONNXRUNTIME=library for onnx)
	ONNXRUNTIME=$(ONNXRUNTIME) ./.ci/performance

cover: ## print the test coverage, by function and in all
	@mkdir -p dist
	go test -coverprofile dist/cover.out ./...
	go tool cover -func dist/cover.out

static: ## build for Linux and check that nothing is loaded at run time
	@mkdir -p dist
	GOOS=linux CGO_ENABLED=0 go build -trimpath -o dist/cutline-linux ./cmd/cutline
	GOEXPERIMENT= go run .ci/static.go dist/cutline-linux

tiny: ## train the carried model, models/tiny
	./models/recipes/tiny/train.sh

true-size: ## check checkpoints of the true sizes (needs Debian's python3-torch, 6 GB of disk)
	@mkdir -p dist/true-size
	OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/truesize.py dist/true-size
	CUTLINE_TRUE_SIZE=$(CURDIR)/dist/true-size go test -tags truesize -count=1 -timeout 1h -v -run '^TestTrueSize$$' ./internal/convert
	@rm -r dist/true-size

ort: ## fetch ONNX Runtime for Linux x64 into .ort (needs npm)
	@mkdir -p .ort
	cd .ort && npm pack --silent onnxruntime-node@$(ORT_VERSION)
	tar -xzf .ort/onnxruntime-node-$(ORT_VERSION).tgz -C .ort --strip-components=5 \
		package/bin/napi-v6/linux/x64/libonnxruntime.so.1
	@rm .ort/onnxruntime-node-$(ORT_VERSION).tgz
	@echo "in a build with TAGS=onnx: --engine onnx:$(CURDIR)/.ort/libonnxruntime.so.1"

rename: ## give the module another path: make rename MODULE=example.org/me/cutline
	@test -n "$(MODULE)" || { echo "usage: make rename MODULE=example.org/me/cutline" >&2; exit 2; }
	@set -e; old=$$(go list -m); \
	git grep --untracked -lIF "$$old" -- ':!*/run.json' | while read -r file; do \
		sed -i.renamed "s|$$(echo "$$old" | sed 's/[.]/\\./g')|$(MODULE)|g" "$$file" && rm "$$file.renamed"; \
	done; \
	gofmt -w .; \
	echo "$$old is now $$(go list -m)"
