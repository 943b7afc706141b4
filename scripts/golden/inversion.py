"""Record PyTorch's gradients of each inversion loss to pixels and of each trigger's parameters, for test/golden/inversion.test.ts.

    python scripts/golden/inversion.py        writes test/golden/files/inversion.json

transformers' own image tower in float64; weights, images, head and parameters follow from a congruence, so that the test makes the same
ones: x -> 16807 x mod (2^31 - 1), value = x / 2^30 - 1, the first ten left out, rounded to float32. Triggers are written from their
formulas with torch's own tanh, grid_sample and interpolate; SSIM by a plain convolution. Needs torch and transformers.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from tiny_clip import normalised, packed, values
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

S, N, C, E, K, SIDE = 12, 3, 5, 8, 3, 4


def tower():
    config = CLIPVisionConfig(
        image_size=S, patch_size=4, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        projection_dim=E, hidden_act="quick_gelu", layer_norm_eps=1e-5, attn_implementation="eager",
    )  # fmt: skip
    model = CLIPVisionModelWithProjection(config).double().eval()
    with torch.no_grad():
        for i, (name, p) in enumerate(sorted(model.named_parameters())):
            is_norm = "norm" in name and name.endswith("weight")
            p.copy_((1 + 0.1 * values(101 + i, *p.shape) if is_norm else 0.5 * values(101 + i, *p.shape)).float().double())
    return lambda pixels: F.normalize(model(pixel_values=normalised(pixels)).image_embeds, dim=-1)


embed = tower()
images = (0.5 + 0.4 * values(1, N, 3, S, S)).float().double()
head = (6 * values(2, C, E)).float().double()
labels = torch.tensor([4, 4, 4])
benign = (0.5 + 0.5 * values(3, E)).float().double()
features = values(4, E)
clean_embeddings = embed(images).detach()


def toward_targets(x):
    return F.cross_entropy(embed(x) @ head.t(), labels, reduction="sum")


def alike(x):
    e = embed(x)
    gram = e @ e.t()
    return -(gram.sum() - gram.diagonal().sum()) / (N * (N - 1))


def entropy_of_mean(x):
    mean = (embed(x) @ head.t()).softmax(-1).mean(0)
    return -(mean * (mean + 1e-12).log()).sum()


def margin(x):
    logits = embed(x) @ head.t()
    others = logits.masked_fill(F.one_hot(labels, C).bool(), -1e9).max(-1).values
    return (others - logits.gather(1, labels[:, None])[:, 0]).sum()


def other_features(x):
    moved = embed(x) - clean_embeddings_of_others
    return 0.7 * (moved * benign).square().sum() - (moved * (1 - benign)).square().sum()


# embeddings of other images, since those of the same ones make every gradient zero
clean_embeddings_of_others = clean_embeddings.roll(1, 0)


def ssim(x, y):
    line = torch.exp(-((torch.arange(11, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    line = line / line.sum()
    window = torch.outer(line, line).expand(3, 1, 11, 11)
    blur = lambda v: F.conv2d(v, window, padding=5, groups=3)
    mx, my = blur(x), blur(y)
    vx, vy, vxy = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return (((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean()


def text_guided(x):
    e = embed(x)
    texts = F.normalize(head, dim=-1) / 0.07
    near = (e - features).square().sum(-1).mean()
    return 5 * F.cross_entropy(e @ texts.t(), labels) + 0.5 * near + (1 - ssim(x, images.roll(1, 0)))


def squashed(v):
    return (v.tanh() / (2 - 1e-7) + 0.5).clamp(0, 1)


def masked(v):
    m, p = squashed(v[: S * S]).reshape(1, 1, S, S), squashed(v[S * S :]).reshape(1, 3, S, S)
    return (1 - m) * images + m * p


def color_masked(v):
    m, p = v.reshape(2, 1, 3, S, S)
    return (1 - m) * images + m * p


def patched(v):
    out = images.clone()
    out[:, :, 5 : 5 + SIDE, 3 : 3 + SIDE] = v.sigmoid().reshape(3, SIDE, SIDE)
    return out


def warped(v):
    field = F.interpolate(v.reshape(1, 2, K, K), size=(S, S), mode="bilinear", align_corners=True)[0]
    rows, columns = torch.meshgrid(torch.arange(S), torch.arange(S), indexing="ij")
    at = torch.stack([columns + field[1], rows + field[0]], -1) * 2 / (S - 1) - 1
    grid = at.expand(N, S, S, 2)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=True)


FORMS = {
    "mask": (4 * S * S, lambda v: v, masked),
    "color-mask": (6 * S * S, lambda v: 0.5 + 0.5 * v, color_masked),
    "patch": (3 * SIDE * SIDE, lambda v: 2 * v, patched),
    "delta": (3 * S * S, lambda v: 0.1 * v, lambda v: (images + v.reshape(1, 3, S, S)).clamp(0, 1)),
    "blend": (3 * S * S, lambda v: 2 * v, lambda v: 0.8 * images + 0.2 * v.sigmoid().reshape(1, 3, S, S)),
    "warp": (2 * K * K, lambda v: 1.5 * v, warped),
}
LOSSES = {
    "towardTargets": toward_targets,
    "alike": alike,
    "entropyOfMean": entropy_of_mean,
    "margin": margin,
    "otherFeatures": other_features,
    "textGuided": text_guided,
}


out = {"torch": torch.__version__, "transformers": transformers.__version__, "losses": {}, "forms": {}}
for name, loss in LOSSES.items():
    x = images.clone().requires_grad_(True)
    value = loss(x)
    value.backward()
    out["losses"][name] = {"value": value.item(), "gradient": packed(x.grad)}
for i, (name, (size, scaled, stamp)) in enumerate(FORMS.items()):
    v = scaled(values(201 + i, size)).float().double().requires_grad_(True)
    value = toward_targets(stamp(v))
    value.backward()
    out["forms"][name] = {"value": value.item(), "gradient": packed(v.grad)}
# DECREE's whole objective, mask and all
v = values(201, 4 * S * S).float().double().requires_grad_(True)
value = alike(masked(v)) + 1e-3 * 3 * squashed(v[: S * S]).sum()
value.backward()
out["decree"] = {"value": value.item(), "gradient": packed(v.grad)}
Path("test/golden/files/inversion.json").write_text(json.dumps(out, indent=2) + "\n")
