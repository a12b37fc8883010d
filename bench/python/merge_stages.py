"""The stages of a merge in NumPy and OpenCV, codecs by libav, in one process: prints seconds and processor seconds as JSON.

The usual chain at its defaults: learned-prd*learned-dst, averaged over past frames, blur 16, rct, overlay. Left out, to its
advantage: the network, keepBehind, reports, pictures of frames, and the care for pixels that did not change.

usage: merge_stages.py job.json out.mp4
"""

import json
import sys
import time

import av
import cv2
import numpy as np

UNIT = 256
GRID = 64


def matched(face, dst, weights, past):
    """Face with mean and deviation of each channel of CIE Lab as in dst, counted where the weights are, and the change."""
    own, to = cv2.cvtColor(face, cv2.COLOR_RGB2LAB), cv2.cvtColor(dst, cv2.COLOR_RGB2LAB)
    w = weights[..., None] / weights.sum()
    mean_own, mean_to = (w * own).sum((0, 1)), (w * to).sum((0, 1))
    std_own = np.sqrt((w * (own - mean_own) ** 2).sum((0, 1)))
    std_to = np.sqrt((w * (to - mean_to) ** 2).sum((0, 1)))
    now = np.stack([np.clip(std_to / np.maximum(std_own, 1e-3), 1 / 3, 3), mean_to - mean_own])
    change = now if past is None else past + 0.15 * (now - past)
    lab = ((own - mean_own) * change[0] + mean_own + change[1]).astype(np.float32)
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1), change


def main(job_path, out_path):
    with open(job_path) as file:
        job = json.load(file)
    side, size = job["resolution"], max(UNIT, job["resolution"])
    pixels = side * side
    swaps = np.fromfile(job["swaps"], np.float32).reshape(-1, 5 * pixels)
    source = av.open(job["clip"])
    stream = source.streams.video[0]
    stream.thread_type = "AUTO"
    result = av.open(out_path, "w")
    encoder = result.add_stream("libx264", rate=stream.average_rate, options={"crf": "16", "preset": "veryfast"})
    encoder.width, encoder.height, encoder.pix_fmt = stream.width, stream.height, "yuv420p"
    grid, change, count = None, None, 0
    began, processor = time.perf_counter(), time.process_time()
    for index, picture in enumerate(source.decode(stream)):
        if index == job["frames"]:
            break
        frame = picture.to_ndarray(format="rgb24")
        mat = job["mats"][index]
        if mat:
            to_crop = np.float64(mat).reshape(2, 3)
            dst = cv2.warpAffine(frame, to_crop, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            dst = dst.astype(np.float32) / 255
            swap = swaps[count % len(swaps)]
            count += 1
            face = swap[: 3 * pixels].reshape(side, side, 3)
            mask = (swap[3 * pixels : 4 * pixels] * swap[4 * pixels :]).reshape(side, side)
            mask = np.clip(cv2.resize(mask, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)
            now = cv2.resize(mask, (GRID, GRID), interpolation=cv2.INTER_AREA)
            grid = now if grid is None else grid + 0.15 * (now - grid)
            mask = np.clip(mask + cv2.resize(grid - now, (size, size), interpolation=cv2.INTER_LINEAR), 0, 1)
            mask = cv2.GaussianBlur(mask, (0, 0), 16 / 4.1 * size / UNIT)
            weights = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
            face, change = matched(face, dst, weights, change)
            back = cv2.invertAffineTransform(to_crop)
            corners = back @ np.float64([[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]])
            x0, y0 = np.maximum(0, np.floor(corners.min(1))).astype(int)
            x1, y1 = np.minimum(frame.shape[1::-1], np.ceil(corners.max(1))).astype(int)
            back[:, 2] -= (x0, y0)
            box = (int(x1 - x0), int(y1 - y0))
            mask_back = back.copy()
            mask_back[:, :2] *= side / size
            alpha = cv2.warpAffine(mask, mask_back, box, flags=cv2.INTER_LINEAR)[..., None]
            painted = cv2.warpAffine(face, back, box, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            under = frame[y0:y1, x0:x1].astype(np.float32)
            laid = under + alpha * (np.clip(painted, 0, 1) * 255 - under)
            frame[y0:y1, x0:x1] = (laid + 0.5).astype(np.uint8)
        merged = av.VideoFrame.from_ndarray(frame, format="rgb24")
        merged.pts, merged.time_base = picture.pts, picture.time_base
        result.mux(encoder.encode(merged))
    result.mux(encoder.encode(None))
    result.close()
    found = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - processor, "opencv": cv2.__version__}
    print(json.dumps(found))


main(sys.argv[1], sys.argv[2])
