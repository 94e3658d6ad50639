#!/usr/bin/env python3
"""What train_mlp.c is measured against: PyTorch, train_mlp_peers.py FOLDER THREADS

FOLDER holds x [rows][16] and y [rows], float32. Says its version, then answers each line
"BATCH HIDDEN NORM PATH SECONDS" with samples a second of training for so long, by the clock and by processor
time. PATH:

    direct   whole tensors, one permutation and one gather of the data an epoch, batches are slices
    loader   DataLoader(TensorDataset(x, y), batch_size, shuffle=True), as most people write it

Idle threads sleep (OMP_WAIT_POLICY): spinning, the two thread pools of Debian's build cost it a factor of ten.
"""
import os
import sys
import time

folder, threads = sys.argv[1], sys.argv[2]
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = threads
try:
    import numpy as np
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset
except (ImportError, OSError):
    sys.exit(77)

torch.set_num_threads(int(threads))
X = torch.from_numpy(np.fromfile(os.path.join(folder, "x"), np.float32).reshape(-1, 16))
Y = torch.from_numpy(np.fromfile(os.path.join(folder, "y"), np.float32)).unsqueeze(1)
print(torch.__version__, "on", threads, "thread" if threads == "1" else "threads", flush=True)


class Training:
    def __init__(self, batch, hidden, norm, path):
        layers, width = [], 16
        for _ in range(2):
            layers += [nn.Linear(width, hidden)] + ([nn.BatchNorm1d(hidden)] if norm else []) + [nn.ReLU()]
            width = hidden
        self.net = nn.Sequential(*layers, nn.Linear(width, 1))
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, foreach=True)
        self.loss, self.batch = nn.MSELoss(), batch
        self.batches = self.loader() if path == "loader" else self.direct()

    def direct(self):
        while True:
            order = torch.randperm(len(X))
            x, y = X[order], Y[order]
            for i in range(0, len(X), self.batch):
                yield x[i:i + self.batch], y[i:i + self.batch]

    def loader(self):
        while True:
            yield from DataLoader(TensorDataset(X, Y), batch_size=self.batch, shuffle=True)

    def run(self, seconds):
        begin, spent, n = time.perf_counter(), time.process_time(), 0
        while n == 0 or time.perf_counter() - begin < seconds:
            x, y = next(self.batches)
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.net(x), y).backward()
            self.optimizer.step()
            n += len(x)
        return n / (time.perf_counter() - begin), n / (time.process_time() - spent)


kept = {}
for line in sys.stdin:
    batch, hidden, norm, path, seconds = line.split()
    key = batch, hidden, norm, path
    if key not in kept:
        kept = {k: t for k, t in kept.items() if k[:3] == key[:3]}
        kept[key] = Training(int(batch), int(hidden), norm == "1", path)
        kept[key].run(min(0.3, float(seconds)))
    print(*kept[key].run(float(seconds)), flush=True)
