"""Meta-learning in PyTorch: a convolutional network's gradient, second-order MAML, hyper-representation.

The network is four blocks of 3x3 convolution, batch normalization by batch statistics, ReLU and 2x2 max pooling. Its
parameters come as kernel0, bias0, gain0, kernel1, ... A case returns the work to be timed, as in hypergradients.py.
"""
import torch
import torch.nn.functional as F

BLOCKS = 4


def features(params, x):
    for i in range(BLOCKS):
        kernel, bias, gain = params[3 * i: 3 * i + 3]
        x = F.conv2d(x, kernel, padding=1)
        x = F.max_pool2d(F.relu(F.batch_norm(x, None, None, gain, bias, training=True)), 2)
    return x.flatten(1)


def logits(params, x):
    return features(params[:-2], x) @ params[-2] + params[-1]


def parameters(data, names):
    return [data[name].clone().requires_grad_() for name in names]


BODY = [f"{kind}{i}" for i in range(BLOCKS) for kind in ("kernel", "bias", "gain")]
HEAD = ["weight", "offset"]


def network_gradient(data, _):
    params = parameters(data, BODY + HEAD)
    return lambda: torch.autograd.grad(F.cross_entropy(logits(params, data["xq"]), data["yq"]), params)


def maml(data, steps, rate=0.4):
    params = parameters(data, BODY + HEAD)

    def work():
        p = params
        for _ in range(steps):
            gradient = torch.autograd.grad(F.cross_entropy(logits(p, data["xs"]), data["ys"]), p, create_graph=True)
            p = [a - rate * g for a, g in zip(p, gradient)]
        return torch.autograd.grad(F.cross_entropy(logits(p, data["xq"]), data["yq"]), params)

    return work


def hyper_representation(data, steps, rate=0.1):
    body = parameters(data, BODY)
    tasks = list(zip(data["xs"], data["ys"], data["xq"], data["yq"]))
    ways = int(data["ys"].max()) + 1

    def work():
        loss = 0
        for xs, ys, xq, yq in tasks:
            fs, fq = features(body, xs), features(body, xq)
            w = [torch.zeros(fs.shape[1], ways, requires_grad=True), torch.zeros(ways, requires_grad=True)]
            for _ in range(steps):
                gradient = torch.autograd.grad(F.cross_entropy(fs @ w[0] + w[1], ys), w, create_graph=True)
                w = [a - rate * g for a, g in zip(w, gradient)]
            loss = loss + F.cross_entropy(fq @ w[0] + w[1], yq)
        return torch.autograd.grad(loss / len(tasks), body)

    return work


CASES = {"convnet-grad": network_gradient, "maml5": maml, "hyperrep": hyper_representation}
