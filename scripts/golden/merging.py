"""Merge three small task vectors with PyTorch, for src/arithmetic/merge.test.ts, which holds the numbers printed here.

    python scripts/golden/merging.py

Written from the formulas of arXiv 2212.04089 and 2306.01708 (algorithm 1) over flattened vectors, float64. Values follow from a
congruence, so that the test makes the same ones: x -> 16807 x mod (2^31 - 1), value = x / 2^30 - 1, the first ten left out.
"""

import torch

SIZES = {"w": 12, "b": 3}  # "b" is left out of the third vector


def draws(seed):
    x = seed
    while True:
        x = 16807 * x % (2**31 - 1)
        yield x / 2**30 - 1


def flat(seed, third=False):
    source = draws(seed)
    values = [next(source) for _ in range(10 + sum(SIZES.values()))][10:]
    if third:
        values[12:] = [0.0] * 3
    return torch.tensor(values, dtype=torch.float32).double()


base = flat(1)
vectors = torch.stack([flat(2), flat(3), flat(4, third=True)])


def ties(density, lam, combine):
    kept = []
    for tau, size in zip(vectors, (15, 15, 12)):
        n = max(1, round(density * size))
        least = tau.abs().topk(n).values[-1]
        kept.append(torch.where(tau.abs() >= least, tau, torch.zeros_like(tau)))
    kept = torch.stack(kept)
    elected = kept.sum(0).sign()
    agree = (kept.sign() == elected) & (kept != 0)
    total = (kept * agree).sum(0)
    if combine == "mean":
        total = total / agree.sum(0).clamp(min=1)
    return base + lam * total


def show(name, values):
    print(f"{name}: [{', '.join(f'{v:.9g}' for v in values.tolist())}]")


show("task arithmetic, lambda 0.3", base + 0.3 * vectors.sum(0))
show("ties, density 0.4, lambda 1, mean", ties(0.4, 1, "mean"))
show("ties, density 0.75, lambda 0.3, sum", ties(0.75, 0.3, "sum"))
