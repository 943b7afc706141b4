"""Score intervals of the ratio of paired proportions by brute force, for src/stats/retention.test.ts: the multinomial likelihood of
all four counts is maximised under the ratio, without the closed form, by nested ternary search, and the test inverted by bisection.
Needs nothing but Python. Run: python3 scripts/golden/retention.py"""
import math

Z = 1.959963984540054


def ternary(loss, low, high):
    for _ in range(70):  # the log likelihood is concave
        x, y = low + (high - low) / 3, high - (high - low) / 3
        if loss(x) < loss(y):
            high = y
        else:
            low = x
    return (low + high) / 2


def statistic(both, lost, gained, neither, r):
    """(after - r before) / sqrt(n Var), Var of one pair under the ratio r: after + r^2 before - 2 r both."""
    n = both + lost + gained + neither

    def loss(before, p11):
        terms = ((both, p11), (lost, before - p11), (gained, r * before - p11), (neither, 1 - (1 + r) * before + p11))
        return -sum(k * math.log(max(p, 1e-300)) for k, p in terms if k > 0)

    def best(before):
        return ternary(lambda p: loss(before, p), max(0.0, (1 + r) * before - 1), min(1.0, r) * before)

    before = ternary(lambda p: loss(p, best(p)), 0.0, min(1.0, 1 / r))
    p11 = best(before)
    variance = r * before + r * r * before - 2 * r * p11
    return (both + gained - r * (both + lost)) / math.sqrt(max(n * variance, 1e-300))


def interval(both, lost, gained, neither):
    value = (both + gained) / (both + lost)

    def bound(near, far, sign):
        for _ in range(40):
            middle = (near + far) / 2
            if sign * statistic(both, lost, gained, neither, middle) < Z:
                near = middle
            else:
                far = middle
        return near

    far = 2 * value + 1
    while statistic(both, lost, gained, neither, far) > -Z:
        far *= 2
    return bound(value, 1e-9, 1), bound(value, far, -1)


# right both times, before alone, after alone, never
for row in [(43, 8, 1, 1), (20, 12, 2, 16), (1900, 90, 5, 5), (1930, 50, 20, 0), (180, 0, 0, 20), (9, 3, 0, 0), (9, 0, 3, 0), (30, 10, 10, 0), (2, 30, 1, 67), (1, 1, 1, 1), (0, 4, 2, 10), (60, 3, 20, 17)]:
    low, high = interval(*row)
    print(f"[{', '.join(map(str, row))}, {low:.7f}, {high:.7f}],")
