"""
The peer of bench/contrastive.ts: transformers' own CLIP with its default attention, float32, AdamW and clipping as PyTorch has them. Reads one
word a line: `padded` (texts of 77 tokens, as its processor pads them), `longest` (texts as long as the longest), answered with milliseconds;
`memory`, answered with MB.
"""
import json
import sys

import torch
import torch.nn.functional as F
from serve import serve
from transformers import CLIPConfig, CLIPModel

torch.manual_seed(0)
torch.set_num_threads(int(sys.argv[1]))
config = CLIPConfig.from_dict(json.loads(sys.argv[2]))
captions = json.loads(sys.argv[3])
model = CLIPModel(config)
model.train()
pixels = torch.rand(len(captions), 3, config.vision_config.image_size, config.vision_config.image_size)
parameters = list(model.parameters())
optimizer = torch.optim.AdamW(parameters, lr=1e-6, weight_decay=0.1, fused=True)
right = torch.arange(len(captions))


def texts(length):
    """Filled with the end's id, as OpenAI's tokenizer does: the first one is pooled."""
    return torch.tensor([ids + [config.text_config.eos_token_id] * (length - len(ids)) for ids in captions])


tokens = {"padded": texts(config.text_config.max_position_embeddings), "longest": texts(max(map(len, captions)))}


def step(input_ids):
    optimizer.zero_grad(set_to_none=True)
    logits = model(input_ids=input_ids, pixel_values=pixels).logits_per_image
    ((F.cross_entropy(logits, right) + F.cross_entropy(logits.t(), right)) / 2).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()


serve({name: lambda batch=batch: step(batch) for name, batch in tokens.items()})
