"""
Small files as other programs write them, for src/data's tests: Parquet by pyarrow, pickles by Python. Images are 2x2 PNGs of one grey, 10 * row.
Made with pyarrow 25.0 and Python 3.11: python scripts/golden/data_files.py test/golden/files
"""
import io
import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

out = Path(sys.argv[1])


def png(level):
    file = io.BytesIO()
    Image.new("L", (2, 2), level).save(file, "PNG")
    return file.getvalue()


images = [{"bytes": png(10 * i), "path": f"{i}.png"} for i in range(8)]
struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
features = {"info": {"features": {"label": {"names": ["ant", "big_bee", "cat"], "_type": "ClassLabel"}}}}
labelled = pa.table(
    {
        "image": pa.array([*images[:6], {"bytes": None, "path": "lost.png"}, None], struct),
        "label": pa.array([0, 1, 2, 0, 1, 2, None, -1], pa.int64()),
    }
).replace_schema_metadata({"huggingface": json.dumps(features)})
captioned = pa.table(
    {
        "caption": pa.array([["one", "eins"], ["zwei"], [], None, ["fünf", None, "five"], ["six"], ["seven"], ["eight"]], pa.list_(pa.string())),
        "image": pa.array(images, struct),
    }
)
flat = pa.table({"img": pa.array([image["bytes"] for image in images], pa.binary()), "fine_label": pa.array([i % 3 for i in range(8)], pa.int32())})

pq.write_table(labelled, out / "snappy.parquet", row_group_size=3)
for codec in ["none", "gzip", "brotli", "zstd", "lz4"]:
    pq.write_table(labelled, out / f"{codec}.parquet", compression=codec, use_dictionary=codec == "zstd", data_page_version="2.0" if codec in ("zstd", "gzip") else "1.0")
pq.write_table(captioned, out / "lists.parquet", use_dictionary=False, data_page_size=1, write_batch_size=1)
pq.write_table(captioned, out / "lists-v2.parquet", data_page_version="2.0", row_group_size=5)
pq.write_table(flat, out / "flat.parquet", use_dictionary=["fine_label"])
words = ["bee", "ant", "bee", None, "cat", "ant", "bee", "cat"]
named = {"image": pa.array(images, struct), "label": pa.array(words)}
pq.write_table(pa.table(named), out / "words.parquet")
pq.write_table(pa.table({**named, "label": named["label"].dictionary_encode(), "width": pa.array([2] * 8)}), out / "words-dictionary.parquet")
pq.write_table(pa.table({**named, "label": pa.array([float(i % 3) for i in range(8)])}), out / "float-labels.parquet")
pq.write_table(pa.table({**named, "label": pa.array([[i % 3, 2] for i in range(8)])}), out / "label-lists.parquet")
pq.write_table(pa.table({"image": pa.array([{"bytes": None, "path": f"{i}.png"} for i in range(8)], struct), "label": named["label"]}), out / "paths.parquet")
pq.write_table(pa.table({"image": pa.array([f"{i}.png" for i in range(8)]), "label": named["label"]}), out / "path-texts.parquet")
claim = (out / "flat.parquet").read_bytes()
footer = int.from_bytes(claim[-8:-4], "little")
assert claim[-8 - footer : -8].count(b"\x16\x10") >= 2  # rows of the file and of its row group: 8
claims = claim[-8 - footer : -8].replace(b"\x16\x10", b"\x16\xc0\x84\x3d")  # 500,000
(out / "claims.parquet").write_bytes(claim[: -8 - footer] + claims + len(claims).to_bytes(4, "little") + b"PAR1")

pixels = np.stack([np.repeat(np.array([10 * i, 1, 2], np.uint8), 1024) for i in range(3)])
batch = {"data": pixels, "fine_labels": [2, 0, 1], "coarse_labels": [0, 0, 0], "filenames": ["a.png", "b.png", "c.png"]}
for protocol in [3, 4]:
    (out / f"cifar-python-{protocol}.pickle").write_bytes(pickle.dumps(batch, protocol))
