"""Hypergradients of one task in PyTorch: reverse mode through unrolled gradient descent, and implicit differentiation.

A case is a function of its inputs (tensors by name) and its number of inner steps (or linear-system steps) that returns
the work to be timed, a callable that gives the list of hypergradients.
"""
import torch
import torch.nn.functional as F


def unrolled(inner, outer, w0, lam, steps, rate):
    lam = [p.clone().requires_grad_() for p in lam]

    def work():
        w = [p.clone().requires_grad_() for p in w0]
        for _ in range(steps):
            gradient = torch.autograd.grad(inner(w, lam), w, create_graph=True)
            w = [p - rate * g for p, g in zip(w, gradient)]
        return torch.autograd.grad(outer(w), lam)

    return work


def logistic_losses(data):
    features = data["x"].shape[1]
    loss = lambda w, x, y: F.softplus(-(x @ w[0]) * y).mean()
    penalty = lambda w, l: 0.5 / features * (l[0].exp() * w[0] ** 2).sum()
    inner = lambda w, l: loss(w, data["x"], data["y"]) + penalty(w, l)
    outer = lambda w: loss(w, data["xv"], data["yv"])
    return inner, outer


def logistic(data, steps):
    return unrolled(*logistic_losses(data), [data["w0"]], [data["lambda0"]], steps, 0.5)


def cleaning(data, steps):
    logits = lambda w, x: x @ w[0] + w[1]
    losses = lambda w: F.cross_entropy(logits(w, data["x"]), data["y"], reduction="none")
    inner = lambda w, l: (torch.sigmoid(l[0]) * losses(w)).mean()
    outer = lambda w: F.cross_entropy(logits(w, data["xv"]), data["yv"])
    return unrolled(inner, outer, [data["w0"], data["w1"]], [data["lambda0"]], steps, 0.1)


def mlp(data, steps):
    network = lambda w, x: F.relu(x @ w[0] + w[1]) @ w[2] + w[3]
    penalty = lambda w, l: l[0][0].exp() * (w[0] ** 2).sum() + l[0][1].exp() * (w[2] ** 2).sum()
    inner = lambda w, l: F.cross_entropy(network(w, data["x"]), data["y"]) + 1e-3 * penalty(w, l)
    outer = lambda w: F.cross_entropy(network(w, data["xv"]), data["yv"])
    return unrolled(inner, outer, [data[f"w{k}"] for k in range(4)], [data["lambda0"]], steps, 0.1)


def implicit(data, steps):
    """Conjugate gradients for H q = v at w0, a fixed number of steps; then -(d2L / dlambda dw) q."""
    inner, outer = logistic_losses(data)
    lam = [data["lambda0"].clone().requires_grad_()]
    w = [data["w0"].clone().requires_grad_()]

    def work():
        v = torch.autograd.grad(outer(w), w)[0]
        g = torch.autograd.grad(inner(w, lam), w, create_graph=True)[0]
        product = lambda p: torch.autograd.grad(g, w, grad_outputs=p, retain_graph=True)[0]
        q, r = torch.zeros_like(v), v.clone()
        p, rr = r.clone(), r @ r
        for _ in range(steps):
            Hp = product(p)
            a = rr / (p @ Hp)
            q, r = q + a * p, r - a * Hp
            rr, old = r @ r, rr
            p = r + rr / old * p
        return torch.autograd.grad(g, lam, grad_outputs=-q)

    return work


CASES = {
    "rhg-small": logistic,
    "rhg-long": logistic,
    "rhg-medium": logistic,
    "cleaning": cleaning,
    "mlp": mlp,
    "cg-medium": implicit,
}
