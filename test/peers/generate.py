"""Reverse-mode hypergradients by PyTorch, in float64, as small JSON files for the tests.

Run with Debian's python3-torch and python3-numpy:  /usr/bin/python3 test/peers/generate.py && npx prettier --write test/fixtures/torch
Writes test/fixtures/torch/<case>.json: inputs, hyperparameters, the follower's last weights, the value and the gradient.
"""
import json
import platform
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
folder = Path(__file__).resolve().parent.parent / "fixtures" / "torch"


def gradient_descent(rate):
    """A step of gradient descent as a follower's dynamics; no memory."""
    return lambda w, g, memory, lam: ([p - rate * q for p, q in zip(w, g)], memory)


def heavy_ball(rate, mu):
    def step(w, g, memory, lam):
        memory = [mu * m + q for m, q in zip(memory or [torch.zeros_like(p) for p in w], g)]
        return [p - rate * m for p, m in zip(w, memory)], memory
    return step


def unrolled(inner, outer, w, lam, steps, dynamics):
    """value, last weights and hypergradient of `steps` steps; every argument a list of tensors."""
    w = [p.detach().requires_grad_() for p in w]
    lam = [l.detach().requires_grad_() for l in lam]
    memory = None
    for _ in range(steps):
        g = torch.autograd.grad(inner(w, lam), w, create_graph=True)
        w, memory = dynamics(w, g, memory, lam)
    value = outer(w, lam)
    return value, w, torch.autograd.grad(value, lam)


def write(case, data, w, lam, inner, outer, steps, dynamics, settings):
    value, answer, gradient = unrolled(inner, outer, w, lam, steps, dynamics)
    plain = lambda tensors: [t.detach().tolist() for t in tensors]
    record = {
        "case": case,
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__},
        "steps": steps, **settings,
        "data": {name: t.tolist() for name, t in data.items()},
        "w": plain(w), "lambda": plain(lam),
        "value": value.item(), "answer": plain(answer), "gradient": plain(gradient),
    }
    (folder / f"{case}.json").write_text(json.dumps(record) + "\n")


def logistic(case, dynamics, settings, n=20, d=6, steps=50):
    """Logistic regression, one L2 coefficient per feature."""
    X, Xv = torch.randn(n, d), torch.randn(n, d)
    y, yv = torch.randn(n).sign(), torch.randn(n).sign()
    inner = lambda w, l: F.softplus(-(X @ w[0]) * y).mean() + 0.5 / d * (l[0].exp() * w[0] ** 2).sum()
    outer = lambda w, l: F.softplus(-(Xv @ w[0]) * yv).mean()
    data = {"x": X, "y": y, "xv": Xv, "yv": yv}
    write(case, data, [torch.zeros(d)], [torch.randn(d)], inner, outer, steps, dynamics, settings)


def cleaning(n=20, d=6, classes=3, steps=40):
    """Softmax regression, one weight per example."""
    X, Xv = torch.rand(n, d), torch.rand(n, d)
    y, yv = torch.randint(classes, (n,)), torch.randint(classes, (n,))
    inner = lambda w, l: (torch.sigmoid(l[0]) * F.cross_entropy(X @ w[0] + w[1], y, reduction="none")).mean()
    outer = lambda w, l: F.cross_entropy(Xv @ w[0] + w[1], yv)
    data = {"x": X, "y": y, "xv": Xv, "yv": yv}
    w, lam = [torch.zeros(d, classes), torch.zeros(classes)], [torch.randn(n)]
    write("cleaning", data, w, lam, inner, outer, steps, gradient_descent(0.1), {"learningRate": 0.1})


def mlp(n=20, d=6, hidden=5, classes=3, steps=20):
    """A ReLU network with one hidden layer, one L2 coefficient per layer."""
    X, Xv = torch.rand(n, d), torch.rand(n, d)
    y, yv = torch.randint(classes, (n,)), torch.randint(classes, (n,))
    net = lambda w, x: F.relu(x @ w[0] + w[1]) @ w[2] + w[3]
    penalty = lambda w, l: 1e-2 * (l[0].exp() * (w[0] ** 2).sum() + l[1].exp() * (w[2] ** 2).sum())
    inner = lambda w, l: F.cross_entropy(net(w, X), y) + penalty(w, l)
    outer = lambda w, l: F.cross_entropy(net(w, Xv), yv)
    data = {"x": X, "y": y, "xv": Xv, "yv": yv}
    w = [0.5 * torch.randn(d, hidden), torch.zeros(hidden), 0.5 * torch.randn(hidden, classes), torch.zeros(classes)]
    lam = [torch.tensor(0.3), torch.tensor(-0.2)]
    write("mlp", data, w, lam, inner, outer, steps, gradient_descent(0.3), {"learningRate": 0.3})


folder.mkdir(parents=True, exist_ok=True)
logistic("logistic", gradient_descent(0.5), {"learningRate": 0.5})
logistic("logistic-momentum", heavy_ball(0.2, 0.8), {"learningRate": 0.2, "momentum": 0.8})
cleaning()
mlp()
