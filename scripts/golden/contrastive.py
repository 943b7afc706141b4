"""Record PyTorch's contrastive loss and its gradients to every parameter of both towers, for test/golden/contrastive.test.ts.

    python scripts/golden/contrastive.py        writes test/golden/files/contrastive.json

transformers' own CLIP in float64; weights, images and texts follow from the congruence of inversion.py. Twice: every other pair of the
batch a negative, and with those of one class left out of the softmax. Needs torch and transformers.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from tiny_clip import normalised, packed, values
from transformers import CLIPConfig, CLIPModel

S, B, CONTEXT, VOCAB = 12, 4, 8, 12
BOS, EOS = VOCAB - 2, VOCAB - 1
TEXTS = [[3, 1, 4], [1, 5], [9, 2, 6, 5], [3]]
CLASSES = [0, 1, 0, 2]


def clip():
    tower = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
        "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
    }  # fmt: skip
    text = {**tower, "vocab_size": VOCAB, "max_position_embeddings": CONTEXT, "bos_token_id": BOS, "eos_token_id": EOS}
    vision = {**tower, "image_size": S, "patch_size": 4}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=8, attn_implementation="eager")
    model = CLIPModel(config).double().eval()
    with torch.no_grad():
        for i, (name, p) in enumerate(sorted(model.named_parameters())):
            if name == "logit_scale":
                p.fill_(math.log(20))
                continue
            is_norm = "norm" in name and name.endswith("weight")
            v = values(101 + i, *p.shape)
            p.copy_((1 + 0.1 * v if is_norm else 0.5 * v).float().double())
        model.logit_scale.copy_(model.logit_scale.float().double())
    return model


model = clip()
pixels = (0.5 + 0.4 * values(1, B, 3, S, S)).float().double()
rows = [[BOS, *text, EOS] for text in TEXTS]
tokens = torch.tensor([row + [0] * (CONTEXT - len(row)) for row in rows])


def loss(masked):
    out = model(input_ids=tokens, pixel_values=normalised(pixels))
    logits = out.logits_per_image
    if masked:
        same = torch.tensor([[a == b for b in CLASSES] for a in CLASSES]) & ~torch.eye(B, dtype=torch.bool)
        logits = logits.masked_fill(same, -1e9)
    right = torch.arange(B)
    return (F.cross_entropy(logits, right) + F.cross_entropy(logits.t(), right)) / 2


out = {"torch": torch.__version__, "transformers": transformers.__version__}
for name in ("plain", "masked"):
    model.zero_grad()
    value = loss(name == "masked")
    value.backward()
    gradients = {name: packed(p.grad) for name, p in sorted(model.named_parameters())}
    out[name] = {"value": value.item(), "gradients": gradients}
Path("test/golden/files/contrastive.json").write_text(json.dumps(out, indent=1) + "\n")
