"""PyTorch's side of `make bench-peers`: it does what it reads on stdin; see side.go."""

import gc
import os

import torch
import torch.nn.functional as F

from networks import GPT2, PREFIX, WIDTH, TransformerMapper, encode, mlp, prefill, rn50, token, vit
from serve import serve

THREADS, CAPTION, LEARNED, CONTEXT = 2, 15, 40, 25


def encoder(batch, network, run):
    network, pixels = network().eval(), torch.randn(batch, 3, 224, 224)
    return lambda: run(network, pixels)


def cached_token(batch):
    gpt, ids = GPT2().eval(), torch.ones(batch, dtype=torch.int64)
    past = [[torch.randn(batch, 12, CONTEXT, 64) for _ in range(2)] for _ in gpt.h]
    return lambda: token(gpt, ids, past)


def caption(batch):
    images, mapper, gpt = vit().eval(), mlp().eval(), GPT2().eval()
    pixels = torch.randn(batch, 3, 224, 224)

    def run():
        ids, past = prefill(mapper, gpt, encode(images, pixels))
        for _ in range(CAPTION - 1):
            ids, past = token(gpt, ids, past)

    return run


def training(batch, mapper, frozen):
    """What ClipCap's train.py does in a step, but that logits are made for captions alone."""
    mapper, gpt = mapper(), GPT2()
    parameters = list(mapper.parameters())
    if frozen:
        gpt.eval().requires_grad_(False)
    else:
        parameters += gpt.parameters()
    optimizer = torch.optim.AdamW(parameters, lr=2e-5, weight_decay=0)
    embedding, ids = torch.randn(batch, 512), torch.randint(1, 50257, (batch, LEARNED))

    def run():
        optimizer.zero_grad(set_to_none=True)
        x = torch.cat((mapper(embedding).view(-1, PREFIX, WIDTH), gpt.wte[ids[:, :-1]]), 1)
        logits = F.linear(gpt(x)[0][:, PREFIX - 1 :], gpt.wte)
        loss = F.cross_entropy(logits.flatten(0, 1), ids.flatten(), ignore_index=0)
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


def product(m, k, n):
    x, w = torch.randn(m, k), torch.randn(k, n)
    return lambda: x @ w


def inferred(make):
    """Work that needs no gradients."""
    return lambda *sizes: torch.inference_mode()(make(*sizes))


WORK = {
    "vit": inferred(lambda batch: encoder(batch, vit, encode)),
    "rn50": inferred(lambda batch: encoder(batch, rn50, lambda network, x: network(x))),
    "token": inferred(cached_token),
    "caption": inferred(caption),
    "train-mlp": lambda batch: training(batch, mlp, False),
    "train-transformer": lambda batch: training(batch, TransformerMapper, True),
    "gemm": inferred(product),
}


def version():
    blas = "MKL"
    if not torch.backends.mkl.is_available():
        core = os.environ.get("OPENBLAS_CORETYPE") or "as OpenBLAS finds it"
        blas = f"of Debian, OpenBLAS (processor: {core})"
    return f"PyTorch {torch.__version__} {blas}, {torch.get_num_threads()} threads"


torch.set_num_threads(THREADS)
serve(version, WORK, close=gc.collect)
