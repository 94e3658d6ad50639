#!/usr/bin/env python3
"""What score.c is measured against: score_peers.py FOLDER THREADS xgboost|lightgbm|torch-script

FOLDER holds x.npy [rows][16] and y.npy. One line: microseconds of a single row (median), rows a second in
blocks of 4,096, and processor microseconds a row in them. No preprocessing. PEER_LIGHTGBM: the
folder that holds lightgbm/. 77: not installed.
"""
import os
import resource
import sys
import time

folder, threads, peer = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
if os.environ.get("PEER_LIGHTGBM"):
    sys.path.insert(0, os.environ["PEER_LIGHTGBM"])
try:
    import numpy as np
    if peer == "xgboost":
        import xgboost as xgb
    elif peer == "lightgbm":
        import lightgbm as lgb
    else:
        import torch
except (ImportError, OSError):
    sys.exit(77)
x, y = np.load(os.path.join(folder, "x.npy")), np.load(os.path.join(folder, "y.npy"))
if peer == "xgboost":
    m = xgb.train({"tree_method": "hist", "max_depth": 6, "eta": .1, "nthread": threads}, xgb.DMatrix(x, y), 200)

    def score(rows):
        return m.inplace_predict(rows)
elif peer == "lightgbm":
    p = {"num_leaves": 63, "learning_rate": .1, "num_threads": threads, "verbosity": -1}
    m = lgb.train(p, lgb.Dataset(x, y), 200)

    def score(rows):
        return m.predict(rows, num_threads=1 if len(rows) == 1 else threads)
else:
    torch.set_num_threads(threads)
    net = torch.nn.Sequential(torch.nn.Linear(16, 128), torch.nn.ReLU(), torch.nn.Linear(128, 128), torch.nn.ReLU(),
                              torch.nn.Linear(128, 1)).eval()
    m = torch.jit.freeze(torch.jit.trace(net, torch.zeros(4096, 16)))
    x = torch.from_numpy(x)

    def score(rows):
        with torch.inference_mode():
            return m(rows).numpy()
single = []
for i in range(5000):
    begin = time.perf_counter()
    score(x[i:i + 1])
    single.append(time.perf_counter() - begin)


def blocks():
    begin, r = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    done = 0
    for i in range(0, len(x) - 4095, 4096):
        score(x[i:i + 4096])
        done += 4096
    s = resource.getrusage(resource.RUSAGE_SELF)
    cpu = s.ru_utime + s.ru_stime - r.ru_utime - r.ru_stime
    return done / (time.perf_counter() - begin), 1e6 * cpu / done


blocks()
rate, cpu = max(blocks() for _ in range(3))
print(sorted(single)[len(single) // 2] * 1e6, rate, cpu)
