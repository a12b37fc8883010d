"""The train step of DF and LIAE in PyTorch, for comparison with the same step in TypeScript.

    python train_step.py case.json tensors.safetensors

The case says which network, losses and optimiser; the file holds first weights and one batch, in the layouts of the
TypeScript side: kernels [k, k, in, out], pictures [N, H, W, C]. Prints one line of JSON when ready, then answers each
line {"steps": n} of stdin with {"ms": [...], "losses": [...], "peakMegabytes": m}. Ends with stdin.

Runs on PyTorch 2.x and 1.13; compared on 2.15.
"""

import json
import math
import platform
import sys
import time

import torch
import torch.nn.functional as F


def read_safetensors(path):
    """All float32 tensors of the file. https://github.com/huggingface/safetensors#format"""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (offset // 4 for offset in entry["data_offsets"])
        tensors[name] = data[begin:end].reshape(entry["shape"]).clone()
    return tensors


def parameter_of(path, tensor, maps):
    """A parameter in PyTorch's own layout. `maps`: the two dense layers' maps as [side, side, channels]."""
    doubling = "/up" in path or "/mask_up" in path
    if doubling:
        # Channel (row * 2 + column) * C + c there, c * 4 + row * 2 + column here, as pixel_shuffle wants it.
        tensor = tensor.reshape(*tensor.shape[:-1], 4, tensor.shape[-1] // 4).transpose(-1, -2).flatten(-2)
    if path.endswith("/dense1/weight"):
        tensor = tensor.reshape(*maps["code"], -1).permute(2, 0, 1, 3).flatten(0, 2)
    if path.endswith("/dense2/weight"):
        tensor = tensor.reshape(-1, *maps["inter"]).permute(0, 3, 1, 2).flatten(1)
    if path.endswith("/dense2/bias"):
        tensor = tensor.reshape(maps["inter"]).permute(2, 0, 1).flatten()
    if tensor.dim() == 4:
        tensor = tensor.permute(3, 2, 0, 1)
    if tensor.dim() == 2:
        tensor = tensor.t()
    return tensor.contiguous().requires_grad_()


class Df:
    """One encoder and one inter for both people, a decoder for each."""

    inter_width = 1

    def __init__(self, options, tensors):
        self.pixel_norm, self.subpixel = options["pixelNorm"], options["subpixel"]
        if options["deep"] or options["cosine"]:
            sys.exit("Expected a network without `deep` and `cosine`, which this script does not have.")
        seen = options.get("encoderResolution") or options["resolution"]
        self.shrink = options["resolution"] // seen
        self.levels = 3 + int(math.log2(self.shrink))
        side = seen // 16
        self.inter = (self.inter_width * options["aeDims"], side // 2 if self.subpixel else side)
        maps = {
            "code": (side, side, 8 * options["eDims"]),
            "inter": (self.inter[1], self.inter[1], self.inter[0]),
        }
        self.params = {path: parameter_of(path, tensor, maps) for path, tensor in tensors.items()}

    def conv(self, path, x, stride=1):
        weight = self.params[path + "/weight"]
        return F.conv2d(x, weight, self.params[path + "/bias"], stride, weight.shape[2] // 2)

    def up(self, path, x):
        return F.pixel_shuffle(F.leaky_relu(self.conv(path + "/conv", x), 0.1), 2)

    def res(self, path, x):
        inside = F.leaky_relu(self.conv(path + "/conv1", x), 0.2)
        return F.leaky_relu(self.conv(path + "/conv2", inside) + x, 0.2)

    def encode(self, x):
        if self.shrink > 1:
            x = F.avg_pool2d(x, self.shrink)
        for level in range(1, 5):
            x = F.leaky_relu(self.conv(f"encoder/down{level}/conv", x, 2), 0.1)
        x = x.flatten(1)
        if self.pixel_norm:
            x = x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6)
        return x

    def through(self, name, x):
        for layer in ("dense1", "dense2"):
            x = F.linear(x, self.params[f"{name}/{layer}/weight"], self.params[f"{name}/{layer}/bias"])
        channels, side = self.inter
        return self.up(name + "/up1", x.view(-1, channels, side, side))

    def paint(self, both):
        """Faces and masks of both people, from their pictures one behind the other."""
        codes = self.through("inter", self.encode(both)).chunk(2)
        return [self.decode(code, "decoder_" + side) for code, side in zip(codes, ("src", "dst"))]

    def decode(self, code, decoder):
        face = mask = code
        for level in range(1, self.levels + 1):
            face = self.res(f"{decoder}/res{level}", self.up(f"{decoder}/up{level}", face))
        for level in range(1, self.levels + (2 if self.subpixel else 1)):
            mask = self.up(f"{decoder}/mask_up{level}", mask)
        painted = self.heads(decoder, face) if self.subpixel else self.conv(decoder + "/out", face)
        return torch.sigmoid(painted), torch.sigmoid(self.conv(decoder + "/mask_out", mask))

    def heads(self, decoder, face):
        """The four convolutions of the last doubling as one, as on the other side; the kernel of one pixel amid zeros."""
        names = [decoder + "/out"] + [f"{decoder}/out{i}" for i in (1, 2, 3)]
        weights = [self.params[name + "/weight"] for name in names]
        weights[0] = F.pad(weights[0], (1, 1, 1, 1))
        weight = torch.stack(weights, 1).flatten(0, 1)
        bias = torch.stack([self.params[name + "/bias"] for name in names], 1).flatten()
        return F.pixel_shuffle(F.conv2d(face, weight, bias, 1, 1), 2)


class Liae(Df):
    """Two inters and one decoder for both people. SRC's code is AB twice, DST's B beside AB."""

    inter_width = 2

    def paint(self, both):
        features = self.encode(both)
        src, dst = self.through("inter_ab", features).chunk(2)
        own = self.through("inter_b", features.chunk(2)[1])
        codes = torch.cat([torch.cat([src, src], 1), torch.cat([own, dst], 1)])
        face, mask = self.decode(codes, "decoder")
        return list(zip(face.chunk(2), mask.chunk(2)))


def band(size, window, sigma, inside):
    """[size, out]: a Gaussian blur of a line as a product, where the window lies inside, or everywhere with zeros around."""
    half = (window - 1) / 2
    weights = torch.tensor([math.exp(-((i - half) ** 2) / (2 * sigma**2)) for i in range(window)])
    weights /= weights.sum()
    first = 0 if inside else -(window // 2)
    matrix = torch.zeros(size, size - window + 1 if inside else size)
    for out in range(matrix.shape[1]):
        for i, weight in enumerate(weights):
            if 0 <= out + first + i < size:
                matrix[out + first + i, out] = weight
    return matrix


def blur(x, matrix):
    """Both directions of a blur of [N, C, H, W]. Ten times as fast as a depthwise convolution, forward and backward."""
    return matrix.t() @ (x @ matrix)


def dssim(a, b, matrix):
    """(1 - SSIM) / 2 of each sample. Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861"""
    mean_a = blur(a, matrix)  # of the target: nothing is differentiated through it
    mean_b, mean_of_squares, both = blur(torch.cat([b, a * a + b * b, a * b]), matrix).chunk(3)
    product, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    luminance = (2 * product + 0.01**2) / (squares + 0.01**2)
    structure = (2 * (both - product) + 0.03**2) / (mean_of_squares - squares + 0.03**2)
    return (1 - (luminance * structure).mean((1, 2, 3))) / 2


def mse(a, b):
    return (a - b).square().mean((1, 2, 3))


def side_loss(case, face, mask, batch, blurs):
    """The loss of one side: masked MSE of face and mask, with DSSIM of the face or without."""
    target, where = batch["target"], batch["mask"]
    if case["loss"] == "mse":
        return (10 * mse(face * where, target * where) + 10 * mse(mask, where)).mean()
    soft, window = blurs
    inside = 2 * blur(where, soft).clamp(max=0.5)
    outside = mse(target * (1 - inside), face * (1 - inside))
    face, target = face * inside, target * inside
    return (10 * dssim(target, face, window) + 10 * mse(target, face) + outside + 10 * mse(where, mask)).mean()


class RmsProp:
    """torch.optim.RMSprop with the TypeScript side's constants."""

    def __init__(self, params, rate):
        self.optimiser = torch.optim.RMSprop(params, lr=rate, alpha=0.9, eps=1e-6)

    def step(self):
        self.optimiser.step()


class AdaBelief:
    """AdaBelief without bias correction, all parameters at once. Zhuang et al. 2020, https://arxiv.org/abs/2010.07468"""

    def __init__(self, params, rate):
        self.params, self.rate = params, rate
        self.m = [torch.zeros_like(p) for p in params]
        self.s = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self):
        surprise = torch._foreach_sub([p.grad for p in self.params], self.m)
        torch._foreach_add_(self.m, surprise, alpha=0.1)
        torch._foreach_mul_(self.s, 0.999)
        torch._foreach_addcmul_(self.s, surprise, surprise, value=0.001 * 0.81)
        divisor = torch._foreach_sqrt(self.s)
        torch._foreach_add_(divisor, 1e-6)
        torch._foreach_addcdiv_(self.params, self.m, divisor, value=-self.rate)


def peak_megabytes():
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main():
    with open(sys.argv[1]) as file:
        case = json.load(file)
    torch.set_num_threads(case["threads"])
    tensors = read_safetensors(sys.argv[2])
    batch = {side: {} for side in ("src", "dst")}
    for name in [name for name in tensors if name.startswith("batch/")]:
        _, side, part = name.split("/")
        batch[side][part] = tensors.pop(name).permute(0, 3, 1, 2).contiguous()
    net = {"df": Df, "liae": Liae}[case["architecture"]](case["network"], tensors)
    params = list(net.params.values())
    optimiser = {"rmsprop": RmsProp, "adabelief": AdaBelief}[case["optimiser"]](params, case["learningRate"])
    resolution = case["network"]["resolution"]
    sigma = max(1, resolution // 32)
    window = max(3, int(resolution / 11.6))
    blurs = band(resolution, 4 * sigma + 1, sigma, False), band(resolution, window, 1.5, True)
    both = torch.cat([batch["src"]["warped"], batch["dst"]["warped"]])

    def step():
        painted = zip(net.paint(both), ("src", "dst"))
        loss = sum(side_loss(case, *images, batch[side], blurs) for images, side in painted)
        for param in params:
            param.grad = None
        loss.backward()
        optimiser.step()
        return loss.item()

    versions = {"torch": torch.__version__, "python": platform.python_version()}
    print(json.dumps({"ready": True, "versions": versions}), flush=True)
    for line in sys.stdin:
        times, losses = [], []
        for _ in range(json.loads(line)["steps"]):
            began = time.perf_counter()
            losses.append(step())
            times.append((time.perf_counter() - began) * 1000)
        print(json.dumps({"ms": times, "losses": losses, "peakMegabytes": peak_megabytes()}), flush=True)


main()
