"""Checkpoints of the true layouts and sizes with random weights, and what PyTorch makes
of them, for `make true-size`: OpenAI's archives of ViT-B/32 and RN50x4 in fp16, Hugging
Face's pytorch_model.bin of GPT-2 small, and ClipCap's two released files.

    OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/truesize.py FOLDER

It takes 3 GB of memory and of disk. The networks below are first held against the
reference tensors that CUTLINE_SHARED, or ../shared, holds.
"""

import json
import os
import struct
import sys
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from textonly import hidden_states, new_gpt2, read_safetensors


def write_safetensors(path, tensors):
    header, at = {}, 0
    arrays = {name: np.ascontiguousarray(t.detach().numpy()) for name, t in tensors.items()}
    for name, a in arrays.items():
        dtype = "I64" if a.dtype == np.int64 else "F32"
        header[name] = {"dtype": dtype, "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head)
        for a in arrays.values():
            f.write(a.tobytes())


# CLIP, with OpenAI's names.


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1 = nn.LayerNorm(width)
        layers = [("c_fc", nn.Linear(width, 4 * width)), ("gelu", QuickGELU()), ("c_proj", nn.Linear(4 * width, width))]
        self.mlp = nn.Sequential(OrderedDict(layers))
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x, mask):
        h = self.ln_1(x)
        x = x + self.attn(h, h, h, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, heads: int):
        super().__init__()
        self.resblocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])

    def forward(self, x, mask):
        for block in self.resblocks:
            x = block(x, mask)
        return x


