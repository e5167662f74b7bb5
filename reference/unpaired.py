"""Reference tensors of the methods that learn from unpaired photos and texts: losses and
gradients of tiny random networks, in PyTorch alone. Nothing of it is needed to build,
test or use the project; the tensors are committed under testdata/golden.

    OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/unpaired.py testdata/golden
"""

import os
import sys

import torch
import torch.nn.functional as F

from textonly import (
    E, K, SIZES, gradients, hidden_states, linear, mlp_prefix, new_captions, new_network, sequence_loss, unit, weights, write,
)

LAYERS, HIDDEN = 3, 5
PLAYERS = ("text_generator", "photo_generator"), ("text_discriminator", "photo_discriminator")


def new_players():
    w = {}
    for name, sizes in (
        *((g, [(E, E)] * LAYERS) for g in PLAYERS[0]),
        *((d, [(HIDDEN, E), (1, HIDDEN)]) for d in PLAYERS[1]),
    ):
        for layer, (o, i) in enumerate(sizes):
            w[f"{name}.layers.{layer}.weight"] = 1.5 * torch.randn(o, i) / i**0.5
            w[f"{name}.layers.{layer}.bias"] = 0.1 * torch.randn(o)
    return {n: t.requires_grad_() for n, t in w.items()}


def generate(w, name, x, final):
    for layer in range(LAYERS):
        x = linear(w, f"{name}.layers.{layer}", x)
        if layer < LAYERS - 1 or final:
            x = torch.tanh(x)
    return x


def discriminate(w, name, x):
    return linear(w, f"{name}.layers.1", F.leaky_relu(linear(w, f"{name}.layers.0", x), 0.2))


def mse(x, to):
    return F.mse_loss(x, torch.full_like(x, to))


def generator_losses(w, x, t, final):
    text, photo = generate(w, "text_generator", x, final), generate(w, "photo_generator", t, final)
    adversarial = mse(discriminate(w, "text_discriminator", text), 1.0) + mse(discriminate(w, "photo_discriminator", photo), 1.0)
    cycle = F.l1_loss(generate(w, "photo_generator", text, final), x) + F.l1_loss(generate(w, "text_generator", photo, final), t)
    identity = F.l1_loss(generate(w, "text_generator", t, final), t) + F.l1_loss(generate(w, "photo_generator", x, final), x)
    spread = text.var(0, unbiased=False).mean() / t.var(0, unbiased=False).mean()
    return {"adversarial": adversarial, "cycle": cycle, "identity": identity, "spread": spread}, text, photo


def discriminator_loss(w, x, t, text, photo):
    def half(name, real, fake):
        return 0.5 * (mse(discriminate(w, name, real), 1.0) + mse(discriminate(w, name, fake), 0.0))

    return half("text_discriminator", t, text.detach()) + half("photo_discriminator", x, photo.detach())


def of(players, grads):
    return {n: g for n, g in grads.items() if any(n.startswith("grad." + p) for p in players)}


CASES = (
    {"name": "paper", "final_activation": True, "normalize": True, "adversarial": 1, "cycle": 10, "identity": 5},
    {"name": "plain", "final_activation": False, "normalize": False, "adversarial": 2, "cycle": 0.5, "identity": 0},
)


def latent_cyclegan(golden):
    w = new_players()
    photos, texts = torch.randn(4, E) + 0.5, 2 * torch.randn(4, E)
    out = dict(weights(w), photos=photos, texts=texts)
    for case in CASES:
        x, t = (unit(photos), unit(texts)) if case["normalize"] else (photos, texts)
        losses, text, photo = generator_losses(w, x, t, case["final_activation"])
        loss = sum(case[n] * losses[n] for n in ("adversarial", "cycle", "identity"))
        judged = discriminator_loss(w, x, t, text, photo)
        found = dict(losses, loss=loss, text=text, photo=photo, discriminator_loss=judged)
        found.update(of(PLAYERS[0], gradients(w, loss)))
        found.update(of(PLAYERS[1], gradients(w, judged)))
        out.update({f"{case['name']}.{n}": v for n, v in found.items()})
    config = {"clip_width": E, "layers": LAYERS, "hidden": HIDDEN, "cases": CASES}
    write(os.path.join(golden, "latent_cyclegan"), out, config)


class Block(torch.nn.Module):
    """A residual block of OpenAI's CLIP, on torch's own attention."""

    def __init__(self, width, heads):
        super().__init__()
        self.attn = torch.nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1, self.ln_2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.mlp = torch.nn.ModuleDict({"c_fc": torch.nn.Linear(width, 4 * width), "c_proj": torch.nn.Linear(4 * width, width)})

    def forward(self, x):
        h = self.ln_1(x)
        mask = torch.full((x.shape[1], x.shape[1]), float("-inf")).triu(1)
        x = x + self.attn(h, h, h, need_weights=True, attn_mask=mask)[0]
        h = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](h * torch.sigmoid(1.702 * h))


