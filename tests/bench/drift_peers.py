"""Drift by scipy and numpy on the columns that bench_drift wrote.   drift_peers.py DIR ROWS NUMBERS WORDS

Numbers: ks_2samp, wasserstein_distance, PSI over the reference's deciles. Words: chi-squared of the table of counts,
PSI over the words. Prints seconds and processor seconds of all, of the numbers alone, then each column's PSI; the best
of two rounds.
"""
import sys
import time
import numpy as np
from scipy import stats

folder, rows, numbers, words = sys.argv[1], *map(int, sys.argv[2:5])
EPS = 1e-6


def read(name):
    at = np.fromfile(f"{folder}/{name}").reshape(numbers + words, rows)
    return [at[k] if k < numbers else np.array([f"word {int(x)}" for x in at[k]], object) for k in range(numbers + words)]


def psi(p, q):
    p, q = p / p.sum() + EPS, q / q.sum() + EPS
    return float(((q - p) * np.log(q / p)).sum())


def number(a, b):
    edges = np.unique(np.quantile(a, np.linspace(0, 1, 11)))
    edges[0], edges[-1] = -np.inf, np.inf
    return (stats.ks_2samp(a, b).pvalue, stats.wasserstein_distance(a, b),
            psi(np.histogram(a, edges)[0].astype(float), np.histogram(b, edges)[0].astype(float)))


def word(a, b):
    levels, codes = np.unique(np.concatenate([a, b]).astype(str), return_inverse=True)
    t = np.array([np.bincount(codes[:len(a)], minlength=len(levels)),
                  np.bincount(codes[len(a):], minlength=len(levels))], float)
    return stats.chi2_contingency(t)[1], 0.0, psi(t[0], t[1])


R, C = read("r.f64"), read("c.f64")
best = [np.inf] * 4
for _ in range(2):
    t = [(time.perf_counter(), time.process_time())]
    out = [number(R[k], C[k]) for k in range(numbers)]
    t.append((time.perf_counter(), time.process_time()))
    out += [word(R[k], C[k]) for k in range(numbers, numbers + words)]
    t.append((time.perf_counter(), time.process_time()))
    spent = [t[2][0] - t[0][0], t[2][1] - t[0][1], t[1][0] - t[0][0], t[1][1] - t[0][1]]
    best = [min(a, b) for a, b in zip(best, spent)]
print(*best)
print(*(row[2] for row in out))