class VisionTransformer(nn.Module):
    def __init__(self, size: int, patch: int, width: int, layers: int, embed: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(width**-0.5 * torch.randn(width))
        self.positional_embedding = nn.Parameter(width**-0.5 * torch.randn((size // patch) ** 2 + 1, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, width // 64)
        self.ln_post = nn.LayerNorm(width)
        self.proj = nn.Parameter(width**-0.5 * torch.randn(width, embed))

    def forward(self, x):
        x = self.conv1(x).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(x.shape[0], 1, -1)
        x = self.ln_pre(torch.cat((first, x), 1) + self.positional_embedding)
        length = x.shape[1]
        x = self.transformer(x, torch.zeros(length, length))
        return self.ln_post(x[:, 0]) @ self.proj


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, planes: int, stride: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False), nn.BatchNorm2d(planes)
        self.pool = nn.AvgPool2d(stride)
        self.conv3, self.bn3 = nn.Conv2d(planes, 4 * planes, 1, bias=False), nn.BatchNorm2d(4 * planes)
        self.downsample = nn.Sequential()
        if stride > 1 or inputs != 4 * planes:
            conv, bn = nn.Conv2d(inputs, 4 * planes, 1, bias=False), nn.BatchNorm2d(4 * planes)
            self.downsample = nn.Sequential(OrderedDict([("-1", nn.AvgPool2d(stride)), ("0", conv), ("1", bn)]))

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.pool(F.relu(self.bn2(self.conv2(h))))
        return F.relu(self.bn3(self.conv3(h)) + self.downsample(x))


class AttentionPool(nn.Module):
    def __init__(self, places: int, width: int, heads: int, embed: int):
        super().__init__()
        self.positional_embedding = nn.Parameter(width**-0.5 * torch.randn(places + 1, width))
        self.k_proj, self.q_proj = nn.Linear(width, width), nn.Linear(width, width)
        self.v_proj, self.c_proj = nn.Linear(width, width), nn.Linear(width, embed)
        self.heads = heads

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat((x.mean(1, keepdim=True), x), 1) + self.positional_embedding
        q, k, v = self.split(self.q_proj(x[:, :1])), self.split(self.k_proj(x)), self.split(self.v_proj(x))
        h = (q @ k.transpose(2, 3) / k.shape[3] ** 0.5).softmax(-1) @ v
        return self.c_proj(h.transpose(1, 2).reshape(x.shape[0], -1))


class ModifiedResNet(nn.Module):
    def __init__(self, size: int, blocks, width: int, embed: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width // 2, 3, 2, 1, bias=False), nn.BatchNorm2d(width // 2)
        self.conv2, self.bn2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False), nn.BatchNorm2d(width // 2)
        self.conv3, self.bn3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        inputs, stages = width, []
        for stage, count in enumerate(blocks):
            layers, planes = [], width << stage
            for block in range(count):
                layers.append(Bottleneck(inputs, planes, 2 if stage > 0 and block == 0 else 1))
                inputs = 4 * planes
            stages.append(nn.Sequential(*layers))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.attnpool = AttentionPool((size // 32) ** 2, 32 * width, 32 * width // 64, embed)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.avg_pool2d(F.relu(self.bn3(self.conv3(x))), 2)
        return self.attnpool(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


class CLIP(nn.Module):
    def __init__(self, visual: nn.Module, size: int, embed: int, vocab: int, width: int, layers: int):
        super().__init__()
        self.positional_embedding = nn.Parameter(0.01 * torch.randn(77, width))
        self.text_projection = nn.Parameter(width**-0.5 * torch.randn(width, embed))
        self.logit_scale = nn.Parameter(torch.tensor(2.6592))
        # OpenAI's archives carry these besides the weights.
        for name, value in (("input_resolution", size), ("context_length", 77), ("vocab_size", vocab)):
            self.register_buffer(name, torch.tensor(value))
        self.visual = visual
        self.transformer = Transformer(width, layers, width // 64)
        self.token_embedding = nn.Embedding(vocab, width)
        self.ln_final = nn.LayerNorm(width)

    def forward(self, image, tokens):
        x = self.token_embedding(tokens) + self.positional_embedding
        mask = torch.full((77, 77), float("-inf")).triu(1)
        x = self.ln_final(self.transformer(x, mask))
        end = tokens.argmax(1)
        text = x[torch.arange(x.shape[0]), end] @ self.text_projection
        return self.visual(image), text


def halves(model):
    """The parameters that OpenAI's convert_weights turns into half."""
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            yield from (p for p in (module.weight, module.bias) if p is not None)
        if isinstance(module, nn.MultiheadAttention):
            yield module.in_proj_weight
            yield module.in_proj_bias
    yield model.text_projection
    if isinstance(model.visual, VisionTransformer):
        yield model.visual.proj


@torch.no_grad()
def clip_archive(path, model, size, vocab):
    image = torch.randn(2, 3, size, size)
    if isinstance(model.visual, ModifiedResNet):  # statistics from real forward passes
        for m in model.modules():
            # With weights of 1 a random network of this depth is chaotic: PyTorch's own
            # float32 is 1.6e-4 from its float64 then, and 2e-6 like this.
            if isinstance(m, Bottleneck):
                m.bn3.weight.fill_(0.2)
            if isinstance(m, nn.BatchNorm2d):
                m.momentum = None
        model.train()
        model.visual(torch.randn(2, 3, size, size))
    model.eval()
    tokens = torch.zeros(2, 77, dtype=torch.int64)
    for row, length in enumerate((9, 77)):
        tokens[row, :length] = torch.randint(1, vocab - 2, (length,))
        tokens[row, 0], tokens[row, length - 1] = vocab - 2, vocab - 1
    for p in halves(model):
        p.data = p.data.half().float()
    image_features, text_features = model(image, tokens)
    for p in halves(model):
        p.data = p.data.half()
    torch.jit.save(torch.jit.script(model), path)
    return {"image": image, "tokens": tokens, "image_features": image_features, "text_features": text_features}


@torch.no_grad()
def check_clip(golden):
    """Holds both towers against OpenAI's own code."""
    for name, visual in (
        ("clip_vit", lambda: VisionTransformer(64, 16, 128, 3, 64)),
        ("clip_rn", lambda: ModifiedResNet(96, (1, 1, 2, 1), 16, 64)),
    ):
        w = read_safetensors(os.path.join(golden, name, "openai.safetensors"))
        io = read_safetensors(os.path.join(golden, name, "io.safetensors"))
        layers = len([n for n in w if n.startswith("transformer.") and n.endswith("ln_1.weight")])
        model = CLIP(visual(), 0, 64, 600, 64, layers)
        missing, unexpected = model.load_state_dict(w, strict=False)
        assert not unexpected and set(missing) == {"input_resolution", "context_length", "vocab_size"}, (missing, unexpected)
        for got, want in zip(model.eval()(io["image"], io["tokens"]), (io["image_features"], io["text_features"])):
            error = (got - want).abs().max() / want.abs().max()
            assert error < 1e-5, f"{name} is off by {error}"


# ClipCap, with its names.


def linear(w, name, x):
    return F.linear(x, w[name + ".weight"], w.get(name + ".bias"))


def new_linear(w, name, inputs, outputs, bias=True):
    w[name + ".weight"] = torch.randn(outputs, inputs) / inputs**0.5
    if bias:
        w[name + ".bias"] = 0.1 * torch.randn(outputs)


def mlp(width, embed, length):
    w = {}
    new_linear(w, "clip_project.model.0", embed, width * length // 2)
    new_linear(w, "clip_project.model.2", width * length // 2, width * length)
    return w


def mlp_prefix(w, x):
    return linear(w, "clip_project.model.2", torch.tanh(linear(w, "clip_project.model.0", x)))


def transformer(width, embed, length, layers):
    w = {"clip_project.prefix_const": torch.randn(length, width)}
    new_linear(w, "clip_project.linear", embed, length * width)
    for layer in range(layers):
        p = f"clip_project.transformer.layers.{layer}."
        for norm in ("norm1", "norm2"):
            w[p + norm + ".weight"], w[p + norm + ".bias"] = torch.ones(width), torch.zeros(width)
        new_linear(w, p + "attn.to_queries", width, width, bias=False)
        new_linear(w, p + "attn.to_keys_values", width, 2 * width, bias=False)
        new_linear(w, p + "attn.project", width, width)
        new_linear(w, p + "mlp.fc1", width, 2 * width)
        new_linear(w, p + "mlp.fc2", 2 * width, width)
    return w


def transformer_prefix(w, x, heads=8):
    constant = w["clip_project.prefix_const"]
    length, width = constant.shape
    x = x / x.norm(dim=-1, keepdim=True)  # the released file expects it
    x = linear(w, "clip_project.linear", x).view(len(x), length, width)
    x = torch.cat((x, constant.expand(len(x), -1, -1)), 1)
    for layer in range(len([n for n in w if n.endswith("norm1.weight")])):
        p = f"clip_project.transformer.layers.{layer}."
        h = F.layer_norm(x, (width,), w[p + "norm1.weight"], w[p + "norm1.bias"])
        parts = (linear(w, p + "attn.to_queries", h), *linear(w, p + "attn.to_keys_values", h).chunk(2, -1))
        q, k, v = (t.view(len(x), 2 * length, heads, -1).transpose(1, 2) for t in parts)
        h = (q @ k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(-1) @ v
        x = x + linear(w, p + "attn.project", h.transpose(1, 2).reshape(x.shape))
        h = F.layer_norm(x, (width,), w[p + "norm2.weight"], w[p + "norm2.bias"])
        x = x + linear(w, p + "mlp.fc2", F.relu(linear(w, p + "mlp.fc1", h)))
    return x[:, length:]


@torch.no_grad()
def clipcap_file(path, mapper, prefix, embed, gpt, positions=1024):
    """The layout that ClipCap's train.py saves: mask buffers, and the head beside wte."""
    w = OrderedDict(gpt)
    for layer in range(12):
        p = f"gpt.transformer.h.{layer}.attn."
        w[p + "bias"] = torch.ones(positions, positions).tril().byte().view(1, 1, positions, positions)
        w[p + "masked_bias"] = torch.tensor(-1e4)
    w["gpt.lm_head.weight"] = w["gpt.transformer.wte.weight"]
    w.update(mapper)
    torch.save(w, path)
    embedding, captions = torch.randn(2, embed), torch.randint(0, 50257, (2, 6))
    vectors = prefix(mapper, embedding).view(2, -1, 768)
    wte = w["gpt.transformer.wte.weight"]
    h = hidden_states(w, torch.cat((vectors, wte[captions]), 1), 12)
    logits = h[:, vectors.shape[1] - 1 : -1] @ wte.T
    return {"embedding": embedding, "captions": captions, "prefix": vectors, "logits": logits}


@torch.no_grad()
def gpt2_file(path, gpt, positions=1024):
    """Hugging Face's file of 2019: bare names, mask buffers of floats, no head, and the
    format from before torch 1.6."""
    w = OrderedDict((n[len("gpt.transformer.") :], t) for n, t in gpt.items())
    ids = torch.randint(0, 50257, (2, 7))
    h = hidden_states(w, w["wte.weight"][ids], 12, prefix="")
    logits = h @ w["wte.weight"].T
    for layer in range(12):
        w[f"h.{layer}.attn.bias"] = torch.ones(positions, positions).tril().view(1, 1, positions, positions)
    torch.save(w, path, _use_new_zipfile_serialization=False)
    return {"ids": ids, "logits": logits}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    golden = os.path.join(os.environ.get("CUTLINE_SHARED") or "../shared", "golden")
    check_clip(golden)
    torch.manual_seed(5)
    expected = {}

    def keep(name, tensors):
        expected.update({f"{name}.{key}": t for key, t in tensors.items()})
        print(name, "written", flush=True)

    vocab = 49408
    vit = CLIP(VisionTransformer(224, 32, 768, 12, 512), 224, 512, vocab, 512, 12)
    keep("vit", clip_archive(os.path.join(folder, "ViT-B-32.pt"), vit, 224, vocab))
    rn = CLIP(ModifiedResNet(288, (4, 6, 10, 6), 80, 640), 288, 640, vocab, 640, 12)
    keep("rn", clip_archive(os.path.join(folder, "RN50x4.pt"), rn, 288, vocab))
    gpt = new_gpt2(50257, 1024, 768, 12)
    keep("gpt2", gpt2_file(os.path.join(folder, "pytorch_model.bin"), gpt))
    keep("mlp", clipcap_file(os.path.join(folder, "coco_weights.pt"), mlp(768, 512, 10), mlp_prefix, 512, gpt))
    released = transformer(768, 640, 40, 8)
    keep("transformer", clipcap_file(os.path.join(folder, "transformer_weights.pt"), released, transformer_prefix, 640, gpt))
    write_safetensors(os.path.join(folder, "expected.safetensors"), expected)


if __name__ == "__main__":
    main(sys.argv[1])
