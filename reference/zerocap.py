"""Reference tensors of ZeroCap's search on a tiny random language model, in PyTorch alone,
with torch's own gradients through the cache of keys and values. Nothing of it is needed
to build, test or use the project; the tensors are committed under testdata/golden.

    OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/zerocap.py testdata/golden

A table stands in for CLIP's text tower: a text's embedding is the mean of its tokens'
rows. The language model with a cache is first held against the one without.
"""

import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

from textonly import E, SIZES, hidden_states, layer_norm, new_gpt2, unit, weights, write

P = "gpt.transformer."
HEADS, WIDTH, VOCAB = SIZES["n_head"], SIZES["n_embd"], SIZES["vocab_size"]


def run(w, x, first, past):
    """Embeddings [B, T, D] from a position on, after the keys and values [B, H, M, d] of
    each layer: logits of the last, and all keys and values."""
    batch, length, _ = x.shape
    x = x + w[P + "wpe.weight"][first : first + length]
    mask = torch.ones(length, first + length).tril(first).bool()
    kept = []
    for layer in range(SIZES["n_layer"]):
        p = f"{P}h.{layer}."
        h = layer_norm(w, p + "ln_1", x)
        qkv = h @ w[p + "attn.c_attn.weight"] + w[p + "attn.c_attn.bias"]
        q, k, v = (t.view(batch, length, HEADS, -1).transpose(1, 2) for t in qkv.split(WIDTH, -1))
        if past:
            k, v = torch.cat((past[2 * layer], k), 2), torch.cat((past[2 * layer + 1], v), 2)
        kept += [k, v]
        scores = (q @ k.transpose(2, 3) / (WIDTH // HEADS) ** 0.5).masked_fill(~mask, -1e9).softmax(-1)
        h = (scores @ v).transpose(1, 2).reshape(batch, length, WIDTH)
        x = x + h @ w[p + "attn.c_proj.weight"] + w[p + "attn.c_proj.bias"]
        h = layer_norm(w, p + "ln_2", x)
        h = h @ w[p + "mlp.c_fc.weight"] + w[p + "mlp.c_fc.bias"]
        h = 0.5 * h * (1 + torch.tanh((2 / np.pi) ** 0.5 * (h + 0.044715 * h**3)))
        x = x + h @ w[p + "mlp.c_proj.weight"] + w[p + "mlp.c_proj.bias"]
    return layer_norm(w, P + "ln_f", x)[:, -1] @ w[P + "wte.weight"].T, kept


def next_row(w, text, prompt, photo, table, c):
    """p* of one text [V], as log-probabilities."""
    wte, ids = w[P + "wte.weight"], prompt + text
    before, last = torch.tensor([ids[:-1]]), torch.tensor([ids[-1:]])
    with torch.no_grad():
        _, past = run(w, wte[before], 0, None)
        p0, _ = run(w, wte[last], len(ids) - 1, past)
        whole = hidden_states(w, wte[torch.tensor([ids])], HEADS)[:, -1] @ wte.T
        assert (p0 - whole).abs().max() < 1e-4, "the cache is wrong"
    delta = [torch.zeros_like(t) for t in past]
    for _ in range(c["steps"]):
        delta = [d.requires_grad_() for d in delta]
        logits, _ = run(w, wte[last], len(ids) - 1, [t + d for t, d in zip(past, delta)])
        p = logits.softmax(-1)
        top = p[0].topk(c["candidates"]).indices
        texts = torch.stack([table[torch.tensor(ids + [int(v)])].mean(0) for v in top])
        q = torch.zeros(VOCAB)
        q[top] = (unit(texts) @ unit(photo) / c["temperature"]).softmax(-1)
        loss = -(q * p.log()).sum() + c["kl"] * (p * (p.log() - p0.log_softmax(-1))).sum()
        grads = torch.autograd.grad(loss, delta)
        delta = [(d - c["step_size"] * g / (g.norm() + 1e-15) ** c["norm_power"]).detach() for d, g in zip(delta, grads)]
    with torch.no_grad():
        logits, _ = run(w, wte[last], len(ids) - 1, [t + d for t, d in zip(past, delta)])
        logits, factor = logits[0].clone(), 1 / c["start_factor"] if not text else c["end_factor"]
        for stop in c["stop"]:
            logits[stop] *= factor if logits[stop] > 0 else 1 / factor
        fused = logits.softmax(-1) ** c["fusion"] * p0[0].softmax(-1) ** (1 - c["fusion"])
        return (fused / fused.sum()).log()


def search(w, prompt, photo, table, c):
    """The beams by the mean log-probability of their tokens."""
    beams = [([], 0.0, False)]
    for _ in range(c["length"]):
        candidates = []
        for text, total, ended in beams:
            if ended:
                candidates.append((total / len(text), text, total, True))
                continue
            row = next_row(w, text, prompt, photo, table, c)
            for v in range(VOCAB):
                s = total + float(row[v])
                candidates.append((s / (len(text) + 1), text + [v], s, v in c["stop"]))
        candidates.sort(key=lambda x: -x[0])
        beams = [(t, s, e) for _, t, s, e in candidates[: c["beams"]]]
    return beams


PAPER = {
    "steps": 5, "step_size": 0.3, "norm_power": 0.9, "kl": 0.2, "temperature": 0.01, "candidates": 12, "fusion": 0.99,
    "end_factor": 1.01, "start_factor": 1.6, "beams": 3, "length": 5, "stop": [2, 7],
}
ARITHMETIC = dict(PAPER, norm_power=0.95, fusion=0.95, end_factor=1.06, temperature=0.1)


def main():
    torch.manual_seed(3)
    w = new_gpt2(VOCAB, SIZES["n_positions"], WIDTH, SIZES["n_layer"])
    prompt, texts = [3, 8, 11], [[], [4], [9, 1], [20, 5]]
    photos, table = torch.randn(2, E), torch.randn(VOCAB, E)
    out = dict(weights(w), photos=photos, table=table)
    cases = []
    for name, c in (("paper", PAPER), ("arithmetic", ARITHMETIC), ("plain", dict(PAPER, steps=0))):
        for i, text in enumerate(texts):
            out[f"{name}.row.{i}"] = next_row(w, text, prompt, photos[i % 2], table, c)
        for i in range(2):
            for j, (tokens, total, _) in enumerate(search(w, prompt, photos[i], table, c)):
                out[f"{name}.beam.{i}.{j}"] = torch.tensor(tokens)
                out[f"{name}.total.{i}.{j}"] = torch.tensor(total)
        cases.append(dict(c, name=name))
    write(os.path.join(sys.argv[1], "zerocap"), out, {"gpt": SIZES, "clip_width": E, "prompt": prompt, "texts": texts, "cases": cases})


if __name__ == "__main__":
    main()
