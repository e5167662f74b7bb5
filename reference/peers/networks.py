"""GPT-2 small and ClipCap's networks in PyTorch, in the form that runs fastest there, for
pytorch.py and export.py: keys and values are kept, layers are Hugging Face's Conv1D."""

import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from truesize import ModifiedResNet, VisionTransformer, transformer, transformer_prefix

WIDTH, HEADS, LAYERS, VOCAB, PREFIX = 768, 12, 12, 50257, 10


class Conv1D(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(0.02 * torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        h = torch.addmm(self.bias, x.reshape(-1, self.weight.shape[0]), self.weight)
        return h.view(-1, int(x.shape[1]), self.weight.shape[1])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.c_attn, self.c_proj = Conv1D(WIDTH, 3 * WIDTH), Conv1D(WIDTH, WIDTH)
        self.c_fc, self.c_out = Conv1D(WIDTH, 4 * WIDTH), Conv1D(4 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x, past):
        length = int(x.shape[1])
        parts = self.c_attn(self.ln_1(x)).split(WIDTH, 2)
        q, k, v = (t.view(-1, length, HEADS, WIDTH // HEADS).transpose(1, 2) for t in parts)
        if past is not None:
            k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        scores = q @ k.transpose(2, 3) / (WIDTH // HEADS) ** 0.5
        if length > 1:
            later = torch.ones(length, length, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -1e9)
        h = self.dropout(scores.softmax(-1)) @ v
        x = x + self.dropout(self.c_proj(h.transpose(1, 2).reshape(-1, length, WIDTH)))
        h = self.c_fc(self.ln_2(x))
        h = 0.5 * h * (1.0 + torch.tanh(0.7978845608028654 * (h + 0.044715 * torch.pow(h, 3.0))))
        return x + self.dropout(self.c_out(h)), (k, v)


class GPT2(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte = nn.Parameter(0.02 * torch.randn(VOCAB, WIDTH))
        self.wpe = nn.Parameter(0.02 * torch.randn(1024, WIDTH))
        self.h = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.ln_f = nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x, past=None):
        """Embeddings [B, T, D] to hidden states and the layers' keys and values."""
        begin = 0 if past is None else past[0][0].shape[2]
        x = self.dropout(x + self.wpe[begin : begin + x.shape[1]])
        kept = []
        for layer, block in enumerate(self.h):
            x, now = block(x, past and past[layer])
            kept.append(now)
        return self.ln_f(x), kept

    def next(self, hidden):
        """The likeliest token [B] after the last position."""
        return F.linear(hidden[:, -1], self.wte).argmax(1)


def mlp():
    hidden = PREFIX * WIDTH // 2
    return nn.Sequential(nn.Linear(512, hidden), nn.Tanh(), nn.Linear(hidden, 2 * hidden))


class TransformerMapper(nn.Module):
    def __init__(self):
        super().__init__()
        self.tensors = transformer(WIDTH, 512, PREFIX, 8)
        for name, t in self.tensors.items():
            self.register_parameter(name.replace(".", "_"), nn.Parameter(t))
            self.tensors[name] = getattr(self, name.replace(".", "_"))

    def forward(self, x):
        return transformer_prefix(self.tensors, x)


def vit():
    return VisionTransformer(224, 32, 768, 12, 512)


def encode(vit, x):
    """VisionTransformer.forward without its mask of zeros."""
    x = vit.conv1(x).flatten(2).transpose(1, 2)
    first = vit.class_embedding.expand(x.shape[0], 1, -1)
    x = vit.ln_pre(torch.cat((first, x), 1) + vit.positional_embedding)
    x = vit.transformer(x, None)
    return vit.ln_post(x[:, 0]) @ vit.proj


def rn50():
    return ModifiedResNet(224, (3, 4, 6, 3), 64, 1024)


def prefill(mapper, gpt, embedding):
    hidden, past = gpt(mapper(embedding).view(-1, PREFIX, WIDTH))
    return gpt.next(hidden), past


def token(gpt, ids, past):
    """The token after ids [B], and the keys and values with theirs."""
    hidden, past = gpt(gpt.wte[ids].unsqueeze(1), past)
    return gpt.next(hidden), past
