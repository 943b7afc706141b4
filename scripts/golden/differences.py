"""Score intervals of a paired difference by brute force, for src/stats/difference.test.ts: the multinomial likelihood is
maximised on a fine grid and by ternary search, and the test inverted by bisection. Needs nothing but Python. Run: python3 scripts/golden/differences.py"""
import math

Z = 1.959963984540054


def statistic(b, c, n, d):
    low, high = max(0.0, -d), (1 - d) / 2

    def loss(q):
        terms = ((b, q + d), (c, q), (n - b - c, 1 - 2 * q - d))
        return -sum(k * math.log(max(p, 1e-300)) for k, p in terms if k > 0)

    left, right = low, high
    for _ in range(200):  # the log likelihood is concave
        x, y = left + (right - left) / 3, right - (right - left) / 3
        if loss(x) < loss(y):
            right = y
        else:
            left = x
    q = min([(left + right) / 2, low, high], key=loss)
    return (b - c - n * d) / math.sqrt(max(n * (2 * q + d - d * d), 1e-300))


def interval(b, c, n):
    value = (b - c) / n

    def bound(far, sign):
        near = value
        if sign * statistic(b, c, n, far) < Z:
            return far
        for _ in range(80):
            middle = (near + far) / 2
            if sign * statistic(b, c, n, middle) < Z:
                near = middle
            else:
                far = middle
        return near

    return bound(-1 + 1e-13, 1), bound(1 - 1e-13, -1)


for row in [(1, 7, 21), (40, 20, 160), (0, 0, 189), (18, 0, 189), (1, 0, 1), (5, 5, 50), (150, 3, 200), (200, 0, 200), (3, 60, 1000), (30, 29, 60)]:
    low, high = interval(*row)
    print(f"[{', '.join(map(str, row))}, {low:.7f}, {high:.7f}],")
