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
# Three ways on, and their mean: one way alone is as good or bad as its luck.
lesson() { # weight of discriminability, updates, variance of the noise, seed
	bin/cutline-train train scst --config models/recipes/tiny/scst.json --out "runs/tiny/scst-$1" --engine "$engine" \
		--set "discriminability=$1" --updates "$2" --set "val.every=$2" --set "noise.variance=$3" --set "method.optimizer.seed=$4"
}
lesson 0.06 60 0.01 5
lesson 0.1 60 0.01 5
lesson 0.18 40 0.005 3
bin/cutline-train models average --out models/tiny runs/tiny/scst-{0.06,0.1,0.18}