class TextTower(torch.nn.Module):
    def __init__(self, vocabulary, context, width, layers, heads):
        super().__init__()
        self.token_embedding = torch.nn.Embedding(vocabulary, width)
        self.positional_embedding = torch.nn.Parameter(0.3 * torch.randn(context, width))
        self.transformer = torch.nn.ModuleDict({"resblocks": torch.nn.ModuleList(Block(width, heads) for _ in range(layers))})
        self.ln_final = torch.nn.LayerNorm(width)
        self.text_projection = torch.nn.Parameter(torch.randn(width, E) / width**0.5)

    def forward(self, words, end):
        x = words + self.positional_embedding[: words.shape[1]]
        for block in self.transformer["resblocks"]:
            x = block(x)
        return self.ln_final(x)[torch.arange(len(x)), end] @ self.text_projection


CLIP = {"vocab_size": 20, "context_length": 12, "width": 8, "layers": 2, "heads": 2, "start": 18, "end": 19}
LENGTH, STOP = 6, [6, 13]


def draw(w, photos, noise, tau, straight):
    """Captions token by token, the whole text anew for each: shares, ids and how many
    tokens are kept."""
    wte = w["gpt.transformer.wte.weight"]
    x = mlp_prefix(w, photos)
    shares, ids = [], []
    for t in range(LENGTH):
        logits = hidden_states(w, x, SIZES["n_head"])[:, -1] @ wte.T + noise[:, t]
        y, drawn = (logits / tau).softmax(-1), logits.argmax(-1)
        if straight:
            y = F.one_hot(drawn, logits.shape[-1]) + y - y.detach()
        shares.append(y)
        ids.append(drawn)
        x = torch.cat((x, (y @ wte)[:, None]), 1)
    kept = [next((t + 1 for t, i in enumerate(row) if i in STOP), LENGTH) for row in torch.stack(ids, 1).tolist()]
    return torch.stack(shares, 1), torch.stack(ids, 1), torch.tensor(kept)


def read(tower, table, shares, kept):
    """The text tower over start, the kept tokens, end: row by row."""
    markers = tower.token_embedding.weight
    out = []
    for row, n in zip(shares @ table, kept):
        words = torch.cat((markers[CLIP["start"]][None], row[:n], markers[CLIP["end"]][None]))
        out.append(tower(words[None], torch.tensor([int(n) + 1])))
    return torch.cat(out)


GUESSES = (
    {"name": "straight", "straight_through": True, "bridge": "tokens", "tau": 1.0, "anchor": 0.5},
    {"name": "soft", "straight_through": False, "bridge": "tokens", "tau": 0.7, "anchor": 0.0},
    {"name": "text", "straight_through": True, "bridge": "text", "tau": 0.5, "anchor": 2.0},
)


def semi_supervised(golden):
    w = new_network("mlp")
    tower = TextTower(CLIP["vocab_size"], CLIP["context_length"], CLIP["width"], CLIP["layers"], CLIP["heads"])
    clip = {"clip." + n: t.detach() for n, t in tower.state_dict().items()}
    embeddings, captions = torch.randn(3, E), new_captions(3, 8)
    photos, table = torch.randn(4, E), torch.randn(SIZES["vocab_size"], CLIP["width"])
    noise, texts = -torch.log(-torch.log(torch.rand(4, LENGTH, SIZES["vocab_size"]))), torch.randn(4, E)
    photos, noise, texts = (torch.cat((t, t[:1])) for t in (photos, noise, texts))  # so that two captions are the same
    out = dict(weights(w), embeddings=embeddings, captions=captions, photos=photos, table=table, noise=noise, texts=texts)
    out.update({"weight." + n: t for n, t in clip.items()})
    anchor = sequence_loss(w, mlp_prefix(w, embeddings), captions)
    out.update({"supervised.loss": anchor, **{"supervised." + n: g for n, g in gradients(w, anchor).items()}})
    for case in GUESSES:
        shares, ids, kept = draw(w, photos, noise, case["tau"], case["straight_through"])
        found = read(tower, table, shares, kept)
        if case["bridge"] == "text":
            found = texts + found - found.detach()
        cosines = unit(photos) @ unit(found).T
        own = cosines.diagonal().mean()
        anchor = sequence_loss(w, mlp_prefix(w, embeddings), captions)
        loss = -own + case["anchor"] * anchor
        lines = [tuple(row[:n]) for row, n in zip(ids.tolist(), kept.tolist())]
        numbers = {
            "loss": loss, "similarity": own, "cross_entropy": anchor, "margin": own - cosines.mean(),
            "length": kept.float().mean(), "distinct": torch.tensor(len(set(lines)) / len(lines)), "ids": ids,
        }
        out.update({f"{case['name']}.{n}": v for n, v in {**numbers, **gradients(w, loss)}.items()})
    config = {"gpt": SIZES, "prefix_length": K, "clip_width": E, "clip": CLIP, "length": LENGTH, "stop": STOP, "cases": GUESSES}
    write(os.path.join(golden, "semi_supervised"), out, config)


def main():
    for seed, make in enumerate((latent_cyclegan, semi_supervised)):
        torch.manual_seed(seed)
        make(sys.argv[1])


if __name__ == "__main__":
    main()
