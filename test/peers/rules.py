"""Hypergradient rules by their definitions in PyTorch, in float64, as one small JSON file for the tests.

Run with Debian's python3-torch and python3-numpy:  /usr/bin/python3 test/peers/rules.py
Writes test/fixtures/torch/rules.json: the data, the first weights, the hyperparameters, and for each case its settings and
the hypergradients of three outer steps, between which the leader moves by gradient descent (one step where nothing is kept).
"""
import json
import platform
from pathlib import Path

import numpy
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(1)
file = Path(__file__).resolve().parent.parent / "fixtures" / "torch" / "rules.json"

# Logistic regression: 6 weights in 2 tensors, 5 hyperparameters in 2 tensors, which act on both levels.
ROWS, FEATURES = 9, 5
DATA = {
    "x": torch.randn(ROWS, FEATURES), "y": torch.randn(ROWS).sign(),
    "xv": torch.randn(7, FEATURES), "yv": torch.randn(7).sign(),
    "tilt": torch.randn(2, FEATURES), "pull": torch.randn(2, FEATURES),
}
GROUP = torch.tensor([0, 0, 1, 2, 2])
W = [0.3 * torch.randn(FEATURES), torch.tensor(0.1)]
LAMBDA = [0.5 * torch.randn(3) - 1, torch.randn(2)]
LEADER_RATE = 0.2


def inner(w, l):
    losses = F.softplus(-(DATA["x"] @ w[0] + w[1]) * DATA["y"]).mean()
    decay = 0.5 * (l[0].exp()[GROUP] * w[0] ** 2).sum() + 0.05 * w[1] ** 2
    return losses + decay + 0.3 * (l[1].sin() * (DATA["tilt"] @ w[0])).sum()


def outer(w, l):
    losses = F.softplus(-(DATA["xv"] @ w[0] + w[1]) * DATA["yv"]).mean()
    return losses + 0.05 * (l[1] ** 2).sum() + 0.1 * (l[1] * (DATA["pull"] @ w[0])).sum()


def leaf(tensors):
    return [t.detach().requires_grad_() for t in tensors]


def grad(value, at, keep=False):
    found = torch.autograd.grad(value, at, create_graph=keep, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(a) if g is None else g for g, a in zip(found, at)]


def at_weights(f, w, l):
    w = leaf(w)
    return grad(f(w, l), w)


def at_leader(f, w, l):
    l = leaf(l)
    return grad(f(w, l), l)


def plus(a, s, b):
    return [x + s * y for x, y in zip(a, b)]


def flat(tensors):
    return torch.cat([t.reshape(-1) for t in tensors])


def unflat(vector, like):
    parts = torch.split(vector, [t.numel() for t in like])
    return [p.reshape(t.shape) for p, t in zip(parts, like)]


def dot(a, b):
    return sum((x * y).sum() for x, y in zip(a, b))


def steps(w, l, count, rate, mixture=None, keep=True):
    """w_1 … w_T of gradient descent on L, or on rho_t E + (1 - rho_t) L."""
    path = []
    for t in range(count):
        if not keep:
            w = leaf(w)
        rho = mixture(t) if mixture else 0
        value = rho * outer(w, l) + (1 - rho) * inner(w, l)
        w = plus(w, -rate, grad(value, w, keep))
        path.append(w)
    return path


def solved(w, l, count, rate):
    return [t.detach() for t in steps(leaf(w), l, count, rate, keep=False)[-1]]


def hessian(f, w, l):
    """d²f/dw² as a matrix, and d²f/dlambda dw with a row for each hyperparameter."""
    w, l = leaf(w), leaf(l)
    g = flat(grad(f(w, l), w, True))
    rows = [grad(component, w + l) for component in g]
    n = len(w)
    return torch.stack([flat(r[:n]) for r in rows]), torch.stack([flat(r[n:]) for r in rows]).T


# One outer step of each rule: (state, lambda) to (hypergradient, next state). The first state is None.

def reverse(w, l, T=6, rate=0.6, keep=None, mixture=None):
    l = leaf(l)
    K = T if keep is None else keep
    begin = solved(w, l, T - K, rate) if K < T else w
    last = steps(leaf(begin), l, K, rate, mixture)[-1]
    return grad(outer(last, l), l)


