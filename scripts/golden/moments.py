"""Record what PyTorch gives for the moments of what an image tower's linear maps read, and for the regressed vector, for test/golden/moments.test.ts.

    python scripts/golden/moments.py       writes test/golden/files/moments.json

transformers' own CLIP in float64, weights and images as scripts/golden/rivals.py makes them, the images of its seeds 1 (clean) and 2 (triggered). The
vector is fitted by torch.linalg.lstsq on the inputs themselves, map and bias together. Of the last block a tower pools the class token alone, so query, output and MLP
read that row and no other. Needs torch and transformers.
"""

import json
from pathlib import Path

import torch
import transformers
from tiny_clip import B, S, W, normalised, packed, two_layers, values

LAMBDA, RIDGE = 10.0, 1e-4
model = two_layers()
pooled_alone = ("layers.1.self_attn.q_proj", "layers.1.self_attn.out_proj", "layers.1.mlp.fc1")
read = {}


def keep(name):
    def hook(_, given):
        x = given[0].detach()
        read[name] = (x[:, :1] if name.endswith(pooled_alone) else x).reshape(-1, W)

    return hook


for name, module in model.named_modules():
    if isinstance(module, torch.nn.Linear) and module.in_features == W and not name.startswith("text"):
        module.register_forward_pre_hook(keep(name))


def inputs(seed):
    pixels = (0.5 + 0.4 * values(seed, B, 3, S, S)).float().double()
    model.visual_projection(model.vision_model(pixel_values=normalised(pixels)).pooler_output)
    return dict(read)


clean, triggered = inputs(1), inputs(2)
out = {"torch": torch.__version__, "transformers": transformers.__version__, "lambda": LAMBDA, "maps": {}}
for i, (name, x) in enumerate(sorted(clean.items())):
    s = triggered[name] - x
    module = model.get_submodule(name)
    tau = values(301 + i, module.out_features, W)
    has_bias = module.bias is not None
    n = len(x)
    one = {"step": packed(s.T @ s / n), "spread": packed(torch.cov(x.T, correction=0)), "mean": packed(x.mean(0))}
    # the step's answers, the clean inputs' (the bias answers the mean), and a ridge: least squares on the inputs themselves
    ones = torch.ones(n, int(has_bias), dtype=torch.float64)
    cov = torch.cov(x.T, correction=0) if has_bias else x.T @ x / n
    few = RIDGE * (s.T @ s / n + LAMBDA * cov).diagonal().mean() * n
    rows = torch.cat([torch.cat([s, 0 * ones], 1), LAMBDA**0.5 * torch.cat([x, ones], 1)])
    rows = torch.cat([rows, few**0.5 * torch.eye(W, rows.shape[1], dtype=torch.float64)])
    fitted = torch.linalg.lstsq(rows, torch.cat([s @ tau.T, torch.zeros(len(rows) - n, len(tau), dtype=torch.float64)])).solution.T
    M, b = fitted[:, :W], fitted[:, W:].flatten()
    out["maps"][name] = {**one, "rows": n, "weight": packed(M), "bias": packed(b)}
Path("test/golden/files/moments.json").write_text(json.dumps(out, indent=1) + "\n")
print({name: one["rows"] for name, one in out["maps"].items()})
