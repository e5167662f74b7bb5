"""Writes the networks of `make bench-peers` as ONNX files, with random weights:

    /usr/bin/python3 reference/peers/export.py FOLDER
"""

import os
import sys

import torch
from torch import nn

from networks import GPT2, LAYERS, encode, mlp, prefill, rn50, token, vit

PAST = [f"past{i}" for i in range(2 * LAYERS)]
PRESENT = [f"present{i}" for i in range(2 * LAYERS)]


class Wrapped(nn.Module):
    """A function of a module's and of tensors."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.run(self, *inputs)


def pairs(tensors):
    return list(zip(tensors[::2], tensors[1::2]))


def flat(ids, kept):
    return (ids, *(t for pair in kept for t in pair))


def main(folder):
    def write(name, module, inputs, names, outputs, axes=None):
        axes = axes or {n: {0: "batch"} for n in names + outputs}
        mode = torch.onnx.TrainingMode.PRESERVE
        # Written under another name first, so that a file is whole.
        path = os.path.join(folder, name + ".onnx")
        torch.onnx.export(module, inputs, path + ".new", input_names=names, output_names=outputs, dynamic_axes=axes, opset_version=17, training=mode)
        os.rename(path + ".new", path)
        print(name, "written", flush=True)

    with torch.no_grad():
        # In evaluation its attention is one operation of PyTorch's own, which ONNX lacks.
        network = Wrapped(lambda m, x: encode(m.vit, x), vit=vit()).train()
        write("vit", network, torch.randn(2, 3, 224, 224), ["pixels"], ["embedding"])
        write("rn50", rn50().eval(), torch.randn(2, 3, 224, 224), ["pixels"], ["embedding"])
        gpt = GPT2()
        network = Wrapped(lambda m, x: flat(*prefill(m.mapper, m.gpt, x)), mapper=mlp(), gpt=gpt).eval()
        write("prefill", network, torch.randn(2, 512), ["embedding"], ["ids"] + PRESENT)
        network = Wrapped(lambda m, ids, *past: flat(*token(m.gpt, ids, pairs(past))), gpt=gpt).eval()
        past = [torch.randn(2, 12, 25, 64) for _ in PAST]
        axes = {n: {0: "batch", 2: n.rstrip("0123456789")} for n in PAST + PRESENT}
        axes.update({"ids": {0: "batch"}, "next": {0: "batch"}})
        write("token", network, (torch.ones(2, dtype=torch.int64), *past), ["ids"] + PAST, ["next"] + PRESENT, axes)
        for k, n in ((768, 3072), (3072, 768)):
            product = nn.Linear(k, n, bias=False)
            write(f"gemm-{k}-{n}", product, torch.randn(2, k), ["x"], ["y"])


main(sys.argv[1])