def jacobian_of_steps(w, l, T=6, rate=0.6):
    """The tangents dw_T/dlambda, one hyperparameter after the other, then E's chain rule."""
    shape = leaf(l)
    run = lambda v: flat(steps(leaf(w), unflat(v, shape), T, rate)[-1])
    at = flat(l)
    columns = [torch.autograd.functional.jvp(run, at, e)[1] for e in torch.eye(at.numel())]
    last = solved(w, l, T, rate)
    pulled = torch.stack(columns) @ flat(at_weights(outer, last, l))
    return plus(at_leader(outer, last, l), 1, unflat(pulled, l))


def implicit(w, l, solve, T=40, rate=0.6):
    last = solved(w, l, T, rate)
    H, C = hessian(inner, last, l)
    q = solve(H, flat(at_weights(outer, last, l)))
    return plus(at_leader(outer, last, l), -1, unflat(C @ q, l))


def conjugate_gradient(J):
    def solve(H, v):
        q, r = torch.zeros_like(v), v
        p = r
        for _ in range(J):
            Hp = H @ p
            a = (r @ r) / (p @ Hp)
            q, after = q + a * p, r - a * Hp
            p, r = after + (after @ after) / (r @ r) * p, after
        return q
    return solve


def neumann(J, eta):
    def solve(H, v):
        q, p = torch.zeros_like(v), v
        for _ in range(J):
            q, p = q + eta * p, p - eta * (H @ p)
        return q
    return solve


def nystrom(rho):
    return lambda H, v: torch.linalg.solve(H + rho * torch.eye(len(v)), v)


def iaptt(z, l, T=6, rate=2.0, auxiliary=0.5):
    # The steps overshoot, so that E is largest before the last one.
    z, l = leaf(W if z is None else z), leaf(l)
    path = steps(z, l, T, rate)
    worst = max(path, key=lambda w: outer(w, l).item())
    value = outer(worst, l)
    return grad(value, l), plus(z, -auxiliary, grad(value, z))


def gap_gradient(y, z, l, gamma):
    difference = plus(at_leader(inner, y, l), -1, at_leader(inner, z, l))
    return plus(at_leader(outer, y, l), gamma, difference)


def value_penalty(state, l, gamma=4.0, T=3, Q=5, rate=0.4):
    y, z = state or (W, W)
    z = solved(z, l, Q, rate)
    for _ in range(T):
        direction = plus(at_weights(outer, y, l), gamma, at_weights(inner, y, l))
        y = plus(y, -rate / (1 + gamma), direction)
    return gap_gradient(y, z, l, gamma), (y, z)


def f2sa(state, l, T=4, rate=0.1, value_rate=0.5, increment=0.25):
    y, z, multiplier = state or (W, W, 2.0)
    z = solved(z, l, T, value_rate)
    for _ in range(T):
        direction = plus(at_weights(outer, y, l), multiplier, at_weights(inner, y, l))
        y = plus(y, -rate, direction)
    return gap_gradient(y, z, l, multiplier), (y, z, multiplier + increment)


def moreau(state, l, c=3.0, gamma=0.5, rate=0.3):
    y, theta = state or (W, W)
    theta = plus(theta, -rate, plus(at_weights(inner, theta, l), gamma, plus(theta, -1, y)))
    direction = plus(at_weights(inner, y, l), 1 / c, at_weights(outer, y, l))
    direction = plus(direction, -gamma, plus(y, -1, theta))
    return gap_gradient(y, theta, l, c), (plus(y, -rate, direction), theta)


def bome(y, l, T=4, rate=0.5, answer_rate=0.2, eta=0.5):
    y = W if y is None else y
    z = solved(y, l, T, rate)
    ofGap = plus(at_leader(inner, y, l), -1, at_leader(inner, z, l)) + at_weights(inner, y, l)
    ofOuter = at_leader(outer, y, l) + at_weights(outer, y, l)
    squared = dot(ofGap, ofGap)
    m = torch.clamp(eta * squared - dot(ofOuter, ofGap), min=0) / squared
    direction = plus(ofOuter, m, ofGap)
    return direction[:2], plus(y, -answer_rate, direction[2:])


def sl_bamm(state, l, mu=0.4, rate=0.3, auxiliary_rate=0.2):
    y, v = state or (W, torch.zeros(6))
    average = lambda w, l: mu * outer(w, l) + (1 - mu) * inner(w, l)
    H, C = hessian(average, y, l)
    h = plus(at_leader(outer, y, l), -1, unflat(C @ v, l))
    after = v - auxiliary_rate * (H @ v - flat(at_weights(outer, y, l)))
    return h, (plus(y, -rate, at_weights(average, y, l)), after)


