"""
One small picture in every form that CLIP data comes in, and the SHA-256 of what Pillow's convert("RGB") makes of each file.
Made with Pillow 13.0: python scripts/golden/image_formats.py test/golden/images
"""
import hashlib
import json
import struct
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
    "rgb.bmp": (rgb, {}),
    "rgba.bmp": (rgba, {}),
    "grey.bmp": (grey, {}),
    "palette.bmp": (palette, {}),
    "black-and-white.bmp": (grey.convert("1"), {}),
    "rgb.ppm": (rgb, {}),
    "grey.pgm": (grey, {}),
    "black-and-white.pbm": (grey.convert("1"), {}),
    "rgb.jfif": (rgb, {"format": "JPEG"}),
}
expected = {}
for name, (image, options) in files.items():
    image.save(out / name, **options)
    expected[name] = hashlib.sha256(Image.open(out / name).convert("RGB").tobytes()).hexdigest()

# what Pillow reads and does not write: rows from the top, 4 bits, OS/2's header, levels up to 6 with a comment
pixels = np.asarray(rgb)


def bmp(name, bits, width, height, palette, rows, header=40):
    start = 14 + header + len(palette)
    sizes = struct.pack("<IiiHH", header, width, height, 1, bits) if header == 40 else struct.pack("<IHHHH", header, width, height, 1, bits)
    info = struct.pack("<IIiiII", 0, len(rows), 0, 0, 0, 0) if header == 40 else b""
    (out / name).write_bytes(b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + sizes + info + palette + rows)


def padded(row):
    return row + bytes(-len(row) % 4)


bmp("from-the-top.bmp", 24, 33, -21, b"", b"".join(padded(row[:, ::-1].tobytes()) for row in pixels))
bmp("os2.bmp", 24, 33, 21, b"", b"".join(padded(row[:, ::-1].tobytes()) for row in pixels[::-1]), header=12)
sixteen = np.asarray(grey) >> 4
nibbles = np.pad(sixteen, ((0, 0), (0, 1)))
rows4 = ((nibbles[:, ::2] << 4) | nibbles[:, 1::2]).astype(np.uint8)
bmp("4-bit.bmp", 4, 33, 21, bytes(v for i in range(16) for v in (i * 17, 255 - i * 17, i, 0)), b"".join(padded(row.tobytes()) for row in rows4[::-1]))
(out / "seven-levels.ppm").write_bytes(b"P6 # a comment\n33\t21\n# another\n6\n" + (pixels % 7).astype(np.uint8).tobytes())
for name in ("from-the-top.bmp", "os2.bmp", "4-bit.bmp", "seven-levels.ppm"):
    expected[name] = hashlib.sha256(Image.open(out / name).convert("RGB").tobytes()).hexdigest()
(out / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")
