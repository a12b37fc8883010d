"""Golden files for the import of DeepFaceLab's models: tiny models as DeepFaceLab saves them (dictionaries of arrays, pickled,
named .npy), and what they paint by plain NumPy: channels first, BGR.

    pip install numpy && python scripts/golden/dfl_models.py packages/cli/test/golden/dfl

Made with numpy 2.4.6. Written from a description of DeepFaceLab's behaviour, not from its code.
"""

import json
import os
import pickle
import sys

import numpy as np

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = np.random.default_rng(7)


class Part:
    """The weights of one file, made when they are first asked for."""

    def __init__(self):
        self.weights = {}

    def get(self, name, *shape, spread=None):
        key = name + ":0"
        if key not in self.weights:
            fan_in = int(np.prod(shape[:-1])) if len(shape) > 1 else 4
            spread = spread or 1.5 / np.sqrt(fan_in)
            self.weights[key] = (np.round(rng.normal(0, spread, shape) * 256) / 256).astype(np.float32)
        return self.weights[key]

    def save(self, file):
        with open(os.path.join(out, file), "wb") as f:
            pickle.dump(self.weights, f, 4)


def conv(part, name, x, outputs, k, stride=1):
    """x [C, H, W], zeros k//2 on every side, weight [k, k, in, out]."""
    w, b = part.get(name + "/weight", k, k, x.shape[0], outputs), part.get(name + "/bias", outputs, spread=0.1)
    x = np.pad(x, [(0, 0), (k // 2, k // 2), (k // 2, k // 2)])
    n = (x.shape[1] - k) // stride + 1
    y = np.zeros((outputs, n, n))
    for i in range(k):
        for j in range(k):
            y += np.einsum("chw,co->ohw", x[:, i : i + n * stride : stride, j : j + n * stride : stride][:, :n, :n], w[i, j])
    return y + b[:, None, None]


def dense(part, name, x, outputs):
    return x @ part.get(name + "/weight", x.shape[0], outputs) + part.get(name + "/bias", outputs, spread=0.1)


def leaky(x, slope=0.1):
    return np.where(x > 0, x, slope * x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def depth_to_space(x):
    """Channel (row * 2 + column) * C + c is channel c of pixel (row, column)."""
    c, h, w = x.shape[0] // 4, x.shape[1], x.shape[2]
    return x.reshape(2, 2, c, h, w).transpose(2, 3, 0, 4, 1).reshape(c, 2 * h, 2 * w)


def up(part, name, x, outputs):
    return depth_to_space(leaky(conv(part, name + "/conv1", x, 4 * outputs, 3)))


def res(part, name, x):
    y = leaky(conv(part, name + "/conv1", x, x.shape[0], 3), 0.2)
    return leaky(x + conv(part, name + "/conv2", y, x.shape[0], 3), 0.2)


def norm(x):
    return x / np.sqrt(np.mean(x**2) + 1e-6)


def encoder(part, x, e, deep):
    if deep:
        for i, width in enumerate([e, 2 * e, 4 * e, 8 * e, 8 * e]):
            x = leaky(conv(part, f"down{i + 1}/conv1", x, width, 5, 2))
            if i in (0, 4):
                x = res(part, f"res{i + 1}", x)
    else:
        for i, width in enumerate([e, 2 * e, 4 * e, 8 * e]):
            x = leaky(conv(part, f"down1/downs_{i}/conv1", x, width, 5, 2))
    return norm(x.flatten())


def inter(part, code, a, side, outputs, deep):
    x = dense(part, "dense2", dense(part, "dense1", code, a), side * side * outputs).reshape(outputs, side, side)
    return x if deep else up(part, "upscale1", x, outputs)


def decoder(part, z, d, m, deep):
    x = z
    for i, width in enumerate([8 * d, 8 * d, 4 * d, 2 * d] if deep else [8 * d, 4 * d, 2 * d]):
        x = res(part, f"res{i}", up(part, f"upscale{i}", x, width))
    heads = [conv(part, f"out_conv{i or ''}", x, 3, 1 if i == 0 else 3) for i in range(4)]
    mask = z
    for i, width in enumerate([8 * m, 8 * m, 4 * m, 2 * m, m] if deep else [8 * m, 4 * m, 2 * m, m]):
        mask = up(part, f"upscalem{i}", mask, width)
    return sigmoid(depth_to_space(np.concatenate(heads))), sigmoid(conv(part, "out_convm", mask, 1, 1))


def saved(name, parts, options, painted):
    for part, weights in parts.items():
        weights.save(f"{name}_{part}.npy")
    data = {"iter": 1234, "options": options, "loss_history": [[0.5, 0.25]] * 3, "sample_for_preview": None, "choosed_gpu_indexes": [0]}
    with open(os.path.join(out, f"{name}_data.dat"), "wb") as f:
        pickle.dump(data, f, 4)
    golden[name] = {key: [round(float(v), 5) for v in np.moveaxis(value, 0, -1)[::STEP, ::STEP].ravel()] for key, value in painted.items()}


STEP = 9
golden = {}
E, A, D, M, R = 2, 4, 1, 1, 64
dims = {"resolution": R, "ae_dims": A, "e_dims": E, "d_dims": D, "d_mask_dims": M}


def pattern(side):
    """An image that the test makes, too: [3, side, side], channels in the order B, G, R."""
    c, y, x = np.meshgrid(np.arange(3), np.arange(side), np.arange(side), indexing="ij")
    return ((7 * x + 13 * y + 29 * c + x * y) % 64) / 64


bgr = pattern(R)

# DF-UD
parts = {name: Part() for name in ("encoder", "inter", "decoder_src", "decoder_dst")}
z = inter(parts["inter"], encoder(parts["encoder"], bgr, E, False), A, R // 32, A, False)
(swap, swap_mask), (dst, dst_mask) = [decoder(parts[f"decoder_{side}"], z, D, M, False) for side in ("src", "dst")]
saved("one_SAEHD", parts, {**dims, "archi": "df-ud", "face_type": "wf"}, {"swap": swap, "swap_mask": swap_mask, "dst_mask": dst_mask})

# LIAE-UDT
parts = {name: Part() for name in ("encoder", "inter_AB", "inter_B", "decoder")}
code = encoder(parts["encoder"], bgr, E, True)
ab, b = [inter(parts[name], code, A, R // 32, 2 * A, True) for name in ("inter_AB", "inter_B")]
swap, swap_mask = decoder(parts["decoder"], np.concatenate([ab, ab]), D, M, True)
_, dst_mask = decoder(parts["decoder"], np.concatenate([b, ab]), D, M, True)
saved("two_SAEHD", parts, {**dims, "archi": "liae-udt", "face_type": "head"}, {"swap": swap, "swap_mask": swap_mask, "dst_mask": dst_mask})

# AMP at morph 0.5
I = 8
parts = {name: Part() for name in ("encoder", "inter_src", "inter_dst", "decoder")}
code = dense(parts["encoder"], "dense1", encoder(parts["encoder"], bgr, E, True), A)
src, dst = [dense(parts[name], "dense2", code, (R // 32) ** 2 * I).reshape(I, R // 32, R // 32) for name in ("inter_src", "inter_dst")]
swap, swap_mask = decoder(parts["decoder"], np.concatenate([src[: I // 2], dst[I // 2 :]]), D, M, True)
_, dst_mask = decoder(parts["decoder"], dst, D, M, True)
saved("three_AMP", parts, {**dims, "inter_dims": I, "morph_factor": 0.5, "face_type": "f"}, {"swap": swap, "swap_mask": swap_mask, "dst_mask": dst_mask})


# XSeg
def block(part, name, x, outputs, plain=False):
    y = conv(part, name + "/conv", x, outputs, 3)
    return frn(part, name, y)


def frn(part, name, y):
    c = y.shape[0]
    eps = np.abs(part.get(name + "/frn/eps", 1, spread=1e-2))
    y = y / np.sqrt(np.mean(y**2, axis=(1, 2), keepdims=True) + eps)
    y = part.get(name + "/frn/weight", c, spread=1)[:, None, None] * y + part.get(name + "/frn/bias", c, spread=0.1)[:, None, None]
    return np.maximum(y, part.get(name + "/tlu/tau", c, spread=0.1)[:, None, None])


def blur_pool(x, taps):
    line = np.array([1.0])
    while len(line) < taps:
        line = np.convolve(line, [1, 1])
    kernel = np.outer(line, line) / 4 ** (taps - 1)
    before = (taps - 1) // 2
    x = np.pad(x, [(0, 0), (before, taps - 1 - before), (before, taps - 1 - before)])
    n = (x.shape[1] - taps) // 2 + 1
    return sum(kernel[i, j] * x[:, i : i + 2 * n : 2, j : j + 2 * n : 2][:, :n, :n] for i in range(taps) for j in range(taps))


def double(part, name, x, outputs):
    """TensorFlow's transposed convolution of 3x3 and stride 2, padding SAME; weight [3, 3, out, in]."""
    w, b = part.get(name + "/conv/weight", 3, 3, outputs, x.shape[0]), part.get(name + "/conv/bias", outputs, spread=0.1)
    n = x.shape[1]
    y = np.zeros((outputs, 2 * n + 1, 2 * n + 1))
    for i in range(3):
        for j in range(3):
            y[:, i : i + 2 * n : 2, j : j + 2 * n : 2] += np.einsum("chw,oc->ohw", x, w[i, j])
    return frn(part, name, y[:, : 2 * n, : 2 * n] + b[:, None, None])


S = 128
part = Part()
image = pattern(S)
x, beside = image, []
for level, (width, convs, taps) in enumerate([(1, 2, 4), (2, 2, 3), (4, 2, 2), (8, 3, 2), (8, 3, 2), (8, 3, 2)]):
    for i in range(convs):
        x = block(part, f"conv{level}{i + 1}", x, width)
    beside.append(x)
    x = blur_pool(x, taps)
x = dense(part, "dense2", dense(part, "dense1", x.flatten(), 16), 32).reshape(8, 2, 2)
for level, (up_width, width, convs) in zip(range(5, -1, -1), [(4, 8, 3), (4, 8, 3), (4, 8, 3), (4, 4, 2), (2, 2, 2), (1, 1, 2)]):
    x = np.concatenate([double(part, f"up{level}", x, up_width), beside.pop()])
    for i in range(convs):
        x = block(part, f"uconv{level}{convs - i}", x, width)
mask = sigmoid(conv(part, "out_conv", x, 1, 3))
part.save("XSeg_128.npy")
golden["XSeg"] = {"mask": [round(float(v), 5) for v in np.moveaxis(mask, 0, -1)[::STEP, ::STEP].ravel()]}

with open(os.path.join(out, "golden.json"), "w") as f:
    json.dump(golden, f)
print({name: sorted(value) for name, value in golden.items() if isinstance(value, dict)})
