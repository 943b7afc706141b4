"""Record PyTorch's gradients of low-rank factors, W = W0 + (16 / r) B A, for test/golden/lora.test.ts.

    python scripts/golden/lora.py        writes test/golden/files/lora.json

transformers' own CLIP in float64, rank 3, the matrices replaced by that sum; weights, factors and inputs follow from the congruence of
inversion.py. Twice: labels under a frozen head (the image tower's matrices), and pairs by contrast (those of both towers). Needs torch and transformers.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from tiny_clip import normalised, packed, values
from torch.func import functional_call
from transformers import CLIPConfig, CLIPModel

S, B, CONTEXT, VOCAB, RANK, CLASSES = 12, 4, 8, 12, 3, 5
BOS, EOS = VOCAB - 2, VOCAB - 1
TEXTS = [[3, 1, 4], [1, 5], [9, 2, 6, 5], [3]]

tower = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
    "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
}  # fmt: skip
text = {**tower, "vocab_size": VOCAB, "max_position_embeddings": CONTEXT, "bos_token_id": BOS, "eos_token_id": EOS}
vision = {**tower, "image_size": S, "patch_size": 4}
model = CLIPModel(
    CLIPConfig(text_config=text, vision_config=vision, projection_dim=8, attn_implementation="eager")
).double()
model.requires_grad_(False)
weights = {}
for i, (name, p) in enumerate(sorted(model.named_parameters())):
    is_norm = "norm" in name and name.endswith("weight")
    v = values(101 + i, *p.shape)
    weights[name] = torch.tensor(math.log(20)) if name == "logit_scale" else 1 + 0.1 * v if is_norm else 0.5 * v
    weights[name] = weights[name].float().double()

matrices = [name for name, w in sorted(weights.items()) if w.dim() == 2 and "embedding" not in name]
factors = {}
for j, name in enumerate(matrices):
    out, into = weights[name].shape
    factors[f"{name}.lora_A"] = (0.5 * values(301 + 2 * j, RANK, into)).float().double().requires_grad_()
    factors[f"{name}.lora_B"] = (0.1 * values(302 + 2 * j, out, RANK)).float().double().requires_grad_()
pixels = normalised((0.5 + 0.4 * values(1, B, 3, S, S)).float().double())
rows = [[BOS, *one, EOS] for one in TEXTS]
tokens = torch.tensor([row + [0] * (CONTEXT - len(row)) for row in rows])
head = (4 * values(2, CLASSES, 8)).float().double()


def output(adapted):
    own = dict(weights)
    for name in adapted:
        own[name] = weights[name] + 16 / RANK * factors[f"{name}.lora_B"] @ factors[f"{name}.lora_A"]
    return functional_call(model, own, kwargs={"input_ids": tokens, "pixel_values": pixels})


def labels():
    images = F.normalize(output([name for name in matrices if name.startswith("vis")]).image_embeds, dim=-1)
    return F.cross_entropy(images @ head.t(), torch.arange(B) % CLASSES)


def pairs():
    logits = output(matrices).logits_per_image
    right = torch.arange(B)
    return (F.cross_entropy(logits, right) + F.cross_entropy(logits.t(), right)) / 2


recorded = {"torch": torch.__version__, "transformers": transformers.__version__}
for name, loss in {"labels": labels, "pairs": pairs}.items():
    for p in factors.values():
        p.grad = None
    value = loss()
    value.backward()
    gradients = {key: packed(p.grad) for key, p in factors.items() if p.grad is not None}
    recorded[name] = {"value": value.item(), "gradients": gradients}
Path("test/golden/files/lora.json").write_text(json.dumps(recorded, indent=1) + "\n")
