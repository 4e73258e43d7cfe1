"""Saves a list of tensors with torch.save, syncs and renames as firn does, and prints the milliseconds of each time as JSON."""

import json
import os
import sys
import time

import torch

folder, tensors, rows, count = sys.argv[1], *map(int, sys.argv[2:])
state = {f"weights.{i}": torch.ones(rows, rows) for i in range(tensors)}
path = os.path.join(folder, "torch.pt")
times = []
for _ in range(count):
    began = time.perf_counter()
    with open(path + ".tmp", "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".tmp", path)
    times.append((time.perf_counter() - began) * 1000)
print(json.dumps(times))
