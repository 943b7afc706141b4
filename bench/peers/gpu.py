"""
The peer of bench/gpu.ts: transformers' CLIP image tower of random weights on one device, in float32, TF32 and bfloat16 (autocast). Reads lines
`PRECISION WORK` (forward, step, decree, clean) and answers with milliseconds. What comes from the host is sent to the device within the time.
"""
import contextlib
import json
import sys
import time

import torch
import torch.nn.functional as F
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

settings = json.loads(sys.argv[1])
device = torch.device(settings["device"])
batch, job = settings["batch"], settings["job"]
torch.manual_seed(0)
config = CLIPVisionConfig(projection_dim=settings["embedDim"], hidden_act="quick_gelu", **settings["vision"])
model = CLIPVisionModelWithProjection(config).to(device)
start = {name: value.detach().clone() for name, value in model.state_dict().items()}
S = config.image_size
host = torch.rand(batch, 3, S, S)
head = torch.rand(config.projection_dim, 397, device=device)
squash = lambda v: (torch.tanh(v) / (2 - 1e-7) + 0.5).clamp(0, 1)
mask = torch.zeros(1, 1, S, S, device=device, requires_grad=True)
pattern = torch.zeros(1, 3, S, S, device=device, requires_grad=True)
seek = torch.optim.Adam([mask, pattern], lr=0.5, betas=(0.5, 0.9))
parameters = list(model.parameters())


def tuner():
    return torch.optim.AdamW(parameters, lr=1e-5, weight_decay=0.1, fused=device.type == "cuda")


tune = tuner()


def embed(pixels):
    return F.normalize(model(pixel_values=pixels).image_embeds.float(), dim=-1)


def forward():
    with torch.inference_mode():
        embed(host.to(device)).cpu()


def step(images=host, optimizer=tune):
    labels = torch.arange(len(images)) % 397
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(embed(images.to(device)) @ head, labels.to(device))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    loss.item()


def decree():
    for parameter in parameters:
        parameter.requires_grad_(False)
    m = squash(mask)
    stamped = ((1 - m) * host.to(device) + m * squash(pattern)).clamp(0, 1)
    e = embed(stamped)
    gram = e @ e.t()
    loss = -(gram.sum() - gram.diagonal().sum()) / (batch * (batch - 1)) + 3e-3 * m.sum()
    seek.zero_grad(set_to_none=True)
    loss.backward()
    seek.step()
    loss.item()
    for parameter in parameters:
        parameter.requires_grad_(True)


def clean():
    model.load_state_dict(start)
    optimizer = tuner()
    for _ in range(job["steps"]):
        step(host[: job["batch"]], optimizer)
    tau = {name: value - start[name] for name, value in model.state_dict().items()}
    for k in range(job["alphas"]):
        model.load_state_dict({name: value - tau[name] * (k / 10) for name, value in start.items()})
        for _ in range(0, job["images"], batch):
            forward()


work = {"forward": forward, "step": step, "decree": decree, "clean": clean}
print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    precision, name = line.split()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    cast = torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else contextlib.nullcontext()
    begun = time.perf_counter()
    with cast:
        work[name]()
    if device.type == "cuda":
        torch.cuda.synchronize()
    print((time.perf_counter() - begun) * 1e3, flush=True)
