"""ONNX Runtime's side of `make bench-peers` where Python has its package: it does what it
reads on stdin; see side.go.

    python3 ort.py FOLDER_OF_ONNX_FILES
"""

import os
import sys

import numpy as np
import onnxruntime as ort

from serve import serve

THREADS, CAPTION, CONTEXT, LAYERS = 2, 15, 25, 12


def session(name):
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    path = os.path.join(sys.argv[1], name + ".onnx")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def floats(*dims):
    return (np.arange(np.prod(dims), dtype=np.float32) % 997 / 997 - 0.5).reshape(dims)


def encoder(name, batch):
    s, pixels = session(name), floats(batch, 3, 224, 224)
    return lambda: s.run(None, {"pixels": pixels})


def token(batch):
    s = session("token")
    feeds = {"ids": np.ones(batch, np.int64)}
    feeds.update({f"past{i}": floats(batch, 12, CONTEXT, 64) for i in range(2 * LAYERS)})
    return lambda: s.run(None, feeds)


def caption(batch):
    vit, prefill, following = session("vit"), session("prefill"), session("token")
    pixels = floats(batch, 3, 224, 224)

    def run():
        (embedding,) = vit.run(None, {"pixels": pixels})
        ids, *past = prefill.run(None, {"embedding": embedding})
        for _ in range(CAPTION - 1):
            feeds = {f"past{i}": t for i, t in enumerate(past)}
            ids, *past = following.run(None, {"ids": ids, **feeds})

    return run


def product(m, k, n):
    s, x = session(f"gemm-{k}-{n}"), floats(m, k)
    return lambda: s.run(None, {"x": x})


WORK = {
    "vit": lambda batch: encoder("vit", batch),
    "rn50": lambda batch: encoder("rn50", batch),
    "token": token,
    "caption": caption,
    "gemm": product,
}


def version():
    return f"onnxruntime {ort.__version__}, Python {sys.version.split()[0]}, intra_op_num_threads {THREADS}"


serve(version, WORK)
