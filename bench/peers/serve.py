"""PyTorch's side of the benchmark: a process that is asked for cases, one JSON line in, one JSON line out.

Usage: python3 serve.py THREADS
    {"do": "versions"}                                          -> {"python", "torch"}
    {"do": "open", "case": NAME, "inputs": FOLDER, "steps": N}  -> {"ms": first call}
    {"do": "time", "runs": N}                                   -> {"ms": [N times]}
    {"do": "gradient"}                                          -> {"gradient": [[numbers], ...]}
    {"do": "peak"}                                              -> {"bytes": peak resident memory of the process}
FOLDER holds inputs.json, a list of {"name", "shape", "dtype"}, and one little-endian file NAME.bin for each.
"""
import json
import platform
import resource
import sys
import time
from pathlib import Path

import numpy
import torch

import hypergradients
import networks

CASES = {**hypergradients.CASES, **networks.CASES}
torch.set_num_threads(int(sys.argv[1]))
work = None


def load(folder):
    folder = Path(folder)
    arrays = {}
    for item in json.loads((folder / "inputs.json").read_text()):
        flat = numpy.fromfile(folder / f"{item['name']}.bin", dtype=item["dtype"])
        tensor = torch.from_numpy(flat.reshape(item["shape"]))
        arrays[item["name"]] = tensor.long() if item["dtype"] == "int32" else tensor
    return arrays


def answer(request):
    global work
    kind = request["do"]
    if kind == "versions":
        return {"python": platform.python_version(), "torch": torch.__version__}
    if kind == "peak":
        return {"bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}
    if kind == "open":
        started = time.perf_counter()
        work = CASES[request["case"]](load(request["inputs"]), request.get("steps"))
        work()
        return {"ms": 1e3 * (time.perf_counter() - started)}
    if kind == "time":
        samples = []
        for _ in range(request["runs"]):
            started = time.perf_counter()
            work()
            samples.append(1e3 * (time.perf_counter() - started))
        return {"ms": samples}
    return {"gradient": [g.reshape(-1).tolist() for g in work()]}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
