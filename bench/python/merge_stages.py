"""The stages of a merge in NumPy and OpenCV, codecs by libav, in one process: prints seconds and processor seconds as JSON.

The usual chain at its defaults: learned-prd*learned-dst, averaged over past frames, blur 16, keepBehind, rct, overlay. Left out,
to its advantage: the network, reports, pictures of frames, and the care for pixels that did not change.

With `whole` in the job faces are laid into whole frames, as is usual and shortest to write; otherwise into the box around the
face, as a patient programmer does.

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
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
HEAD, BESIDE = 0.95, 0.05
BEHIND, BEFORE = 0.3, 0.7


def rise(value, low, high):
    """0 up to low, 1 from high, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def near(cells):
    """Means over the neighbourhood of each cell."""
    return cv2.GaussianBlur(cells, (0, 0), 3, borderType=cv2.BORDER_CONSTANT)


def dot(a, b):
    """Products of the colours of two pictures; a sum over the last axis would take several times as long."""
    return np.einsum("...c,...c->...", a, b)


def grown(cells, size):
    return cv2.resize(cells, (size, size), interpolation=cv2.INTER_LINEAR)


def without_behind(mask, dst, frame, to_crop):
    """The mask taken back where it reaches past the head and over what is behind: what keepBehind of @dfl/merge does."""
    size = len(mask)
    small_mask = cv2.resize(mask, (GRID, GRID), interpolation=cv2.INTER_AREA)
    small_dst = cv2.resize(dst, (GRID, GRID), interpolation=cv2.INTER_AREA)

    def colours(chosen):
        weight = near(chosen.astype(np.float32))
        return near(small_dst * chosen[..., None]) / np.maximum(weight, 1e-4)[..., None], weight

    (head, head_near), (beside, beside_near) = colours(small_mask >= HEAD), colours(small_mask <= BESIDE)
    sure = rise(np.minimum(head_near, beside_near), 0.005, 0.02)
    sure *= rise(np.sqrt(dot(head - beside, head - beside)), 0.05, 0.12)
    inside = small_dst[small_mask >= HEAD]
    own = inside[:: max(1, len(inside) // 96)]
    known = sure > 0
    apart = beside[known][:, None] - own
    sure[known] *= 1 - rise((dot(apart, apart) < 0.08**2).mean(-1), 0.02, 0.06)
    if not sure.any():
        return mask
    to_mask = np.float64(to_crop) * size / len(dst)
    to_mask[:, 2] += (size / len(dst) - 1) / 2
    seen = cv2.warpAffine(frame, to_mask, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ground = grown(beside, size)
    step, off = grown(head, size) - ground, seen.astype(np.float32) / 255 - ground
    length = 1e-6 + dot(step, step)
    like = 1 - rise(np.sqrt(dot(off, off) / length), BEHIND, BEFORE)
    band = (mask > BESIDE) & (mask < HEAD)
    way = dot(off, step) / length
    cells = [cv2.resize(np.float32(some), (GRID, GRID), interpolation=cv2.INTER_AREA)
             for some in (band & (way > BEHIND) & (way < BEFORE), band)]
    sure *= 1 - rise(near(cells[0]) / np.maximum(near(cells[1]), 1e-4), 0.2, 0.35)
    like = np.where(mask > 0, like * grown(sure, size), 0).astype(np.float32)
    # What leads out of the mask: grown from beside it, never above the likeness, until nothing changes.
    x, y, width, height = cv2.boundingRect(np.uint8(like > 0))
    part = np.s_[max(0, y - 1) : y + height + 1, max(0, x - 1) : x + width + 1]
    outside = mask[part] <= BESIDE
    limit = np.where(outside, 1, like[part]).astype(np.float32)
    out = outside.astype(np.float32)
    while True:
        further = np.minimum(cv2.dilate(out, CROSS), limit)
        if np.array_equal(further, out):
            break
        out = further
    kept = mask.copy()
    kept[part] *= 1 - np.where(outside, like[part], out)
    return kept


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
            mask = without_behind(mask, dst, frame, to_crop)
            weights = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
            face, change = matched(face, dst, weights, change)
            back = cv2.invertAffineTransform(to_crop)
            corners = back @ np.float64([[0, side, 0, side], [0, 0, side, side], [1, 1, 1, 1]])
            x0, y0 = np.maximum(0, np.floor(corners.min(1))).astype(int)
            x1, y1 = np.minimum(frame.shape[1::-1], np.ceil(corners.max(1))).astype(int)
            if job["whole"]:
                x0, y0, (x1, y1) = 0, 0, frame.shape[1::-1]
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


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
