"""Record what PyTorch computes with a small random CLIP, for test/golden/clip-tiny-vit.test.ts.

    python scripts/golden/clip_tiny_vit.py OUT [--width 96 --heads 3 ...]

Writes the folder OUT, which must not exist; name it clip-tiny-vit-SOMETHING and set TBAR_GOLDEN to the folder it lies in.
config.json and model.safetensors are in Hugging Face's form, open_clip_config.json and open_clip_model.safetensors hold the
same weights in OpenAI's. expected.safetensors, with parameters by OpenAI's names:

- pixels [B,3,S,S] in 0..1, tokens [B,T], image_embeds and text_embeds [B,E], also _raw, logits_per_image [B,B], contrastive_loss
- grad.pixels, grad.NAME: gradients of that loss; of the token table only the rows in use, .rows and .row_ids
- cls.head [E,10], cls.labels [B], cls.loss_and_gradnorm [4,2], cls.after.NAME: four steps of AdamW (lr 1e-3, weight decay 0.1
  on everything, gradient clipped to norm 1) of the image tower on the cross-entropy of 100 x unit embedding x head

The arithmetic is float32 on the weights as stored. Needs torch and transformers; no test of this project does.
"""

import argparse
import json
import re
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
CLASSES = 10
STEPS = 4

TOP = {
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    "visual_projection.weight": "visual.proj",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_projection.weight": "text_projection",
}
MODULES = {
    "vision_model.": "visual.",
    "text_model.": "",
    "encoder.layers.": "transformer.resblocks.",
    "pre_layrnorm": "ln_pre",
    "post_layernorm": "ln_post",
    "final_layer_norm": "ln_final",
    "layer_norm": "ln_",
    "self_attn.": "attn.",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    for name, default in {
        "seed": 0, "batch": 6, "embed": 32,
        "width": 128, "layers": 3, "heads": 2, "patch": 8, "image": 32,
        "text-width": 64, "text-layers": 2, "text-heads": 1, "vocab": 600, "context": 16,
    }.items():  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--act", choices=["quick_gelu", "gelu"], default="quick_gelu")
    parser.add_argument("--eps", type=float, default=1e-5, help="of the layer normalisations")
    parser.add_argument("--eos", type=int, help="id that ends a text; VOCAB - 1, the largest, unless told")
    parser.add_argument("--legacy-eos", action="store_true", help="state eos_token_id 2, as OpenAI's first uploads did")
    parser.add_argument("--full", action="store_true", help="the first text fills the whole context")
    parser.add_argument(
        "--dtype-mix", choices=["openai", "float32", "float16", "bfloat16"], default="openai",
        help="openai: half precision for matrices, attention and the biases of linear maps, float32 for the rest",
    )  # fmt: skip
    return parser.parse_args()


def build(o, eos):
    activation = {"hidden_act": o.act, "layer_norm_eps": o.eps}
    config = CLIPConfig(
        projection_dim=o.embed,
        vision_config=dict(
            activation, hidden_size=o.width, intermediate_size=4 * o.width, num_hidden_layers=o.layers,
            num_attention_heads=o.heads, patch_size=o.patch, image_size=o.image, projection_dim=o.embed,
        ),
        text_config=dict(
            activation, hidden_size=o.text_width, intermediate_size=4 * o.text_width, num_hidden_layers=o.text_layers,
            num_attention_heads=o.text_heads, max_position_embeddings=o.context, vocab_size=o.vocab,
            bos_token_id=o.vocab - 2, eos_token_id=2 if o.legacy_eos else eos, projection_dim=o.embed,
        ),
    )  # fmt: skip
    model = CLIPModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name or name.endswith("bias"):
                p.normal_(1.0 if "norm" in name and name.endswith("weight") else 0.0, 0.1)
            elif "projection" in name:
                p.normal_(0.0, 1.2 * p.shape[0] ** -0.5)
            elif "embedding" in name and "patch" not in name:
                p.normal_(0.0, 0.5)
            elif name != "logit_scale":
                p.normal_(0.0, 1.2 * p[0].numel() ** -0.5)
            p.copy_(p.to(stored_dtype(name, o.dtype_mix)))
    return model


def stored_dtype(name, mix):
    if mix != "openai":
        return getattr(torch, mix)
    whole = name == "logit_scale" or "norm" in name or "position_embedding" in name or "class_embedding" in name
    return torch.float32 if whole else torch.float16


def texts(o, eos):
    """Start, words, end, then zeros; lengths differ."""
    rows = torch.zeros(o.batch, o.context, dtype=torch.int64)
    for b in range(o.batch):
        most = o.context - 2
        words = most if o.full and b == 0 else min(most, 3 + (b * 5) % max(1, o.context // 2))
        ids = torch.randint(3, o.vocab - 2, (words,))
        ids[ids == eos] = 1
        rows[b, : words + 2] = torch.cat([torch.tensor([o.vocab - 2]), ids, torch.tensor([eos])])
    return rows


def openai_names(tensors):
    """Hugging Face's names to OpenAI's: q, k and v in one tensor, the two projections transposed."""
    out = {}
    for name, value in tensors.items():
        if name in TOP:
            out[TOP[name]] = value.t() if "projection" in name else value
        elif ".q_proj." in name:
            fused = torch.cat([tensors[name.replace(".q_proj.", f".{part}_proj.")] for part in "qkv"])
            out[module_name(name).replace("q_proj.", "in_proj_")] = fused
        elif not re.search(r"\.[kv]_proj\.", name):
            out[module_name(name)] = value
    return {name: value.detach().clone().contiguous() for name, value in out.items()}


def module_name(name):
    for theirs, openais in MODULES.items():
        name = name.replace(theirs, openais)
    return name


def image_features(model, pixels):
    mean, std = (torch.tensor(v, dtype=pixels.dtype).reshape(1, 3, 1, 1) for v in (CLIP_MEAN, CLIP_STD))
    return model.get_image_features(pixel_values=(pixels - mean) / std).pooler_output


def contrastive(model, pixels, tokens):
    """Embeddings, logits, loss and gradients."""
    pixels.requires_grad_(True)
    images = image_features(model, pixels)
    texts = model.get_text_features(input_ids=tokens).pooler_output
    logits = model.logit_scale.exp() * F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).t()
    diagonal = torch.arange(len(tokens))
    loss = (F.cross_entropy(logits, diagonal) + F.cross_entropy(logits.t(), diagonal)) / 2
    loss.backward()
    grads = openai_names({name: p.grad for name, p in model.named_parameters()})
    used = tokens.unique()
    table = grads.pop("token_embedding.weight")
    return {
        "image_embeds_raw": images,
        "text_embeds_raw": texts,
        "image_embeds": F.normalize(images, dim=-1),
        "text_embeds": F.normalize(texts, dim=-1),
        "logits_per_image": logits,
        "contrastive_loss": loss.reshape(1),
        "grad.pixels": pixels.grad,
        **{f"grad.{name}": value for name, value in grads.items()},
        "grad.token_embedding.weight.rows": table[used],
        "grad.token_embedding.weight.row_ids": used,
    }


def training(model, pixels, head, labels):
    """Four steps of the image tower on one batch. Changes the model."""
    tower = {n: p for n, p in model.named_parameters() if n.startswith(("vision_model.", "visual_projection."))}
    optimizer = torch.optim.AdamW(tower.values(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)
    reports = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(100 * F.normalize(image_features(model, pixels), dim=-1) @ head, labels)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(tower.values(), 1.0)
        optimizer.step()
        reports.append([loss.item(), norm.item()])
    return {
        "cls.head": head,
        "cls.labels": labels,
        "cls.loss_and_gradnorm": torch.tensor(reports),
        **{f"cls.after.{name}": value for name, value in openai_names(tower).items()},
    }


def open_clip_config(o):
    return {
        "model_cfg": {
            "embed_dim": o.embed,
            "quick_gelu": o.act == "quick_gelu",
            "vision_cfg": {
                "image_size": o.image, "layers": o.layers, "width": o.width, "patch_size": o.patch,
                "head_width": o.width // o.heads,
            },
            "text_cfg": {
                "context_length": o.context, "vocab_size": o.vocab, "width": o.text_width, "heads": o.text_heads,
                "layers": o.text_layers,
            },
        },
        "preprocess_cfg": {"mean": CLIP_MEAN, "std": CLIP_STD},
    }  # fmt: skip


def main():
    o = options()
    eos = o.vocab - 1 if o.eos is None else o.eos
    torch.manual_seed(o.seed)
    model = build(o, eos)
    stored = {name: p.detach().to(stored_dtype(name, o.dtype_mix)) for name, p in model.named_parameters()}
    pixels = torch.rand(o.batch, 3, o.image, o.image)
    tokens = texts(o, eos)
    head = F.normalize(torch.randn(o.embed, CLASSES), dim=0)
    labels = torch.randint(0, CLASSES, (o.batch,))

    o.out.mkdir(parents=True)
    (o.out / "config.json").write_text(json.dumps(model.config.to_dict(), indent=1))
    (o.out / "open_clip_config.json").write_text(json.dumps(open_clip_config(o), indent=1))
    save_file(stored, o.out / "model.safetensors")
    save_file(openai_names(stored), o.out / "open_clip_model.safetensors")
    expected = {"pixels": pixels.clone(), "tokens": tokens, **contrastive(model, pixels, tokens)}
    expected |= training(model, pixels.detach(), head, labels)
    metadata = {"seed": str(o.seed), "torch": torch.__version__, "transformers": transformers.__version__}
    save_file({k: v.detach().clone().contiguous() for k, v in expected.items()}, o.out / "expected.safetensors", metadata)
    print(f"{o.out}: contrastive loss {expected['contrastive_loss'].item():.4f}")


if __name__ == "__main__":
    main()
