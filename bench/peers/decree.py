"""
The peer of bench/detect.ts: a step of DECREE in PyTorch as its authors' code takes it, on the same weights: mask and pattern through tanh,
the image tower forward and backward to the pixels, pairwise cosines, Adam on mask and pattern. transformers' own tower, float32, the weights
frozen. Reads one word a line (step) and answers with milliseconds, so that rounds can be interleaved with ours; `cosine` answers with the
mean pairwise cosine of the last step, `loss` with its objective.
"""
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from transformers import CLIPVisionModelWithProjection

threads, folder, batch, inputs = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
transformers.logging.set_verbosity_error()  # the text tower is left out
model = CLIPVisionModelWithProjection.from_pretrained(folder, dtype=torch.float32).eval().requires_grad_(False)
S = model.config.image_size
mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(1, 3, 1, 1)
std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).reshape(1, 3, 1, 1)
# images [batch, 3, S, S], then the parameters of mask [S, S] and pattern [3, S, S]
values = torch.from_numpy(np.fromfile(inputs, dtype=np.float32))
pixels = values[: batch * 3 * S * S].reshape(batch, 3, S, S).clone()
start = values[batch * 3 * S * S :]
mask = start[: S * S].reshape(1, 1, S, S).clone().requires_grad_(True)
pattern = start[S * S :].reshape(1, 3, S, S).clone().requires_grad_(True)
optimizer = torch.optim.Adam([mask, pattern], lr=0.5, betas=(0.5, 0.9))
eps, weight = 1e-7, 1e-3
last = {"cosine": 0.0, "loss": 0.0}


def squashed(v):
    return (torch.tanh(v) / (2 - eps) + 0.5).clamp(0, 1)


def step():
    m, p = squashed(mask), squashed(pattern)
    stamped = ((1 - m) * pixels + m * p).clamp(0, 1)
    embeds = F.normalize(model(pixel_values=(stamped - mean) / std).image_embeds, dim=-1)
    gram = embeds @ embeds.t()
    cosine = (gram.sum() - gram.diagonal().sum()) / (batch * (batch - 1))
    loss = -cosine + weight * 3 * m.sum()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    last.update(cosine=cosine.item(), loss=loss.item())


print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    name = line.strip()
    if name in last:
        print(last[name], flush=True)
        continue
    begun = time.perf_counter()
    step()
    print((time.perf_counter() - begun) * 1e3, flush=True)
