"""A ViT-B/32 image tower of transformers as ONNX, where transformers.js looks for it: python export_vision.py OUT.

Needs onnx and onnxscript beside torch and transformers.
"""
import sys
from pathlib import Path

import torch
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

out = Path(sys.argv[1])
(out / "onnx").mkdir(parents=True)
torch.manual_seed(0)
model = CLIPVisionModelWithProjection(CLIPVisionConfig(patch_size=32, projection_dim=512)).eval()
model.config.save_pretrained(out)


class Embed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values=pixel_values).image_embeds


torch.onnx.export(
    Embed().eval(),
    (torch.rand(2, 3, 224, 224),),
    str(out / "onnx" / "vision_model.onnx"),
    input_names=["pixel_values"],
    output_names=["image_embeds"],
    dynamic_shapes=({0: torch.export.Dim("batch")},),
    external_data=False,
    dynamo=True,
)
