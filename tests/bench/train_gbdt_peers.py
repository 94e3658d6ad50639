#!/usr/bin/env python3
"""What train_gbdt.c is measured against: train_gbdt_peers.py FOLDER THREADS ROUNDS PEER

FOLDER holds x.npy [rows][columns], y.npy, train.txt (rows to train on; the others test) and
categories.txt (how many of the last columns hold codes). One line: seconds of binning and of training,
processor seconds of both, MAE and RMSE of the test rows. PEER_LIGHTGBM: the folder that holds lightgbm/.
Exits with 77 where the peer is not installed.
"""
import os
import resource
import sys
import time

folder, threads, rounds, peer = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
os.environ["OMP_NUM_THREADS"] = str(threads)
if os.environ.get("PEER_LIGHTGBM"):
    sys.path.insert(0, os.environ["PEER_LIGHTGBM"])
try:
    import numpy as np
    module = __import__({"lightgbm": "lightgbm", "xgboost": "xgboost", "sklearn": "sklearn.ensemble"}[peer])
except (ImportError, OSError):
    sys.exit(77)

x = np.load(os.path.join(folder, "x.npy"))
y = np.load(os.path.join(folder, "y.npy"))
n = int(open(os.path.join(folder, "train.txt")).read())
codes = int(open(os.path.join(folder, "categories.txt")).read())
columns = list(range(x.shape[1] - codes, x.shape[1]))


def spent():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), r.ru_utime + r.ru_stime


begin = spent()
if peer == "lightgbm":
    p = {"num_leaves": 63, "learning_rate": .1, "max_bin": 255, "num_threads": threads, "verbosity": -1,
         "objective": "regression", "seed": 7}
    d = module.Dataset(x[:n], y[:n], params=p, categorical_feature=columns, free_raw_data=False).construct()
    binned = spent()
    model = module.train(p, d, rounds)
    done = spent()
    out = model.predict(x[n:])
elif peer == "xgboost":
    p = {"tree_method": "hist", "max_bin": 256, "eta": .1, "nthread": threads, "seed": 7, "max_depth": 6,
         "objective": "reg:squarederror"}
    types = ["c" if i in columns else "q" for i in range(x.shape[1])]
    more = {"feature_types": types, "enable_categorical": True} if codes else {}
    make = module.DMatrix if codes else module.QuantileDMatrix  # 1.7 has no categories in the latter
    d = make(x[:n], label=y[:n], nthread=threads, **({} if codes else {"max_bin": 256}), **more)
    binned = spent()
    model = module.train(p, d, rounds)
    done = spent()
    out = model.predict(module.DMatrix(x[n:], **more))
else:
    from sklearn.ensemble import HistGradientBoostingRegressor
    binned = begin  # bins inside fit
    model = HistGradientBoostingRegressor(max_iter=rounds, max_leaf_nodes=63, learning_rate=.1, max_bins=255,
                                          early_stopping=False, random_state=7,
                                          categorical_features=columns or None).fit(x[:n], y[:n])
    done = spent()
    out = model.predict(x[n:])
error = np.asarray(out, np.float64) - y[n:]
print(binned[0] - begin[0], done[0] - binned[0], done[1] - begin[1], float(np.mean(np.abs(error))),
      float(np.sqrt(np.mean(error ** 2))))
