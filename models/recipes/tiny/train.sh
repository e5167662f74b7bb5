#!/usr/bin/env bash
# Trains the model that the program carries, from ../shared/data to models/tiny.
#
# A stopped run goes on where it was. It is several times faster with ONNX
# Runtime (make ort):
#
#	ENGINE=onnx:$PWD/.ort/libonnxruntime.so.1 make tiny
set -euo pipefail
cd "$(dirname "$0")/../../.."
engine=${ENGINE:-go}
tags=
case $engine in onnx:*) tags=onnx ;; esac
mkdir -p bin runs/tiny
GOEXPERIMENT=simd go build -tags "$tags" -o bin/cutline-train ./cmd/cutline
train() { bin/cutline-train train "$1" --config "models/recipes/tiny/$1.json" --out "$2" --engine "$engine"; }
train clip runs/tiny/clip
train lm runs/tiny/lm
train clipcap runs/tiny/captioner
rm -rf models/tiny
cp -r runs/tiny/captioner models/tiny
