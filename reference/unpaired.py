"""Reference tensors of the methods that learn from unpaired photos and texts: losses and
gradients of tiny random networks, in PyTorch alone. Nothing of it is needed to build,
test or use the project; the tensors are committed under testdata/golden.

    OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/unpaired.py testdata/golden
"""

import os
import sys

import torch
import torch.nn.functional as F

from textonly import gradients, linear, unit, weights, write

E = 6
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


def main():
    for seed, make in enumerate((latent_cyclegan,)):
        torch.manual_seed(seed)
        make(sys.argv[1])


if __name__ == "__main__":
    main()
