#!/usr/bin/env bash
# Trains the model that the program carries, from ../shared/data to models/tiny.
#
# A stopped run goes on where it was. CLIP is the part that takes hours, so it is taken
# from the carried model unless everything is to be trained from random weights:
#
#	make tiny                # the language model and the captioner
#	FROM_SCRATCH=1 make tiny # CLIP between them
#
# ENGINE names another engine than this program's own:
#
#	ENGINE=onnx:$PWD/.ort/libonnxruntime.so.1 make tiny    # after make ort
set -euo pipefail
cd "$(dirname "$0")/../../.."
engine=${ENGINE:-cutline:training}
tags=
case $engine in onnx:*) tags=onnx ;; esac
mkdir -p bin runs/tiny
GOEXPERIMENT=simd go build -tags "$tags" -o bin/cutline-train ./cmd/cutline
train() { # method, stage, more
	bin/cutline-train train "$1" --config "models/recipes/tiny/$2.json" --out "runs/tiny/$2" --engine "$engine" "${@:3}"
}
train lm lm
clip=models/tiny
if [ -n "${FROM_SCRATCH:-}" ]; then
	train clip towers
	train clip clip
	train clip words
	train clip mixed
	clip=runs/tiny/mixed
fi
train capdec capdec --set "clip=$clip"
train clipcap-mlp clipcap --set "clip=$clip"
train scst scst
rm -rf models/tiny
cp -r runs/tiny/scst models/tiny
