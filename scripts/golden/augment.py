"""Record what torchvision's functions make of a small image, for test/golden/augment.test.ts.

    python scripts/golden/augment.py        writes test/golden/files/augment.json

8-bit levels of 3 x 24 x 24 pixels from a congruence that the test repeats: x -> 16807 x mod (2^31 - 1), level = x mod 256, smoothed by a
gradient so that histograms differ. Needs torch and torchvision.
"""

import json
import zlib
from pathlib import Path

import torch
import torchvision
import torchvision.transforms.functional as F

S = 24
x, levels = 1, []
for i in range(3 * S * S):
    x = 16807 * x % (2**31 - 1)
    levels.append((x % 128 + 5 * (i % S) // 1) % 256)
image = torch.tensor(levels, dtype=torch.uint8).reshape(3, S, S)
nearest = F.InterpolationMode.NEAREST
shear = lambda share: F.affine(
    image, angle=0.0, translate=[0, 0], scale=1.0, shear=[torch.rad2deg(torch.atan(torch.tensor(share))).item(), 0.0],
    interpolation=nearest, fill=None, center=[0, 0],
)  # fmt: skip
made = {
    "invert": F.invert(image),
    "posterize 5": F.posterize(image, 5),
    "solarize 100": F.solarize(image, 100),
    "autoContrast": F.autocontrast(image),
    "equalize": F.equalize(image),
    "color 0.4": F.adjust_saturation(image, 0.4),
    "color 1.8": F.adjust_saturation(image, 1.8),
    "contrast 0.3": F.adjust_contrast(image, 0.3),
    "sharpness 0.3": F.adjust_sharpness(image, 0.3),
    "sharpness 1.7": F.adjust_sharpness(image, 1.7),
    "rotate 26.7": F.rotate(image, 26.7, interpolation=nearest),
    "rotate -10": F.rotate(image, -10.0, interpolation=nearest),
    "shearX 0.16667": shear(0.16667),
    "shearX -0.1": shear(-0.1),
}
import base64

out = {"torchvision": torchvision.__version__, "made": {k: base64.b64encode(zlib.compress(v.numpy().tobytes(), 9)).decode() for k, v in made.items()}}
Path("test/golden/files/augment.json").write_text(json.dumps(out, indent=1) + "\n")
