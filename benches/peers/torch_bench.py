"""PyTorch's end of the pipe (serve.ts speaks the same): one JSON message a line."""

import gc
import json
import math
import os
import platform
import resource
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WARM_MS = 300
BRIEF_MS = 60
SAMPLE_MS = 4
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))


def wave(shape, scale, phase):
    index = np.arange(math.prod(shape), dtype=np.float64)
    return torch.from_numpy((np.sin(index * 12.9898 + phase) * scale).astype(np.float32)).reshape(shape)


def adam(params, variant, **options):
    return torch.optim.AdamW(params, lr=1e-3, fused=variant == "fused", foreach=variant == "foreach", **options)


def mul(case, _variant):
    x, g = wave((4, 4), 1, 0), torch.ones(4, 4)
    y = torch.tensor([1.0, -1.0] * 8).reshape(4, 4)
    if not case["grad"]:
        return dict(step=lambda: x * y)
    x.requires_grad_(True)

    def step():
        (x * y).backward(g)
        x.grad = None

    return dict(step=step)


def optimizer_step(case, variant):
    params = [nn.Parameter(wave(shape, 1, k)) for k, shape in enumerate(case["shapes"])]
    for k, param in enumerate(params):
        param.grad = wave(param.shape, 0.1, k + 0.5)
    if case["kind"] == "sgd":
        optimizer = torch.optim.SGD(params, lr=1e-3, momentum=0.9, fused=variant == "fused", foreach=variant == "foreach")
    else:
        optimizer = adam(params, variant, weight_decay=0.01)
    optimizer.step()
    if not case.get("guarded"):
        return dict(step=optimizer.step)
    scaler = torch.amp.GradScaler("cpu", init_scale=1.0, growth_factor=1.0 + 1e-9)
    scaler.scale(torch.ones(()))

    def step():
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(params, 1.0, foreach=True)
        scaler.step(optimizer)
        scaler.update()

    return dict(step=step)


def train(model, x, labels, variant):
    k = 0
    for name, param in model.named_parameters():
        with torch.no_grad():
            if param.dim() > 1:
                param.copy_(wave(param.shape, 1 / math.sqrt(param[0].numel()), k))
                k += 1
            else:
                param.fill_(0 if name.endswith("bias") else 1)
    optimizer = adam(model.parameters(), variant, weight_decay=0)

    def step():
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return dict(step=step, check=[step(), step(), step()])


def mlp(case, variant):
    sizes, batch = case["sizes"], case["batch"]
    layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())][:-1]
    return train(nn.Sequential(*layers), wave((batch, sizes[0]), 1, 0), torch.arange(batch) % 10, variant)


def convnet(case, variant):
    one, two, three = case["channels"]
    model = nn.Sequential(
        nn.Conv2d(one, two, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(two, three, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(three * 25, case["hidden"]), nn.ReLU(), nn.Linear(case["hidden"], 10))
    return train(model, wave((case["batch"], one, 28, 28), 1, 0), torch.arange(case["batch"]) % 10, variant)


class Block(nn.Module):
    def __init__(self, size, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(size), nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.norm2, self.up, self.down = nn.LayerNorm(size), nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

    def forward(self, x):
        batch, length, size = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, size // self.heads)
        q, k, v = (qkv.select(2, k).transpose(1, 2) for k in range(3))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, length, size))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, layers, size, heads, context, vocabulary):
        super().__init__()
        self.token, self.position = nn.Parameter(torch.zeros(vocabulary, size)), nn.Parameter(torch.zeros(context, size))
        self.blocks = nn.ModuleList(Block(size, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(size), nn.Linear(size, vocabulary)

    def forward(self, x):
        x = F.embedding(x, self.token) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)).flatten(0, 1)


def gpt(case, variant):
    model = Gpt(*(case[name] for name in ("layers", "size", "heads", "context", "vocabulary")))
    text = scattered(case["batch"] * case["context"], case["vocabulary"])
    return train(model, text.reshape(case["batch"], case["context"]), text.roll(-1), variant)


def scattered(length, below):
    index = np.arange(1, length + 1, dtype=np.uint64) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)
    return torch.from_numpy((index % np.uint64(below)).astype(np.int64))


def large(case, _variant):
    inputs = case["inputs"]
    made = {}
    for phase, name in enumerate("xywb"):
        if name in inputs:
            made[name] = wave(inputs[name], 1, phase).requires_grad_(case["grad"])
    if "i" in inputs:
        made["i"] = scattered(math.prod(inputs["i"]["shape"]), inputs["i"]["below"]).reshape(inputs["i"]["shape"])
    if "m" in inputs:
        made["m"] = wave(inputs["m"], 1, 4) > 0
    # Our own table of expressions, not input of anybody's.
    run = eval("lambda: " + case["torch"], dict(torch=torch, F=F, **made))
    if not case["grad"]:
        return dict(step=run)

    def step():
        run().sum().backward()
        for leaf in made.values():
            leaf.grad = None

    return dict(step=step)


def sample(step, repeat):
    start = time.perf_counter()
    for _ in range(repeat):
        step()
    return (time.perf_counter() - start) * 1e3


def serve(kinds):
    send(dict(name="torch", version=torch.__version__.split("+")[0], runtime=f"Python {platform.python_version()}",
       threads=torch.get_num_threads()))
    current, repeat = None, 1
    for line in sys.stdin:
        message = json.loads(line)
        try:
            if message["do"] == "open":
                current = kinds[message["case"]["kind"]](message["case"], message.get("variant"))
                repeat = 1
                end = time.perf_counter() + (BRIEF_MS if message["case"]["kind"] == "large" else WARM_MS) / 1e3
                while time.perf_counter() < end:
                    sample(current["step"], repeat)
                while sample(current["step"], repeat) < SAMPLE_MS:
                    repeat *= 2
                send(dict(check=current.get("check"), repeat=repeat))
            elif message["do"] == "time":
                samples, end = [], time.perf_counter() + message["ms"] / 1e3
                while not samples or time.perf_counter() < end:
                    samples.append(sample(current["step"], repeat) / repeat)
                send(dict(samples=samples))
            else:
                current = None
                gc.collect()
                send(dict(rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
        except Exception as error:  # the other side prints it and goes on
            send(dict(error=repr(error)))


def send(message):
    print(json.dumps(message), flush=True)


serve(dict(mul=mul, adamw=optimizer_step, sgd=optimizer_step, mlp=mlp, convnet=convnet, gpt=gpt, large=large))
