"""Writes a small faceset in the exact layout of DeepFaceLab, with Python's own pickle and NumPy's own arrays.

    python dfl_faceset.py packages/faceset/test/golden

Written with Python 3.11, NumPy 1.26.4 (and once with 2.4, whose pickles name other modules) and Pillow. Layout: a pickled
dict in the APP15 segment of each JPEG file; faceset.pak: version and length as u64, the pickled list, u64 offsets of the
images, of which the last counts from the beginning of the file, and the images.
"""

import io
import json
import pickle
import platform
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 64


def jpeg(index, app15):
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    pixels = np.stack([x * 3 + index * 20, y * 3, (x + y) * 2 % 256], axis=2).clip(0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    data = out.getvalue()
    assert data[2:4] == b"\xff\xe0"  # JFIF
    end = 4 + struct.unpack(">H", data[4:6])[0]
    return data[:end] + b"\xff\xef" + struct.pack(">H", len(app15) + 2) + app15 + data[end:]


def mask_png():
    y, x = np.mgrid[0:32, 0:32]
    mask = (((x - 16) ** 2 + (y - 16) ** 2) < 100).astype(np.uint8) * 255
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG")
    return np.frombuffer(out.getvalue(), dtype=np.uint8)


def metadata(index, random):
    landmarks = random.uniform(4, 60, (68, 2)).round(3)
    source = (landmarks * 2 + [100, 50]).round(3)
    data = {
        "face_type": "whole_face",
        "landmarks": landmarks.tolist(),
        "source_filename": f"{index + 1:05}.png",
        "source_rect": np.array([100, 50, 228, 178], dtype=np.int32),
        "source_landmarks": source.tolist(),
        "image_to_face_mat": np.array([[0.5, 0, -50], [0, 0.5, -25]], dtype=np.float64),
    }
    if index == 0:
        data["eyebrows_expand_mod"] = 1.25
        data["seg_ie_polys"] = {
            "polys": [
                {"type": 1, "pts": np.array([[5, 5], [55, 5], [30, 60]], dtype=np.float32)},
                {"type": 0, "pts": np.array([[10, 10], [20, 10], [15, 20]], dtype=np.float32)},
            ]
        }
        data["xseg_mask"] = mask_png()
    return data


def plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    faces = [metadata(index, random) for index in range(2)]
    version = np.__version__.split(".")[0]
    jpegs = [jpeg(i, pickle.dumps(data, protocol=3 if i == 0 else 5)) for i, data in enumerate(faces)]
    (out / f"dfl-00001_0.numpy{version}.jpg").write_bytes(jpegs[0])
    if version != "1":
        return
    (out / "dfl-00002_0.jpg").write_bytes(jpegs[1])
    configs = [
        {
            "sample_type": 1,
            "filename": f"{i + 1:05}_0.jpg",
            "face_type": 4,
            "shape": (SIZE, SIZE, 3),
            "landmarks": data["landmarks"],
            "seg_ie_polys": data.get("seg_ie_polys", {"polys": []}),
            "xseg_mask": None,
            "xseg_mask_compressed": data.get("xseg_mask"),
            "eyebrows_expand_mod": data.get("eyebrows_expand_mod"),
            "source_filename": data["source_filename"],
            "person_name": "someone",
        }
        for i, data in enumerate(faces)
    ]
    listed = pickle.dumps(configs, protocol=4)
    head = struct.pack("<QQ", 1, len(listed)) + listed
    starts = [0]
    for data in jpegs:
        starts.append(starts[-1] + len(data))
    starts[-1] += len(head) + 8 * len(starts)
    pak = head + b"".join(struct.pack("<Q", at) for at in starts) + b"".join(jpegs)
    (out / "dfl-faceset.pak").write_bytes(pak)
    made_with = {"script": "scripts/golden/dfl_faceset.py", "python": platform.python_version(), "numpy": np.__version__}
    expected = {"madeWith": made_with, "size": SIZE, "faces": [plain(data) for data in faces]}
    for face in expected["faces"]:
        face.pop("xseg_mask", None)
    (out / "dfl-faceset.json").write_text(json.dumps(expected) + "\n")


main()
