"""Reverse-mode hypergradients by PyTorch in float32, at full size: inputs and answers as raw files.

Usage: /usr/bin/python3 test/peers/full_size.py FOLDER
Writes FOLDER/cases.json and one little-endian file per array (float32; labels int32).
"""
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(0)
folder = Path(sys.argv[1])
cases = []


def save(name, value):
    array = value.detach().numpy()
    if array.dtype.kind == "i":
        array = array.astype("int32")
    array.tofile(folder / f"{name}.bin")
    return {"file": f"{name}.bin", "shape": list(array.shape), "dtype": str(array.dtype)}


def write(case, data, w0, lam, inner, outer, steps, rate):
    w = [p.clone().requires_grad_() for p in w0]
    lam = lam.requires_grad_()
    for _ in range(steps):
        g = torch.autograd.grad(inner(w, lam), w, create_graph=True)
        w = [p - rate * q for p, q in zip(w, g)]
    value = outer(w)
    (gradient,) = torch.autograd.grad(value, [lam])
    arrays = {name: save(f"{case}-{name}", t) for name, t in data.items()}
    cases.append({
        "case": case, "steps": steps, "rate": rate, "value": value.item(), "data": arrays,
        "w": [save(f"{case}-w{k}", p) for k, p in enumerate(w0)],
        "lambda": save(f"{case}-lambda", lam), "gradient": save(f"{case}-gradient", gradient),
    })


def logistic(case, n, d, steps):
    x, xv = torch.randn(n, d), torch.randn(n, d)
    y, yv = torch.randn(n).sign(), torch.randn(n).sign()
    inner = lambda w, l: F.softplus(-(x @ w[0]) * y).mean() + 0.5 / d * (l.exp() * w[0] ** 2).sum()
    outer = lambda w: F.softplus(-(xv @ w[0]) * yv).mean()
    write(case, {"x": x, "y": y, "xv": xv, "yv": yv}, [torch.zeros(d)], torch.randn(d), inner, outer, steps, 0.5)


def cleaning(n=2000, steps=100):
    x, xv = torch.rand(n, 784), torch.rand(n, 784)
    y, yv = torch.randint(10, (n,)), torch.randint(10, (n,))
    inner = lambda w, l: (torch.sigmoid(l) * F.cross_entropy(x @ w[0] + w[1], y, reduction="none")).mean()
    outer = lambda w: F.cross_entropy(xv @ w[0] + w[1], yv)
    data = {"x": x, "y": y, "xv": xv, "yv": yv}
    write("cleaning", data, [torch.zeros(784, 10), torch.zeros(10)], torch.zeros(n), inner, outer, steps, 0.1)


def mlp(n=128, steps=20):
    x, xv = torch.rand(n, 784), torch.rand(n, 784)
    y, yv = torch.randint(10, (n,)), torch.randint(10, (n,))
    net = lambda w, x: F.relu(x @ w[0] + w[1]) @ w[2] + w[3]
    penalty = lambda w, l: 1e-3 * (l[0].exp() * (w[0] ** 2).sum() + l[1].exp() * (w[2] ** 2).sum())
    inner = lambda w, l: F.cross_entropy(net(w, x), y) + penalty(w, l)
    outer = lambda w: F.cross_entropy(net(w, xv), yv)
    w0 = [0.05 * torch.randn(784, 128), torch.zeros(128), 0.05 * torch.randn(128, 10), torch.zeros(10)]
    write("mlp", {"x": x, "y": y, "xv": xv, "yv": yv}, w0, torch.zeros(2), inner, outer, steps, 0.1)


logistic("rhg-small", 200, 60, 100)
logistic("rhg-long", 200, 60, 1000)
logistic("rhg-medium", 2000, 500, 100)
cleaning()
mlp()
(folder / "cases.json").write_text(json.dumps(cases))
