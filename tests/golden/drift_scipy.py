#!/usr/bin/env python3
"""Known values of the drift tests, computed with scipy and numpy; the C tests hold ours to them.

    apt-get install python3-scipy
    python3 tests/golden/drift_scipy.py > tests/golden/drift_known.h

The samples are made by whole-number arithmetic, so that tests/unit/drift_known.c makes the same ones:
reference[i] = ((31 i i + 7 i) mod 1009) / 10, current[i] = ((29 i i + 11 i + 3) mod 997) / 10 + shift,
or rounded down to multiples of `step` where step > 0. Formulas: REFERENCE 1.2 (Evidently's).
"""
import numpy as np
import scipy
from scipy import stats
from scipy.spatial import distance

CASES = [  # name, rows of reference and current, shift, step
    ("tiny", 8, 8, 5.0, 0), ("small", 50, 70, 3.0, 0), ("square", 200, 200, 6.0, 0),
    ("uneven", 900, 1100, 2.0, 0), ("apart", 400, 300, 60.0, 0), ("same", 300, 300, 0.0, 0),
    ("large", 12000, 15000, 0.5, 0), ("lopsided", 20000, 300, 4.0, 0), ("larger", 30000, 25000, 1.5, 0),
    ("few", 500, 400, 10.0, 25), ("labels", 600, 500, 0.0, 25), ("levels", 900, 850, 0.0, 10), ("values", 5000, 4000, 7.0, 7),
]


def samples(n, m, shift, step):
    i, k = np.arange(n, dtype=np.int64), np.arange(m, dtype=np.int64)
    r = ((31 * i * i + 7 * i) % 1009) / 10.0
    c = ((29 * k * k + 11 * k + 3) % 997) / 10.0 + shift
    if step:
        r, c = np.floor(r / step) * step, np.floor(c / step) * step
    return r, c


def shares(r, c, fill):
    if len(np.unique(r)) > 20:
        edges = np.histogram_bin_edges(np.concatenate([r, c]), bins="sturges")
        p, q = np.histogram(r, edges)[0] / len(r), np.histogram(c, edges)[0] / len(c)
    else:
        keys = np.unique(np.concatenate([r, c]))
        p = np.array([(r == k).sum() for k in keys]) / len(r)
        q = np.array([(c == k).sum() for k in keys]) / len(c)
    if fill:
        for s in (p, q):
            least = s[s > 0].min()
            s[s == 0] = least / 1e6 if least <= 1e-4 else 1e-4
    return p, q


def chi_square(r, c):
    keys = np.unique(np.concatenate([r, c]))
    expected = np.array([(r == k).sum() for k in keys]) * (len(c) / len(r))
    observed = np.array([(c == k).sum() for k in keys])
    with np.errstate(divide="ignore"):
        return stats.chi2.sf((((observed - expected) ** 2) / expected).sum(), len(keys) - 1)


print(f"/* drift_known.h -- made by tests/golden/drift_scipy.py with scipy {scipy.__version__}, "
      f"numpy {np.__version__}. */")
print("static const struct Known {\n    const char *name;\n    size_t n, m;\n    double shift, step;")
print("    double ks, wasserstein, jensen_shannon, psi, kl, hellinger, l_infinity, total_variation, "
      "chi_square;\n} known[] = {")
for name, n, m, shift, step in CASES:
    r, c = samples(n, m, shift, step)
    p, q = shares(r, c, False)
    pf, qf = shares(r, c, True)
    row = [stats.ks_2samp(r, c)[1], stats.wasserstein_distance(r, c) / max(r.std(), 0.001),
           distance.jensenshannon(p, q), ((pf - qf) * np.log(pf / qf)).sum(), stats.entropy(pf, qf),
           np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum())), abs(p - q).max(), abs(p - q).sum() / 2, chi_square(r, c)]
    print(f'    {{"{name}", {n}, {m}, {shift}, {step}, ' + ", ".join(repr(float(x)) for x in row) + "},")
print("};\n")
print("/* rows, distance, two-sided tail of the one-sample Kolmogorov-Smirnov distribution */")
print("static const double kolmogorov[][3] = {")
for n, d in [(5, .12), (10, .3), (10, .05), (50, .1), (100, .16), (140, .06), (140, .18), (141, .06), (500, .03),
             (1000, .02), (5000, .02), (12000, .008), (12000, .02), (12000, .04), (140, .4),
             (200000, .002), (200000, .004), (250000, .02)]:
    print(f"    {{{n}, {d}, {stats.kstwo.sf(d, n)!r}}},")
