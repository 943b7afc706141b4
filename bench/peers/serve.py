"""A peer's side of bench/peer.ts: a name a line on standard input, the milliseconds of that work on standard output; `memory` is its peak in MB."""

import math
import resource
import sys
import time

import torch


def serve(work):
    """work: name -> function; NaN answers a name that is none."""
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        name = line.strip()
        if name == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
            continue
        if name not in work:
            print(math.nan, flush=True)
            continue
        start = time.perf_counter()
        work[name]()
        print((time.perf_counter() - start) * 1e3, flush=True)
