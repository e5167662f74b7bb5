"""Reference tensors of RoBERTa's masked language model and of the methods that learn from
a reward: losses and gradients of tiny random networks, in PyTorch alone. Nothing of it is
needed to build, test or use the project; the tensors are committed under testdata/golden.

    OPENBLAS_CORETYPE=SkylakeX /usr/bin/python3 reference/reinforce.py testdata/golden GOLDEN/roberta

The RoBERTa below is first held against the outputs of torch's own encoder layers, which
lie in the folder given second.
"""

import os
import sys

import torch
import torch.nn.functional as F

from textonly import (
    E, K, SIZES, caption_logits, gradients, hidden_states, layer_norm, linear, mlp_prefix, new_captions, new_network,
    read_safetensors, weights, write,
)

ROBERTA = {
    "vocab_size": 30, "max_position_embeddings": 14, "hidden_size": 16, "num_hidden_layers": 2,
    "num_attention_heads": 2, "intermediate_size": 24, "pad_token_id": 1, "layer_norm_eps": 1e-5,
    "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}
START, PAD, END, MASK = 0, 1, 2, ROBERTA["vocab_size"] - 1


def roberta_hidden(w, ids, heads, pad=PAD):
    """Ids [B, T] to the hidden states [B, T, D]."""
    words = ids != pad
    positions = torch.where(words, torch.arange(ids.shape[1]) + pad + 1, torch.tensor(pad))
    p = "roberta.embeddings."
    x = w[p + "word_embeddings.weight"][ids] + w[p + "position_embeddings.weight"][positions]
    x = layer_norm(w, p + "LayerNorm", x + w[p + "token_type_embeddings.weight"][0])
    batch, length, width = x.shape
    layers = len([n for n in w if n.endswith("attention.self.query.weight")])
    for layer in range(layers):
        p = f"roberta.encoder.layer.{layer}."
        q, k, v = (
            linear(w, p + "attention.self." + n, x).view(batch, length, heads, -1).transpose(1, 2)
            for n in ("query", "key", "value")
        )
        scores = q @ k.transpose(2, 3) / (width // heads) ** 0.5
        scores = scores.masked_fill(~words[:, None, None], -1e9).softmax(-1)
        h = (scores @ v).transpose(1, 2).reshape(batch, length, width)
        x = layer_norm(w, p + "attention.output.LayerNorm", x + linear(w, p + "attention.output.dense", h))
        h = linear(w, p + "output.dense", F.gelu(linear(w, p + "intermediate.dense", x)))
        x = layer_norm(w, p + "output.LayerNorm", x + h)
    return x


def pooled(w, hidden):
    return torch.tanh(linear(w, "roberta.pooler.dense", hidden[:, 0]))


def discriminator(w, ids, heads):
    h = pooled(w, roberta_hidden(w, ids, heads))
    return linear(w, "mlp.model.2", torch.tanh(linear(w, "mlp.model.0", h)))[:, 0]


def check_roberta(folder):
    w = read_safetensors(os.path.join(folder, "model.safetensors"))
    io = read_safetensors(os.path.join(folder, "io.safetensors"))
    for layer, name in (("0", "head1"), ("2", "head2")):
        for kind in ("weight", "bias"):
            w[f"mlp.model.{layer}.{kind}"] = io[f"{name}_{kind}"]
    logit = discriminator(w, io["input_ids"].long(), 4)
    error = (logit - io["logit"]).abs().max() / io["logit"].abs().max()
    assert error < 1e-5, f"this RoBERTa is off by {error}"


def new_roberta():
    c = ROBERTA
    width, inner, w = c["hidden_size"], c["intermediate_size"], {}

    def dense(name, i, o):
        w[name + ".weight"], w[name + ".bias"] = torch.randn(o, i) / i**0.5, 0.1 * torch.randn(o)

    def norm(name):
        w[name + ".weight"], w[name + ".bias"] = 1 + 0.1 * torch.randn(width), 0.1 * torch.randn(width)

    p = "roberta.embeddings."
    for name, rows in (("word", c["vocab_size"]), ("position", c["max_position_embeddings"]), ("token_type", 1)):
        w[f"{p}{name}_embeddings.weight"] = torch.randn(rows, width)
    norm(p + "LayerNorm")
    for layer in range(c["num_hidden_layers"]):
        p = f"roberta.encoder.layer.{layer}."
        for name in ("query", "key", "value"):
            dense(p + "attention.self." + name, width, width)
        dense(p + "attention.output.dense", width, width)
        norm(p + "attention.output.LayerNorm")
        dense(p + "intermediate.dense", width, inner)
        dense(p + "output.dense", inner, width)
        norm(p + "output.LayerNorm")
    dense("roberta.pooler.dense", width, width)
    return w


def require(w):
    return {n: t.requires_grad_() for n, t in w.items()}


def new_sentences(rows, length):
    """Ids between the markers, padded, the last rows shorter."""
    ids = torch.full((rows, length), PAD)
    for i, row in enumerate(ids):
        words = length - 2 - i % 3
        row[0], row[words + 1] = START, END
        row[1 : words + 1] = torch.randint(4, MASK, (words,))
    return ids


def roberta_lm(golden):
    w = new_roberta()
    width = ROBERTA["hidden_size"]
    w["lm_head.dense.weight"], w["lm_head.dense.bias"] = torch.randn(width, width) / width**0.5, 0.1 * torch.randn(width)
    w["lm_head.layer_norm.weight"], w["lm_head.layer_norm.bias"] = 1 + 0.1 * torch.randn(width), 0.1 * torch.randn(width)
    w["lm_head.bias"] = 0.1 * torch.randn(ROBERTA["vocab_size"])
    w = require(w)
    ids = new_sentences(4, 10)
    places = torch.tensor([[1, 5], [3, 4], [2, 0], [8, 6]])
    counted = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    words = ids.gather(1, places) * counted.long()
    read = ids.clone()
    read[0, 1], read[0, 5], read[1, 3], read[2, 2], read[3, 8] = MASK, 7, MASK, MASK, MASK  # the others stay
    h = roberta_hidden(w, read, ROBERTA["num_attention_heads"])
    h = h.gather(1, places[..., None].expand(-1, -1, width))
    h = layer_norm(w, "lm_head.layer_norm", F.gelu(linear(w, "lm_head.dense", h)))
    logits = h @ w["roberta.embeddings.word_embeddings.weight"].T + w["lm_head.bias"]
    loss = F.cross_entropy(logits[counted > 0], words[counted > 0])
    right = (logits.argmax(-1) == words)[counted > 0].float().mean()
    out = dict(weights(w), ids=read, places=places, words=words, counted=counted, loss=loss, accuracy=right)
    # A key's bias adds the same to all scores of a query: its gradient is 0.
    out.update({n: g for n, g in gradients(w, loss).items() if not n.endswith("key.bias")})
    write(os.path.join(golden, "roberta_lm"), out, {"roberta": ROBERTA})


def text_log_prob(logits, captions):
    """The mean log-probability of each caption's tokens other than 0."""
    counted = (captions != 0).float()
    logp = logits.log_softmax(-1).gather(-1, captions[..., None])[..., 0]
    return (logp * counted).sum(-1) / counted.sum(-1)


def adamw(w, grads, lr, decay):
    """The first update of transformers' AdamW with gradients of norm at most 1; the
    tensors that CgT-GAN names do not decay."""
    norm = torch.sqrt(sum((g**2).sum() for g in grads.values()))
    out = {}
    for name, g in grads.items():
        n = name[len("grad.") :]
        g = g * min(1.0, 1.0 / (norm + 1e-6))
        m, v = 0.1 * g, 0.001 * g**2
        p = w[n] - lr * 0.001**0.5 / 0.1 * m / (v.sqrt() + 1e-8)
        out[n] = p if "bias" in n or "LayerNorm.weight" in n else p - lr * decay * p
    return out


def cgt_gan(golden):
    g = new_network("mlp")
    d = new_roberta()
    width = ROBERTA["hidden_size"]
    d["mlp.model.0.weight"], d["mlp.model.0.bias"] = torch.randn(width // 2, width) / width**0.5, 0.1 * torch.randn(width // 2)
    d["mlp.model.2.weight"], d["mlp.model.2.bias"] = torch.randn(1, width // 2), 0.1 * torch.randn(1)
    d = require(d)
    photos, captions = torch.randn(2, E), new_captions(6, 8)
    clip, natural, w = 3 * torch.randn(6), torch.randn(6), 0.3
    logp = text_log_prob(caption_logits(g, mlp_prefix(g, photos.repeat_interleave(3, 0)), captions), captions)
    clip_loss, natural_loss = -(logp * clip).mean(), -(logp * natural).mean()
    loss = w * clip_loss + (1 - w) * natural_loss
    out = dict(weights(g), photos=photos, captions=captions, clip=clip, natural=natural)
    out.update(loss=loss, loss_clip=clip_loss, loss_natural=natural_loss, log_prob=logp)
    grads = gradients(g, loss)
    out.update({"generator." + n: t for n, t in grads.items()})
    for n, t in adamw(g, grads, 1e-2, 0.05).items():
        if n in ("gpt.transformer.ln_f.weight", "gpt.transformer.h.0.mlp.c_fc.bias", "clip_project.model.0.weight"):
            out["moved." + n] = t
    ids = new_sentences(12, 10)
    labels = torch.tensor([1.0] * 6 + [0.0] * 6)
    logits = discriminator(d, ids, ROBERTA["num_attention_heads"])
    loss = F.binary_cross_entropy_with_logits(logits, labels)
    out.update(weights(d), ids=ids, logits=logits, discriminator_loss=loss, told=((logits > 0) == (labels > 0)).float().mean())
    grads = gradients(d, loss)
    out.update({"discriminator." + n: t for n, t in grads.items() if not n.endswith("key.bias")})
    for n, t in adamw(d, grads, 1e-2, 0.05).items():
        if n in ("roberta.embeddings.LayerNorm.weight", "mlp.model.0.weight", "mlp.model.0.bias"):
            out["moved." + n] = t
    write(
        os.path.join(golden, "cgt_gan"), out,
        {"gpt": SIZES, "roberta": ROBERTA, "prefix_length": K, "clip_width": E, "samples": 3, "weight": w, "learning_rate": 1e-2, "weight_decay": 0.05},
    )


ESPER = {
    "gain": 50.0, "bias": -10.0, "kl": 0.15, "entropy": 0.1, "entropy_bound": 9.0, "length": 3.0, "repetition": 0.025,
    "kl_margin": 0.1, "entropy_weight": 0.2, "gamma": 1.0, "lambda": 0.95, "clip": 0.2, "response": 5,
}


def new_value():
    """A second captioner whose head is a linear layer to one number."""
    w = {"value." + n: t.detach() for n, t in new_network("mlp").items()}
    w["value.head.weight"], w["value.head.bias"] = torch.randn(1, SIZES["n_embd"]) / 4, 0.1 * torch.randn(1)
    return require(w)


def below(w, scope):
    return {n[len(scope) :]: t for n, t in w.items() if n.startswith(scope)}


def esper_states(w, photos, tokens):
    """The hidden states that the tokens are predicted from."""
    scale = (K * SIZES["n_embd"] / E) ** 0.5
    prefix = mlp_prefix(w, photos / scale)
    x = torch.cat((prefix, w["gpt.transformer.wte.weight"][tokens]), 1)
    return hidden_states(w, x, SIZES["n_head"])[:, K - 1 : -1]


def esper_logits(w, photos, tokens):
    """The policy's logits, and those of the language model alone, which has no first one."""
    wte = w["gpt.transformer.wte.weight"]
    alone = hidden_states(w, wte[tokens], SIZES["n_head"])[:, :-1] @ wte.T
    return esper_states(w, photos, tokens) @ wte.T, torch.cat((torch.zeros_like(alone[:, :1]), alone), 1)


def of_tokens(logits, tokens):
    return logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


def masked_mean(x, mask):
    return (x * mask).sum() / mask.sum()


def esper_advantages(c, cosine, logp, ref, values, responses):
    """Rewards of each token, whitened, and the advantages and returns by GAE, in float64."""
    m = responses.shape[1]
    rewards = -c["kl"] * (logp - ref) - c["entropy"] * F.relu(-ref - c["entropy_bound"] / m) + c["length"] / m
    for i, tokens in enumerate(responses.tolist()):
        grams = [[tuple(tokens[j : j + n]) for j in range(m - n + 1)] for n in (1, 2, 3)]
        repeats = [len(g) - len(set(g)) for g in grams]
        rewards[i, -1] += c["gain"] * cosine[i] + c["bias"] - c["repetition"] * (repeats[0] + 2 * repeats[1] + 4 * repeats[2])
    mean, var = rewards.mean(), rewards.var(unbiased=False)
    white = (rewards - mean) / torch.sqrt(var + 1e-8) + mean
    advantages, last = torch.zeros_like(white), 0.0
    for t in reversed(range(m)):
        following = values[:, t + 1] if t + 1 < m else 0.0
        last = white[:, t] + c["gamma"] * following - values[:, t] + c["gamma"] * c["lambda"] * last
        advantages[:, t] = last
    returns = advantages + values
    advantages = (advantages - advantages.mean()) / torch.sqrt(advantages.var(unbiased=False) + 1e-8)
    return rewards, white, advantages, returns


def esper(golden):
    c, w, v = ESPER, new_network("mlp"), new_value()
    photos = 3 * torch.randn(4, E)
    prompts, m = [1, 3, 1, 3], c["response"]
    tokens, mask = torch.zeros(4, 8, dtype=torch.long), torch.zeros(4, 8)
    for i, n in enumerate(prompts):
        tokens[i, : n + m] = torch.randint(1, 8, (n + m,))
        mask[i, n : n + m] = 1
    logits, alone = esper_logits(w, photos, tokens)
    logp, ref = of_tokens(logits, tokens), of_tokens(alone, tokens)
    value = linear(below(v, "value."), "head", esper_states(below(v, "value."), photos, tokens))[..., 0]
    pick = lambda x: torch.stack([x[i, n : n + m] for i, n in enumerate(prompts)]).detach()
    cosine = torch.rand(4).double()
    rewards, white, advantages, returns = esper_advantages(
        c, cosine, pick(logp).double(), pick(ref).double(), pick(value).double(), pick(tokens))

    # As after some updates: the policy and the value model have left what they were.
    old_logp, old_value = logp.detach() + 0.3 * torch.randn(4, 8), value.detach() + 0.3 * torch.randn(4, 8)
    a, r = torch.zeros(4, 8), torch.zeros(4, 8)
    for i, n in enumerate(prompts):
        a[i, n : n + m], r[i, n : n + m] = advantages[i].float(), returns[i].float()
    ratio = (logp - old_logp).exp()
    surrogate = masked_mean(torch.max(-a * ratio, -a * ratio.clamp(1 - c["clip"], 1 + c["clip"])), mask)
    kl = (logits.softmax(-1) * (logits.log_softmax(-1) - alone.log_softmax(-1))).sum(-1)
    hinge = (F.relu(kl - c["kl_margin"]) * mask).sum(-1).mean()
    entropy = c["entropy_weight"] * F.relu((-logp * mask).sum(-1) - c["entropy_bound"]).mean()
    clipped = old_value + (value - old_value).clamp(-c["clip"], c["clip"])
    value_loss = 0.5 * masked_mean(torch.max((value - r) ** 2, (clipped - r) ** 2), mask)
    out = dict(weights(w), **weights(v), photos=photos, tokens=tokens, mask=mask, prompts=torch.tensor(prompts), cosine=cosine)
    out.update(log_prob=logp * mask, reference=ref * mask, value=value * mask, old_log_prob=old_logp, old_value=old_value)
    out.update(rewards=rewards, white=white, advantages=advantages, returns=returns, advantage=a, target=r)
    out.update(surrogate=surrogate, kl_hinge=hinge, entropy_hinge=entropy, loss=surrogate + hinge + entropy, value_loss=value_loss)
    mapper = {n: t for n, t in w.items() if n.startswith("clip_project.")}
    for name, loss in (("both", surrogate + hinge + entropy), ("early", hinge)):
        grads = torch.autograd.grad(loss, list(mapper.values()), retain_graph=True)
        out.update({f"{name}.grad.{n}": g for n, g in zip(mapper, grads)})
    out.update({"value_model." + n: g for n, g in gradients(v, value_loss).items()})
    write(os.path.join(golden, "esper"), out, {"gpt": SIZES, "prefix_length": K, "clip_width": E, "esper": c})


def main():
    golden, folder = sys.argv[1:3]
    check_roberta(folder)
    for seed, make in enumerate((roberta_lm, cgt_gan, esper)):
        torch.manual_seed(seed)
        make(golden)


if __name__ == "__main__":
    main()
