"""What transformers and open_clip compute with a full-size CLIP of random weights, for bench/full-size.ts.

    python scripts/golden/full_size.py NAME OUT [--batch 8] [--seed 0]

NAME is one of MODELS below. Writes the folder OUT: the model as its library saves it, and expected.safetensors with

- pixels [B,3,S,S] in 0..1, tokens [B,77], image_embeds and text_embeds [B,E] of unit norm, logits_per_image [B,B], in evaluation mode
- one training step of the image tower, in training mode: cross-entropy of 100 x unit embedding x step.head [E,100] against
  step.labels, gradient clipped to norm 1, AdamW (lr 1e-5, weight decay 0.1 on everything): step.loss, step.norm, and by the
  file's own names grad.NAME (before clipping) and after.NAME, running statistics of batch normalisation among the latter
- step.rounding: |grad - grad64| / |grad64| over all values, grad64 being the same gradient in float64: what rounding alone does,
  which is much where ReLUs sit near their kink

The arithmetic is float32 on two threads. Weights follow from the seed; nothing of this is meant to be kept.
"""

import argparse
import copy
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
CLASSES = 100
MODELS = ["ViT-B-32", "ViT-B-16", "ViT-L-14", "RN50"]


def from_transformers(name):
    from transformers import CLIPConfig, CLIPModel

    large = name == "ViT-L-14"
    embed = 768 if large else 512
    vision = {"patch_size": 14 if large else 32, "projection_dim": embed}
    text = {"projection_dim": embed, "eos_token_id": 49407, "bos_token_id": 49406}
    if large:
        vision.update(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16)
        text.update(hidden_size=768, intermediate_size=3072, num_attention_heads=12)
    model = CLIPModel(CLIPConfig(projection_dim=embed, vision_config=vision, text_config=text))
    images = lambda model, pixels: model.get_image_features(pixel_values=pixels).pooler_output
    texts = lambda tokens: model.get_text_features(input_ids=tokens).pooler_output
    return model, images, texts, model.save_pretrained


def from_open_clip(name):
    import open_clip

    model = open_clip.create_model(name, device="cpu", precision="fp32")

    def save(out):
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, out / "open_clip_model.safetensors")
        config = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": {"mean": CLIP_MEAN, "std": CLIP_STD}}
        (out / "open_clip_config.json").write_text(json.dumps(config))

    return model, lambda model, pixels: model.encode_image(pixels), model.encode_text, save


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    o = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(o.seed)
    o.out.mkdir(parents=True)

    transformers = o.name in ("ViT-B-32", "ViT-L-14")
    model, images, texts, save = (from_transformers if transformers else from_open_clip)(o.name)
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (CLIP_MEAN, CLIP_STD))
    encode = lambda model, pixels: images(model, (pixels - mean) / std)
    # smooth pictures: noise of few values, enlarged
    pixels = F.interpolate(torch.rand(o.batch, 3, 16, 16), size=224, mode="bicubic").clamp(0, 1)
    tokens = torch.zeros(o.batch, 77, dtype=torch.int64)
    for row in tokens:
        words = int(torch.randint(4, 70, ()))
        row[: words + 2] = torch.cat([torch.tensor([49406]), torch.randint(1, 49000, (words,)), torch.tensor([49407])])
    if transformers:
        tokens[tokens == 0] = 49407
    shake(model, encode, pixels)
    model.eval()
    save(o.out)

    expected = {"pixels": pixels, "tokens": tokens}
    with torch.no_grad():
        expected["image_embeds"] = F.normalize(encode(model, pixels), dim=-1)
        expected["text_embeds"] = F.normalize(texts(tokens), dim=-1)
        expected["logits_per_image"] = model.logit_scale.exp() * expected["image_embeds"] @ expected["text_embeds"].t()

    vision = {name: p for name, p in model.named_parameters() if name.startswith("vis")}
    for name, p in model.named_parameters():
        p.requires_grad_(name in vision)
    model.train()
    head = F.normalize(torch.randn(expected["image_embeds"].shape[1], CLASSES), dim=0)
    labels = torch.randint(0, CLASSES, (o.batch,))

    def backward(model, pixels, head):
        loss = F.cross_entropy(100 * F.normalize(encode(model, pixels), dim=-1) @ head, labels)
        loss.backward()
        return loss, {name: p.grad.clone() for name, p in model.named_parameters() if name in vision}

    _, exact = backward(copy.deepcopy(model).double(), pixels.double(), head.double())
    loss, gradients = backward(model, pixels, head)
    norm_of = lambda tensors: sum(t.double().square().sum() for t in tensors).sqrt()
    rounding = norm_of(gradients[name] - g for name, g in exact.items()) / norm_of(exact.values())
    del exact
    expected |= {f"grad.{name}": g for name, g in gradients.items()}
    optimizer = torch.optim.AdamW(vision.values(), lr=1e-5, weight_decay=0.1)
    norm = torch.nn.utils.clip_grad_norm_(vision.values(), 1.0)
    optimizer.step()
    moved = {name: v for name, v in model.state_dict().items() if name in vision or "running" in name}
    expected |= {f"after.{name}": v for name, v in moved.items()}
    expected |= {"step.head": head, "step.labels": labels, "step.loss": loss.detach(), "step.norm": norm, "step.rounding": rounding}
    save_file({name: v.detach().contiguous() for name, v in expected.items()}, o.out / "expected.safetensors")


@torch.no_grad()
def shake(model, encode, pixels):
    """Leave no parameter at a start value that hides a mistake, and give batch norms statistics of real features."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for name, p in model.named_parameters():
        if p.ndim == 1:
            p.add_(0.1 * torch.randn_like(p))
    for m in norms:
        m.weight.abs_().add_(0.1)  # open_clip starts some at 0
        m.momentum = 1.0
    if norms:
        model.train()
        encode(model, pixels)
    for m in norms:
        m.momentum = 0.1


main()
