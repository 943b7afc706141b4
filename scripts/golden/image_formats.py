"""
One small picture in every form that CLIP data comes in, and the SHA-256 of what Pillow's convert("RGB") makes of each file.
Made with Pillow 13.0: python scripts/golden/image_formats.py test/golden/images
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

out = Path(sys.argv[1])
out.mkdir(exist_ok=True)
rng = np.random.default_rng(0)
y, x = np.mgrid[0:21, 0:33]
waves = [128 + 100 * np.sin(x / 5 + y / 9 + phase) + rng.normal(0, 9, x.shape) for phase in (0, 2, 4)]
rgb = Image.fromarray(np.clip(np.stack(waves, -1), 0, 255).astype(np.uint8))
alpha = Image.fromarray(rng.integers(0, 256, x.shape, dtype=np.uint8))
rgba, grey = rgb.copy(), rgb.convert("L")
rgba.putalpha(alpha)
grey_alpha = grey.convert("LA")
grey_alpha.putalpha(alpha)
palette = rgb.quantize(40)
turned = Image.Exif()
turned[0x112] = 6
srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

files = {
    "rgb.jpg": (rgb, {}),
    "444.jpg": (rgb, {"subsampling": 0, "quality": 95}),
    "422.jpg": (rgb, {"subsampling": 1}),
    "progressive.jpg": (rgb, {"progressive": True}),
    "grey.jpg": (grey, {}),
    "cmyk.jpg": (rgb.convert("CMYK"), {}),
    "exif-turned.jpg": (rgb, {"exif": turned}),
    "profile.jpg": (rgb, {"icc_profile": srgb}),
    "rgb.png": (rgb, {}),
    "alpha.png": (rgba, {}),
    "grey.png": (grey, {}),
    "grey-alpha.png": (grey_alpha, {}),
    "palette.png": (palette, {}),
    "palette-transparent.png": (palette, {"transparency": 3}),
    "transparent-colour.png": (rgb, {"transparency": (1, 2, 3)}),
    "black-and-white.png": (grey.convert("1"), {}),
    "lossy.webp": (rgb, {"quality": 75}),
    "lossless.webp": (rgb, {"lossless": True}),
    "alpha.webp": (rgba, {"quality": 75}),
    "palette.gif": (palette, {}),
    "frames.gif": (palette, {"save_all": True, "append_images": [palette.rotate(20)]}),
    "rgb.tif": (rgb, {"compression": "tiff_lzw"}),
    "cmyk.tif": (rgb.convert("CMYK"), {}),
}
expected = {}
for name, (image, options) in files.items():
    image.save(out / name, **options)
    expected[name] = hashlib.sha256(Image.open(out / name).convert("RGB").tobytes()).hexdigest()
(out / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
