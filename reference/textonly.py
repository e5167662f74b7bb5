"""Reference tensors of the text-only methods: losses, gradients and searches of tiny
random networks, in PyTorch alone. Nothing of it is needed to build, test or use the
project; the tensors are committed under testdata/golden.

    OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/textonly.py testdata/golden

The GPT-2 below is first held against Hugging Face's outputs in testdata/golden/gpt2.
"""

import hashlib
import json
import os
import platform
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

DTYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "U8": np.uint8}


def read_safetensors(path):
    data = open(path, "rb").read()
    size = struct.unpack("<Q", data[:8])[0]
    out = {}
    for name, entry in json.loads(data[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + size + begin : 8 + size + end], DTYPES[entry["dtype"]])
        out[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return out


def write(folder, tensors, config):
    """Writes train.safetensors, and train.json with the versions and the checksum."""
    os.makedirs(folder, exist_ok=True)
    header, body = {}, b""
    for name in sorted(tensors):
        values = tensors[name].detach().numpy()
        values = values.astype(np.int64 if values.dtype.kind == "i" else np.float32)
        raw = np.ascontiguousarray(values).tobytes()
        dtype = "I64" if values.dtype == np.int64 else "F32"
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    data = struct.pack("<Q", len(head)) + head + body
    open(os.path.join(folder, "train.safetensors"), "wb").write(data)
    config = dict(
        config,
        made_by="reference/" + os.path.basename(sys.argv[0]),
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        sha256=hashlib.sha256(data).hexdigest(),
    )
    with open(os.path.join(folder, "train.json"), "w") as f:
        json.dump(config, f, indent=1)
        f.write("\n")


# GPT-2, with Hugging Face's names below "gpt.transformer.".


def layer_norm(w, name, x):
    return F.layer_norm(x, x.shape[-1:], w[name + ".weight"], w[name + ".bias"], 1e-5)


def hidden_states(w, x, heads, prefix="gpt.transformer."):
    """Embeddings [B, T, D] to the hidden states after ln_f."""
    batch, length, width = x.shape
    x = x + w[prefix + "wpe.weight"][:length]
    mask = torch.ones(length, length).tril().bool()
    layers = len([n for n in w if n.startswith(prefix + "h.") and n.endswith("ln_1.weight")])
    for layer in range(layers):
        p = f"{prefix}h.{layer}."
        h = layer_norm(w, p + "ln_1", x)
        qkv = h @ w[p + "attn.c_attn.weight"] + w[p + "attn.c_attn.bias"]
        q, k, v = (t.view(batch, length, heads, -1).transpose(1, 2) for t in qkv.split(width, -1))
        scores = q @ k.transpose(2, 3) / (width // heads) ** 0.5
        scores = scores.masked_fill(~mask, -1e9).softmax(-1)
        h = (scores @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + h @ w[p + "attn.c_proj.weight"] + w[p + "attn.c_proj.bias"]
        h = layer_norm(w, p + "ln_2", x)
        h = h @ w[p + "mlp.c_fc.weight"] + w[p + "mlp.c_fc.bias"]
        h = 0.5 * h * (1 + torch.tanh((2 / np.pi) ** 0.5 * (h + 0.044715 * h**3)))
        x = x + h @ w[p + "mlp.c_proj.weight"] + w[p + "mlp.c_proj.bias"]
    return layer_norm(w, prefix + "ln_f", x)


def check_gpt2(golden):
    folder = os.path.join(golden, "gpt2")
    w = read_safetensors(os.path.join(folder, "model.safetensors"))
    io = read_safetensors(os.path.join(folder, "io.safetensors"))
    heads = json.load(open(os.path.join(folder, "config.json")))["n_head"]
    h = hidden_states(w, w["wte.weight"][io["input_ids"]], heads, prefix="")
    error = (h - io["hidden"]).abs().max() / io["hidden"].abs().max()
    assert error < 1e-5, f"this GPT-2 is off by {error}"


def new_gpt2(vocab, positions, width, layers):
    w = {"wte.weight": torch.randn(vocab, width) * 0.3, "wpe.weight": torch.randn(positions, width) * 0.1}
    for layer in range(layers):
        p = f"h.{layer}."
        for name in ("ln_1", "ln_2"):
            w[p + name + ".weight"] = 1 + 0.1 * torch.randn(width)
            w[p + name + ".bias"] = 0.1 * torch.randn(width)
        for name, i, o in (
            ("attn.c_attn", width, 3 * width),
            ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width),
            ("mlp.c_proj", 4 * width, width),
        ):
            w[p + name + ".weight"] = torch.randn(i, o) / i**0.5
            w[p + name + ".bias"] = 0.1 * torch.randn(o)
    w["ln_f.weight"], w["ln_f.bias"] = 1 + 0.1 * torch.randn(width), 0.1 * torch.randn(width)
    return {"gpt.transformer." + n: t for n, t in w.items()}


SIZES = {"vocab_size": 24, "n_positions": 20, "n_embd": 16, "n_layer": 2, "n_head": 2, "layer_norm_epsilon": 1e-5}
E, K = 6, 3


def new_network(kind):
    width = SIZES["n_embd"]
    w = new_gpt2(SIZES["vocab_size"], SIZES["n_positions"], width, SIZES["n_layer"])
    layers = {"mlp": (("model.0", K * width // 2, E), ("model.2", K * width, K * width // 2)), "linear": (("linear", width, E),)}
    for name, o, i in layers[kind]:
        w[f"clip_project.{name}.weight"] = torch.randn(o, i) / i**0.5
        w[f"clip_project.{name}.bias"] = 0.1 * torch.randn(o)
    return {n: t.requires_grad_() for n, t in w.items()}


def linear(w, name, x):
    return F.linear(x, w[name + ".weight"], w[name + ".bias"])


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def mlp_prefix(w, embedding):
    h = torch.tanh(linear(w, "clip_project.model.0", embedding))
    return linear(w, "clip_project.model.2", h).view(len(embedding), K, -1)


def caption_logits(w, prefix, captions):
    wte = w["gpt.transformer.wte.weight"]
    x = torch.cat((prefix, wte[captions]), 1)
    h = hidden_states(w, x, SIZES["n_head"])
    return h[:, prefix.shape[1] - 1 : -1] @ wte.T


def new_captions(rows, length, low=1):
    captions = torch.randint(low, SIZES["vocab_size"], (rows, length))
    for i, row in enumerate(captions):
        row[length - i % 3 :] = 0  # padding, which is not counted
    return captions


def gradients(w, loss):
    named = [(n, t) for n, t in w.items()]
    grads = torch.autograd.grad(loss, [t for _, t in named], allow_unused=True)
    return {"grad." + n: g for (n, _), g in zip(named, grads) if g is not None}


def weights(w):
    return {"weight." + n: t for n, t in w.items()}


def sequence_loss(w, prefix, captions, smoothing=0.0):
    logits = caption_logits(w, prefix, captions)
    return F.cross_entropy(logits.flatten(0, 1), captions.flatten(), ignore_index=0, label_smoothing=smoothing)


def capdec(golden):
    w = new_network("mlp")
    z, noise, offset = 3 * torch.randn(4, E), 0.3 * torch.randn(4, E), 0.2 * torch.randn(E)
    captions = new_captions(4, 8)
    out = dict(weights(w), embedding=z, noise=noise, offset=offset, captions=captions)
    for name, read in (
        ("plain", unit(z)),
        ("noise", unit(unit(z) + noise)),
        ("offset", unit(unit(z) + noise + offset)),
    ):
        loss = sequence_loss(w, mlp_prefix(w, unit(read)), captions)
        out[name + ".loss"] = loss
        out.update({f"{name}.{n}": g for n, g in gradients(w, loss).items() if name == "offset" or "clip_project" in n})
    write(os.path.join(golden, "capdec"), out, {"gpt": SIZES, "prefix_length": K, "clip_width": E})


def unsupervised_clipcap(golden):
    w = new_network("mlp")
    # Photo i has the captions 2i and 2i+1, so y' of the one is the other.
    embeddings, captions = torch.randn(6, E), new_captions(6, 8)
    out = dict(weights(w), embeddings=embeddings, captions=captions)
    other = torch.arange(6) ^ 1
    for name, read in (("matched", embeddings[other]), ("same", embeddings)):
        loss = sequence_loss(w, mlp_prefix(w, read), captions)
        out[name + ".loss"] = loss
        out.update({f"{name}.{n}": g for n, g in gradients(w, loss).items() if name == "matched" or "clip_project" in n})
    write(os.path.join(golden, "unsupervised_clipcap"), out, {"gpt": SIZES, "prefix_length": K, "clip_width": E})


def decap(golden):
    w = new_network("linear")
    embeddings, captions = 2 * torch.randn(4, E), new_captions(4, 8)
    out = dict(weights(w), embeddings=embeddings, captions=captions)
    loss = sequence_loss(w, linear(w, "clip_project.linear", unit(embeddings))[:, None], captions, smoothing=0.1)
    out["loss"] = loss
    out.update(gradients(w, loss))
    memory, photos = unit(torch.randn(50, E)), torch.randn(5, E)
    out.update(memory=memory, photos=photos)
    for t in (100, 150):
        out[f"projected.{t}"] = unit((t * unit(photos) @ memory.T).softmax(-1) @ memory)
    write(os.path.join(golden, "decap"), out, {"gpt": SIZES, "clip_width": E, "label_smoothing": 0.1, "temperatures": [100, 150]})


def magic_loss(w, ids, lengths, margin):
    """SimCTG's two losses for sequences that begin with the start token and end with
    the end token, of the given lengths, padded."""
    wte = w["gpt.transformer.wte.weight"]
    inputs, targets = ids[:, :-1], ids[:, 1:]
    valid = torch.arange(inputs.shape[1])[None] < (lengths - 1)[:, None]
    h = hidden_states(w, wte[inputs], SIZES["n_head"])
    logits = h @ wte.T
    mle = F.cross_entropy(logits[valid], targets[valid])
    cosines = unit(h) @ unit(h).transpose(1, 2)
    pairs = valid[:, :, None] & valid[:, None] & ~torch.eye(inputs.shape[1]).bool()
    cl = F.relu(margin - 1 + cosines)[pairs].mean()
    return mle, cl


def magic_search(w, start, k, alpha, beta, steps, photo, table, scale):
    """table stands in for CLIP's text tower: a text's embedding is the mean of its
    tokens' rows."""
    wte = w["gpt.transformer.wte.weight"]
    ids = [start]
    for _ in range(steps):
        h = hidden_states(w, wte[torch.tensor([ids])], SIZES["n_head"])[0]
        p, candidates = (h[-1] @ wte.T).softmax(-1).topk(k)
        tried = torch.tensor([ids + [int(v)] for v in candidates])
        new = hidden_states(w, wte[tried], SIZES["n_head"])[:, -1]
        degeneration = (unit(new) @ unit(h).T).max(-1).values
        score = (1 - alpha) * p - alpha * degeneration
        if beta:
            text = table[tried[:, 1:]].mean(1)
            score = score + beta * (scale * unit(text) @ unit(photo)).softmax(-1)
        ids.append(int(candidates[score.argmax()]))
    return torch.tensor(ids[1:])


def magic(golden):
    w = {n: t for n, t in new_network("mlp").items() if n.startswith("gpt.")}
    start, end, pad, margin = SIZES["vocab_size"] - 2, 0, SIZES["vocab_size"] - 1, 0.5
    lengths = torch.tensor([9, 6, 4])
    ids = torch.full((3, 9), pad)
    for row, n in zip(ids, lengths):
        row[:n] = torch.randint(0, start, (int(n),))
        row[0], row[n - 1] = start, end
    mle, cl = magic_loss(w, ids, lengths, margin)
    out = dict(weights(w), ids=ids, lengths=lengths, mle=mle, contrastive=cl)
    out.update(gradients(w, mle + cl))
    photo, table = torch.randn(E), torch.randn(SIZES["vocab_size"], E)
    out.update(photo=photo, table=table)
    searches = []
    with torch.no_grad():
        for k, alpha, beta in ((1, 0.0, 0.0), (5, 0.1, 0.0), (5, 0.6, 0.0), (5, 0.1, 2.0), (8, 0.1, 2.0), (8, 0.5, 0.3)):
            name = f"search.{len(searches)}"
            out[name] = magic_search(w, start, k, alpha, beta, 12, photo, table, 8.0)
            searches.append({"ids": name, "k": k, "alpha": alpha, "beta": beta})
    write(
        os.path.join(golden, "magic"),
        out,
        {"gpt": SIZES, "start": start, "end": end, "pad": pad, "margin": margin, "scale": 8.0, "steps": 12, "searches": searches},
    )


def main():
    golden = sys.argv[1]
    check_gpt2(golden)
    for seed, make in enumerate((capdec, unsupervised_clipcap, decap, magic)):
        torch.manual_seed(seed)
        make(golden)


if __name__ == "__main__":
    main()
