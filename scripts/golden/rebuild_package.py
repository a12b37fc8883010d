"""Rebuilds a merge from its compositor's package and compares it with the merge, pixel by pixel. Nothing here is ours.

    pip install numpy opencv-python-headless OpenEXR
    npm run dfl -- merge --package comp --out frames
    python scripts/golden/rebuild_package.py comp plates frames

`plates` is DST's folder of images: PNG or TIFF of 8 or 16 bits, or EXR of halves or 32-bit floats.
"""

import json
import os
import sys

import cv2
import numpy as np
import OpenEXR


def read(*path):
    file = os.path.join(*path)
    if not file.endswith(".exr"):
        return cv2.imread(file, cv2.IMREAD_UNCHANGED)
    channels = OpenEXR.File(file).channels()
    return channels["RGBA" if "RGBA" in channels else "RGB"].pixels


package, plates, merged = sys.argv[1:]
names = sorted(name for name in os.listdir(merged) if name.endswith((".png", ".tif", ".tiff", ".exr")))
wrong = 0
for name, frame in zip(names, json.load(open(f"{package}/frames.json"))["frames"]):
    plate, result = read(plates, name), read(merged, name)
    rebuilt = plate
    if "face" in frame:
        rgba = read(package, frame["face"])
        if plate.dtype.kind == "f":
            rebuilt = (rgba[..., :3] + (1 - rgba[..., 3:]) * plate).astype(plate.dtype)
        else:
            full = np.iinfo(plate.dtype).max
            rgba = rgba / 65535
            rebuilt = np.rint((rgba[..., :3] + (1 - rgba[..., 3:]) * (plate / full)) * full).astype(plate.dtype)
    same = (rebuilt == result) | ((rebuilt != rebuilt) & (result != result))
    off = np.abs(rebuilt[~same].astype(np.float64) - result[~same]).max(initial=0)
    print(name, rebuilt.dtype, "changed pixels:", int((plate != result).any(-1).sum()), "largest difference:", off)
    wrong += not same.all()
print("equal" if wrong == 0 else f"{wrong} frames differ")
sys.exit(wrong > 0)
