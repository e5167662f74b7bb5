#!/usr/bin/env bash
# Trains the model that the program carries, from ../shared/data to models/tiny.
#
# A stopped run goes on where it was. ENGINE names another engine than this program's
# own:
#
#	ENGINE=onnx:$PWD/.ort/libonnxruntime.so.1 make tiny    # after make ort
set -euo pipefail
cd "$(dirname "$0")/../../.."
engine=${ENGINE:-cutline:training}
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
