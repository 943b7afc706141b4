"""
The peer of bench/step.ts: transformers' own CLIP towers with their default attention, float32, AdamW and clipping as PyTorch
has them. Reads one word a line (forward, step, text, memory) and answers with milliseconds (MB for memory), so that rounds
can be interleaved with ours.
"""
import sys

import torch
import torch.nn.functional as F
from serve import serve
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

torch.manual_seed(0)
torch.set_num_threads(int(sys.argv[1]))
batch = int(sys.argv[2])
vision = CLIPVisionModelWithProjection(CLIPVisionConfig(patch_size=32, projection_dim=512))
pixels = torch.rand(batch, 3, 224, 224)
head = torch.randn(512, 397) * 0.1
labels = torch.arange(batch) % 397
parameters = list(vision.parameters())
optimizer = torch.optim.AdamW(parameters, lr=1e-5, weight_decay=0.1, fused=True)
text = CLIPTextModelWithProjection(CLIPTextConfig(projection_dim=512, eos_token_id=49407, bos_token_id=49406))
tokens = torch.full((128, 77), 49407)
tokens[:, 0] = 49406
lengths = torch.randint(6, 19, (128,))
for row, length in zip(tokens, lengths):
    row[1 : 1 + length] = torch.randint(1000, 40000, (int(length),))


def forward():
    with torch.inference_mode():
        vision(pixel_values=pixels)


def step():
    optimizer.zero_grad(set_to_none=True)
    embeds = F.normalize(vision(pixel_values=pixels).image_embeds, dim=-1)
    F.cross_entropy(100 * embeds @ head, labels).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


def text_step():
    text.zero_grad(set_to_none=True)
    F.normalize(text(input_ids=tokens).text_embeds, dim=-1).sum().backward()


serve({"forward": forward, "step": step, "text": text_step})
