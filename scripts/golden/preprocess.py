"""
Odd images, and what transformers' PIL processors and open_clip's transforms make of them in every resize mode, filter and size: the first 16 digits
of the SHA-256 of the 8-bit pixels [S, S, 3], and the first three of them; null where Python fails. The images are our own, a few hundred bytes each.
Made with transformers 5.24, open_clip 3.3, torchvision 0.29, Pillow 13.0: python scripts/golden/preprocess.py test/golden/preprocess
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

out = Path(sys.argv[1])
out.mkdir(exist_ok=True)


def picture(width, height):
    """Waves with edges, so that every filter overshoots somewhere."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [(x * a + y * b) % 256 // (1 + (x // 5 + y // 7 + c) % 3) for a, b, c in ((7, 3, 0), (2, 11, 1), (5, 5, 2))]
    return Image.fromarray(np.stack(planes, -1).astype(np.uint8))


def with_alpha(image, mode):
    y, x = np.mgrid[0 : image.height, 0 : image.width]
    image = image.convert(mode)
    image.putalpha(Image.fromarray(((x * 9 + y * 4) % 256).astype(np.uint8)))
    return image


turned = Image.Exif()
turned[0x112] = 6
few = picture(50, 37).quantize(7)
ramp = Image.fromarray((np.mgrid[0:20, 0:26].sum(0) % 8).astype(np.uint8))
ramp.putpalette([level for level in range(8) for _ in range(3)])

files = {
    "1x1.png": (picture(1, 1), {}),
    "3x5.png": (picture(3, 5), {}),
    "2x4000.png": (picture(2, 4000), {}),
    "4000x2.png": (picture(4000, 2), {}),
    "90x40.png": (picture(90, 40), {}),
    "40x90.png": (picture(40, 90), {}),
    "32x32.png": (picture(32, 32), {}),
    "33x33.png": (picture(33, 33), {}),
    "61x200.png": (picture(61, 200), {}),
    "grey.png": (picture(30, 44).convert("L"), {}),
    "black-and-white.png": (picture(41, 29).convert("1"), {}),
    "palette.png": (few, {}),
    "palette-transparent.png": (few, {"transparency": 3}),
    "alpha.png": (with_alpha(picture(45, 61), "RGB"), {}),
    "alpha-32x32.png": (with_alpha(picture(32, 32), "RGB"), {}),
    "opaque.png": (picture(37, 35).convert("RGBA"), {}),
    "grey-alpha.png": (with_alpha(picture(47, 31), "L"), {}),
    "palette.gif": (few, {}),
    "grey.gif": (picture(30, 44).convert("L"), {}),
    "exif-turned.jpg": (picture(48, 36), {"exif": turned}),
    "cmyk.jpg": (picture(40, 33).convert("CMYK"), {}),
    "alpha.webp": (with_alpha(picture(45, 33), "RGB"), {"lossless": True}),
    "palette.tif": (few, {}),
    "alpha.tif": (with_alpha(picture(45, 33), "RGB"), {}),
    "black-and-white.tif": (picture(41, 29).convert("1"), {}),
}
for name, (image, options) in files.items():
    image.save(out / name, **options)
images = {name: Image.open(out / name) for name in files}


def told(pixels):
    """Of [S, S, 3]."""
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3 and pixels.shape[0] == pixels.shape[1], pixels.shape
    return [hashlib.sha256(pixels.tobytes()).hexdigest()[:16], *map(int, pixels[0, 0])]


def each(pixels_of):
    found = {}
    for name, image in images.items():
        try:
            found[name] = told(pixels_of(image))
        except (ValueError, OSError) as error:
            print(name, error)
            found[name] = None
    return found


def side_of(config):
    crop = config.get("crop_size", config.get("size"))
    return crop if isinstance(crop, int) else crop["height"]


hf = [
    {"size": {"shortest_edge": 32}, "crop_size": 32},
    {"size": {"shortest_edge": 37}, "crop_size": 32},
    {"size": {"shortest_edge": 30}, "crop_size": {"height": 33, "width": 33}},
    {"size": {"shortest_edge": 9}, "crop_size": 32},
    {"size": {"height": 32, "width": 32}, "crop_size": 32},
    {"size": {"height": 40, "width": 37}, "crop_size": 32},
    {"size": {"height": 21, "width": 50}, "crop_size": 32},
]
cases = []
for filter in range(6):
    siglip = {"size": {"height": 33, "width": 33}, "image_processor_type": "SiglipImageProcessor"}
    for config in [{**config, "resample": filter} for config in [*hf, siglip]]:
        kind = SiglipImageProcessorPil if "image_processor_type" in config else CLIPImageProcessorPil
        processor = kind(**config, do_rescale=False, do_normalize=False)
        found = each(lambda image: processor(images=image, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0))
        cases.append({"transformers": config, "side": side_of(config), "pixels": found})
config = {"do_resize": False, "crop_size": 32}
processor = CLIPImageProcessorPil(**config, do_rescale=False, do_normalize=False)
found = each(lambda image: processor(images=image, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0))
cases.append({"transformers": config, "side": side_of(config), "pixels": found})

for interpolation in ("bicubic", "bilinear"):
    for size in (32, 33):
        for more in ({"resize_mode": "shortest"}, {"resize_mode": "squash"}, {"resize_mode": "longest"}, {"resize_mode": "longest", "fill_color": 5}, {"resize_mode": "longest", "fill_color": 200}):
            config = {**more, "interpolation": interpolation}
            transform = image_transform_v2(PreprocessCfg(size=size, **config), is_train=False)
            steps = transform.transforms[:-2]  # before ToTensor and Normalize

            def pixels_of(image):
                for step in steps:
                    image = step(image)
                return np.asarray(image)

            cases.append({"open_clip": config, "side": size, "pixels": each(pixels_of)})

lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(out / "expected.json").write_text(f"[\n{lines}\n]\n")
