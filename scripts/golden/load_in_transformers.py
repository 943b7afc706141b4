"""Load a folder written by tbar with plain transformers and compare its embeddings with expected ones.

    python scripts/golden/load_in_transformers.py FOLDER EXPECTED.safetensors

EXPECTED holds pixel_values [B,3,S,S] (normalised) or pixels (in 0..1), input_ids or tokens [B,T], and any of the
normalised image_embeds [B,E], text_embeds [B,E] and logits_per_image [B,B]. The weights are computed with in float32.
Prints max|a-b| / max|b| for each; exits 1 above 1e-5, or when transformers reports missing or unexpected weights.
Needs torch and transformers; no test of this project does.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoProcessor, CLIPModel

CLIP_MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(1, 3, 1, 1)
CLIP_STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).reshape(1, 3, 1, 1)
TOLERANCE = 1e-5


def main(folder, expected_path):
    model, loading = CLIPModel.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    problems = {kind: names for kind, names in loading.items() if names}
    if problems:
        sys.exit(f"transformers loaded the weights with problems: {problems}")
    if (Path(folder) / "tokenizer.json").exists():
        processor = AutoProcessor.from_pretrained(folder)
        print(f"processor: {type(processor).__name__}, 'a photo' -> {processor.tokenizer('a photo').input_ids}")

    expected = load_file(expected_path)
    pixels = expected["pixel_values"] if "pixel_values" in expected else (expected["pixels"] - CLIP_MEAN) / CLIP_STD
    ids = (expected["input_ids"] if "input_ids" in expected else expected["tokens"]).long()
    with torch.no_grad():
        found = model.eval()(input_ids=ids, pixel_values=pixels)

    worst = 0.0
    for name in ("image_embeds", "text_embeds", "logits_per_image"):
        if name not in expected:
            continue
        want = expected[name].float()
        error = ((found[name] - want).abs().max() / want.abs().max()).item()
        worst = max(worst, error)
        print(f"{name} {list(want.shape)}: {error:.2e}")
    if worst > TOLERANCE:
        sys.exit(f"differs by {worst:.2e}, more than {TOLERANCE}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