print("};\n")
print("/* x, degrees of freedom, upper tail of chi-square */\nstatic const double chi_tail[][3] = {")
for x, k in [(3.1746, 5), (0.5, 1), (30, 3), (100, 120), (250, 120), (1e-3, 4), (1500, 1000), (5.0, 2)]:
    print(f"    {{{x}, {k}, {stats.chi2.sf(x, k)!r}}},")
print("};")


def doane_shares(r, c):
    """NannyML's rule: Doane's bins of the reference alone, what lies beyond them in one bin more."""
    edges = np.histogram_bin_edges(r, bins="doane")
    p, q = np.histogram(r, edges)[0] / len(r), np.histogram(c, edges)[0] / len(c)
    return np.append(p, 0.0), np.append(q, max(0.0, 1 - q.sum()))


print("\n/* by NannyML's rules: rows, shift, step, bins, Jensen-Shannon to base 2, Hellinger, L-infinity */")
print("static const double doane[][8] = {")
for name, n, m, shift, step in CASES:
    r, c = samples(n, m, shift, step)
    p, q = doane_shares(r, c)
    print(f"    {{{n}, {m}, {shift}, {step}, {len(p)}, {distance.jensenshannon(p, q, base=2)!r}, "
          f"{float(np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum())))!r}, {float(abs(p - q).max())!r}}},")
print("};\n")
print("/* two-proportion Z, pooled: zeros and ones of the reference, of the current, p value */")
print("static const double proportions[][5] = {")
for a, b, c, d in [(1, 3, 3, 1), (50, 50, 60, 40), (900, 100, 850, 150), (10, 90, 12, 88), (7, 3, 400, 300)]:
    pa, pb, pooled = b / (a + b), d / (c + d), (b + d) / (a + b + c + d)
    z = (pa - pb) / np.sqrt(pooled * (1 - pooled) * (1 / (a + b) + 1 / (c + d)))
    print(f"    {{{a}, {b}, {c}, {d}, {2 * stats.norm.sf(abs(z))!r}}},")
print("};\n")
print("/* two samples of 30, as kswin has them: distance in thirtieths, p value */\nstatic const double thirty[][2] = {")
for k in (3, 8, 10, 12, 13, 14, 20, 30):
    x = np.arange(30) * 2.0
    y = x + 2 * k - 1  # k values of x lie below all of y
    d, p = stats.ks_2samp(x, y, method="exact")
    assert round(d * 30) == k, (d, k)
    print(f"    {{{k}, {float(p)!r}}},")
print("};\n")
print("/* PCA reconstruction: of the first 200 rows, which were learnt, and of the next 200 */")
i = np.arange(400, dtype=np.int64)
base = ((31 * i * i + 7 * i) % 1009) / 10.0
other = ((29 * i * i + 11 * i + 3) % 997) / 10.0
word = (i * i) % 5
share = np.array([(word[:200] == k).mean() for k in range(5)])
rows = np.column_stack([base, 0.5 * base + 0.1 * other, other, share[word]])
mean, std = rows[:200].mean(0), rows[:200].std(0)
z = (rows - mean) / std
value, vector = np.linalg.eigh(np.cov(z[:200].T, ddof=0))
order = np.argsort(value)[::-1]
keep = int(np.searchsorted(np.cumsum(value[order]) / value.sum(), 0.65, side="right")) + 1
axes = vector[:, order[:keep]]
left = np.linalg.norm(z - z @ axes @ axes.T, axis=1)
print(f"static const double reconstruction[2] = {{{float(left[:200].mean())!r}, {float(left[200:].mean())!r}}};")


def psi_deciles(r, c):
    """As credit scoring has it: ten parts of the reference, tails open, a millionth in every part."""
    edges = np.unique(np.quantile(r, np.linspace(0, 1, 11)))
    edges[0], edges[-1] = -np.inf, np.inf
    p, q = np.histogram(r, edges)[0] / len(r) + 1e-6, np.histogram(c, edges)[0] / len(c) + 1e-6
    return float(((q - p) * np.log(q / p)).sum())


print("\n/* rows, shift, step, population stability index over the reference's deciles */")
print("static const double deciles[][5] = {")
for name, n, m, shift, step in CASES:
    print(f"    {{{n}, {m}, {shift}, {step}, {psi_deciles(*samples(n, m, shift, step))!r}}},")
print("};")