def soba(state, l, rate=0.5, auxiliary_rate=0.4):
    z, v = state or (W, torch.zeros(6))
    H, C = hessian(inner, z, l)
    h = plus(at_leader(outer, z, l), 1, unflat(C @ v, l))
    after = v - auxiliary_rate * (H @ v + flat(at_weights(outer, z, l)))
    return h, (plus(z, -rate, at_weights(inner, z, l)), after)


def amigo(state, l, N=3, M=2, rate=0.5, auxiliary_rate=0.4):
    z, v = state or (W, torch.zeros(6))
    z = solved(z, l, N, rate)
    H, C = hessian(inner, z, l)
    for _ in range(M):
        v = v - auxiliary_rate * (H @ v + flat(at_weights(outer, z, l)))
    return plus(at_leader(outer, z, l), 1, unflat(C @ v, l)), (z, v)


def once(rule):
    return [flat(rule).tolist()]


def thrice(rule):
    l, state, found = LAMBDA, None, []
    for _ in range(3):
        h, state = rule(state, l)
        h = [t.detach() for t in h]
        found.append(flat(h).tolist())
        l = plus(l, -LEADER_RATE, h)
    return found


def imaml(mu=0.7, tasks=3, rows=6, features=4, T=200, rate=0.3):
    """Proximal logistic tasks: L = sum_i l_i(y_i) + mu/2 ||y_i - x||^2, E = mean_i of the losses on other rows."""
    X, Xv = torch.randn(tasks, rows, features), torch.randn(tasks, rows, features)
    Y, Yv = torch.randn(tasks, rows).sign(), torch.randn(tasks, rows).sign()
    loss = lambda y, X, Y: F.softplus(-torch.einsum("trf,tf->tr", X, y) * Y).mean(1)
    L = lambda y, x: loss(y[0], X, Y).sum() + mu / 2 * ((y[0] - x[0]) ** 2).sum()
    E = lambda y, x: loss(y[0], Xv, Yv).mean()
    x, y = [torch.randn(features)], [torch.zeros(tasks, features)]
    for _ in range(T):
        y = leaf(y)
        y = plus(y, -rate, grad(L(y, x), y))
    # Task by task, by the formula of the paper: g_i = (I + H_i/mu)^-1 grad l_val(y_i).
    gradient = torch.zeros(features)
    for i in range(tasks):
        w = y[0][i].detach()
        one = lambda w: F.softplus(-(X[i] @ w) * Y[i]).mean()
        H = torch.autograd.functional.hessian(one, w)
        v = torch.autograd.functional.jacobian(lambda w: F.softplus(-(Xv[i] @ w) * Yv[i]).mean(), w)
        gradient += torch.linalg.solve(torch.eye(features) + H / mu, v) / tasks
    data = {"x": X, "y": Y, "xv": Xv, "yv": Yv}
    return {"mu": mu, "T": T, "rate": rate, "lambda": x[0].tolist(), "gradient": gradient.tolist(),
            "data": {name: t.tolist() for name, t in data.items()}}


cases = {
    "forward": once(jacobian_of_steps(W, LAMBDA)),
    "truncated": once(reverse(W, LAMBDA, keep=2)),
    "oneStage": once(reverse(W, LAMBDA, keep=1)),
    "darts": once(reverse(W, LAMBDA, T=1)),
    "bda": once(reverse(W, LAMBDA, mixture=lambda t: 0.5 / (t + 1))),
    "conjugateGradient": once(implicit(W, LAMBDA, conjugate_gradient(3))),
    "neumann": once(implicit(W, LAMBDA, neumann(7, 0.6))),
    "nystrom": once(implicit(W, LAMBDA, nystrom(0.05))),
    "iaptt": thrice(iaptt),
    "valuePenalty": thrice(value_penalty),
    "f2sa": thrice(f2sa),
    "moreauEnvelope": thrice(moreau),
    "bome": thrice(bome),
    "slBamm": thrice(sl_bamm),
    "soba": thrice(soba),
    "amigo": thrice(amigo),
}
record = {
    "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": numpy.__version__},
    "leaderRate": LEADER_RATE,
    "data": {name: t.tolist() for name, t in DATA.items()},
    "w": [t.tolist() for t in W], "lambda": [t.tolist() for t in LAMBDA],
    "cases": cases, "imaml": imaml(),
}
file.write_text(json.dumps(record) + "\n")
