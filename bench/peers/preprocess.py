"""
Tiny models of random weights in OUT/NAME, and OUT/expected.safetensors: for each case K of test/golden/preprocess/expected.json the unit embeddings [N, E] of its images
through transformers' PIL processors or open_clip's transforms, less those on which Python fails. Run by bench/preprocess.ts: python preprocess.py GOLDEN OUT
"""
import json
import sys
from pathlib import Path

import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

golden, out = Path(sys.argv[1]), Path(sys.argv[2])
cases = json.loads((golden / "expected.json").read_text())
images = [Image.open(golden / name) for name in cases[0]["pixels"]]
torch.manual_seed(0)
torch.set_num_threads(1)
tower = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "initializer_range": 0.2}
text = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 99, "max_position_embeddings": 16}


def clip(name, side):
    vision = {**tower, "image_size": side, "patch_size": 8 if side % 8 == 0 else 11}
    model = CLIPModel(CLIPConfig(text_config={**text, "eos_token_id": 98}, vision_config=vision, projection_dim=48)).eval()
    model.save_pretrained(out / name)
    return model.get_image_features


def siglip(name, side):
    model = SiglipModel(SiglipConfig(text_config={**text, "hidden_size": 64, "vocab_size": 99}, vision_config={**tower, "image_size": side, "patch_size": 11})).eval()
    model.save_pretrained(out / name)
    return model.get_image_features


def openclip(name, side):
    config = {
        "embed_dim": 48,
        "vision_cfg": {"image_size": side, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8 if side % 8 == 0 else 11},
        "text_cfg": {"context_length": 16, "vocab_size": 99, "width": 32, "heads": 2, "layers": 1},
    }
    model = open_clip.CLIP(**config).eval()
    (out / name).mkdir()
    save_file(model.state_dict(), out / name / "open_clip_model.safetensors")
    (out / name / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
    return model.encode_image


models = {}
expected = {}
for number, case in enumerate(cases):
    side = case["side"]
    if "open_clip" in case:
        make, kind = openclip, "open_clip"
        transform = image_transform_v2(PreprocessCfg(size=side, **case["open_clip"]), is_train=False)
        pixels_of = lambda image: transform(image)[None]
    else:
        is_siglip = "image_processor_type" in case["transformers"]
        make, kind = (siglip, "siglip") if is_siglip else (clip, "clip")
        processor = (SiglipImageProcessorPil if is_siglip else CLIPImageProcessorPil)(**case["transformers"])
        pixels_of = lambda image: processor(images=image, return_tensors="pt")["pixel_values"]
    name = f"{kind}-{side}"
    if name not in models:
        models[name] = make(name, side)
    pixels = torch.cat([pixels_of(image) for image, told in zip(images, case["pixels"].values()) if told])
    with torch.no_grad():
        found = models[name](pixels)
    found = getattr(found, "pooler_output", found)
    expected[str(number)] = found / found.norm(dim=-1, keepdim=True)
save_file(expected, out / "expected.safetensors")
