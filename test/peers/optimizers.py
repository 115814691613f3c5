"""Paths of PyTorch's optimizers under given gradients, in float64, as a small JSON file for the tests.

Run with Debian's python3-torch:  /usr/bin/python3 test/peers/optimizers.py && npx prettier --write test/fixtures/torch
"""
import json
import platform
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)
gradients = [0.5, -2.0, 0.0, 1e-3, 3.0, -0.25]

cases = {
    "sgd": (torch.optim.SGD, dict(lr=0.1)),
    "sgd weight decay": (torch.optim.SGD, dict(lr=0.1, weight_decay=0.3)),
    "sgd momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9)),
    "sgd momentum, weight decay, dampening": (
        torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.3, dampening=0.4)),
    "sgd nesterov": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.3, nesterov=True)),
    "adamW": (torch.optim.AdamW, dict(lr=0.1)),
    "adamW weight decay": (torch.optim.AdamW, dict(lr=0.1, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.3)),
}


def path(make, options):
    w = torch.tensor([1.0], requires_grad=True)
    optimizer = make([w], **options)
    visited = []
    for g in gradients:
        w.grad = torch.tensor([g])
        optimizer.step()
        visited.append(w.item())
    return visited


record = {
    "versions": {"python": platform.python_version(), "torch": torch.__version__},
    "gradients": gradients,
    "paths": {name: path(*case) for name, case in cases.items()},
}
file = Path(__file__).resolve().parent.parent / "fixtures" / "torch" / "optimizers.json"
file.write_text(json.dumps(record) + "\n")
