"""The weight disentanglement error of a tiny CLIP, counted by PyTorch and transformers for test/golden/xi.test.ts: every model of the grid
is made anew from theta_0 and both vectors, and asked for all images, the single-axis ones too.
Run: TBAR_XI=/tmp/xi npx vitest run test/golden/xi.test.ts; python3 scripts/golden/xi.py /tmp/xi > test/golden/files/xi.json"""
import json
import sys

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import CLIPVisionModelWithProjection

folder = sys.argv[1]
facts = json.load(open(f"{folder}/facts.json"))
model = CLIPVisionModelWithProjection.from_pretrained(f"{folder}/pico").eval()
origin = {name: value.clone() for name, value in model.state_dict().items()}
tau = {name: load_file(f"{folder}/{name}.safetensors") for name in "ct"}
mean, std = (torch.tensor(facts[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
size = model.config.image_size
head = torch.tensor(facts["head"]).view(facts["classes"], -1)
labels = torch.tensor(facts["labels"])


def pixels(name):
    values = torch.from_numpy(np.fromfile(f"{folder}/{name}.bin", dtype=np.float32))
    return (values.view(-1, 3, size, size) - mean) / std


images = {name: pixels(name) for name in ("clean", "triggered")}


def answers(name, alpha_c, alpha_t):
    weights = {key: value.clone() for key, value in origin.items()}
    for alpha, part in ((alpha_c, tau["c"]), (alpha_t, tau["t"])):
        for key, value in part.items():
            weights[key] = weights[key] + alpha * value
    model.load_state_dict(weights)
    with torch.no_grad():
        embedded = model(pixel_values=images[name]).image_embeds
    return (embedded / embedded.norm(dim=-1, keepdim=True) @ head.T).argmax(-1)


def place(c, t):
    clean, triggered = answers("clean", c, t), answers("triggered", c, t)
    return {
        "clean": int((answers("clean", c, 0) != clean).sum()),
        "triggered": int((answers("triggered", 0, t) != triggered).sum()),
        "right": int((clean == labels).sum()),
        "target": int((triggered == facts["target"]).sum()),
    }


grid = [[place(c, t) for t in facts["alphas"]] for c in facts["alphas"]]
counts = {name: [[one[name] for one in row] for row in grid] for name in grid[0][0]}
a, b = (torch.cat([tau[name][key].flatten().double() for key in sorted(tau[name])]) for name in "ct")
print(json.dumps({"counts": counts, "cosine": float(a @ b / a.norm() / b.norm())}))
