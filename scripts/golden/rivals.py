"""Record PyTorch's loss and every gradient of what defenses train on, for test/golden/rivals.test.ts.

    python scripts/golden/rivals.py        writes test/golden/files/rivals.json

transformers' own CLIP in float64; weights, images and other inputs follow from a congruence, so that the test makes the same ones:
x -> 16807 x mod (2^31 - 1), value = x / 2^30 - 1, the first ten left out, rounded to float32. The losses are written from their papers'
formulas. Of each gradient every seventeenth value is kept, and the largest size. Needs torch and transformers.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from tiny_clip import B, E, L, S, normalised, packed, two_layers, values

C = 5
model = two_layers()
images = (0.5 + 0.4 * values(1, B, 3, S, S)).float().double()
others = (0.5 + 0.4 * values(2, B, 3, S, S)).float().double()
head = (6 * values(3, C, E)).float().double()
labels = torch.tensor([4, 0, 2, 4])
constant = lambda seed: F.normalize(values(seed, B, E), dim=-1).float().double()
tokens = torch.tensor([[1, 5, 6, 2, 2, 2], [1, 7, 2, 2, 2, 2], [1, 3, 4, 8, 2, 2], [1, 9, 10, 3, 4, 2]])
swapped = torch.tensor([[1, 6, 5, 2, 2, 2], [1, 7, 2, 2, 2, 2], [1, 4, 3, 8, 2, 2], [1, 9, 3, 10, 4, 2]])


def image(pixels):
    return F.normalize(model.visual_projection(model.vision_model(pixel_values=normalised(pixels)).pooler_output), dim=-1)


def text(ids):
    out = model.text_model.embeddings(input_ids=ids)
    mask = torch.full((L, L), float("-inf"), dtype=torch.float64).triu(1)[None, None]
    for layer in model.text_model.encoder.layers:
        out = layer(out, attention_mask=mask.expand(B, 1, L, L))
        out = out[0] if isinstance(out, tuple) else out
    out = model.text_model.final_layer_norm(out)
    ends = (ids == 2).int().argmax(-1)
    return F.normalize(model.text_projection(out[torch.arange(B), ends]), dim=-1)


def one_way(a, b):
    return F.cross_entropy(model.logit_scale.exp() * a @ b.t(), torch.arange(B))


def info_nce(a, b):
    return 0.5 * (one_way(a, b) + one_way(b, a))


def cleanclip():
    i, t = image(images), text(tokens)
    return info_nce(i, t) + 0.5 * (one_way(i, image(others)) + one_way(t, text(swapped)))


def par(first_images, first_texts):
    i, t = image(images), text(tokens)
    scale = model.logit_scale.exp().detach()
    logits = scale * i @ t.t()
    clip = 0.5 * (F.cross_entropy(logits, torch.arange(B)) + F.cross_entropy(logits.t(), torch.arange(B)))
    away = [(x - y).square().sum(-1).mean() for x, y in ((i, first_images), (t, first_texts))]
    return clip - 0.5 * sum(s * (s.item() <= 2.15) for s in away)


def pulling_back(marked, clean, kept):
    """InverTune's activation tuning: outputs of both blocks, one mask for each; the last block's is that of the class token."""
    def through(pixels):
        out = model.vision_model(pixel_values=normalised(pixels), output_hidden_states=True)
        states = [out.hidden_states[1], out.hidden_states[2][:, :1]]
        return F.normalize(model.visual_projection(out.pooler_output), dim=-1), [s.mean(0) for s in states]

    _, a = through(marked)
    embeddings, b = through(clean)
    masks = [(values(51 + n, *x.shape) > 0).double() for n, x in enumerate(b)]
    terms = [(m * (y - x)).norm() / (m * y).norm() for m, x, y in zip(masks, a, b)]
    return sum(terms) + 0.5 * (embeddings - kept).norm()


LOSSES = {
    "gradient ascent": lambda: -F.cross_entropy(image(images) @ head.t(), labels),
    "I-BAU, outer problem": lambda: F.cross_entropy(image((images + 0.04 * values(4, 1, 3, S, S).float().double()).clamp(0, 1)) @ head.t(), labels),
    "CLIP fine-tuning": lambda: info_nce(image(images), text(tokens)),
    "CleanCLIP": cleanclip,
    "RoCLIP, a round that asks the pool": lambda: info_nce(image(images), constant(5)),
    "PAR, both near": lambda: par(-constant(6), -constant(7)),
    "PAR, images far": lambda: par(constant(6), -constant(7)),
    "InverTune": lambda: pulling_back(others, images, constant(8)),
}
out = {"torch": torch.__version__, "transformers": transformers.__version__, "losses": {}}
for name, loss in LOSSES.items():
    model.zero_grad(set_to_none=True)
    value = loss()
    value.backward()
    grads = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    out["losses"][name] = {
        "value": value.item(),
        "gradients": {n: {"most": g.abs().max().item(), "some": packed(g.flatten()[::17])} for n, g in sorted(grads.items())},
    }
# I-BAU, inner problem: the gradient of minus the loss to the perturbation
delta = (0.04 * values(4, 1, 3, S, S)).float().double().requires_grad_(True)
value = -F.cross_entropy(image((images + delta).clamp(0, 1)) @ head.t(), labels)
value.backward()
out["perturbation"] = {"value": value.item(), "gradient": packed(delta.grad)}
Path("test/golden/files/rivals.json").write_text(json.dumps(out, indent=1) + "\n")
print({name: (one["value"], len(one["gradients"])) for name, one in out["losses"].items()})
