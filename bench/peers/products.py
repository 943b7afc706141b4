"""
The peer of bench/products.ts: one float32 product [1600, 768] x [768, 3072], the MLP's of a ViT-B/32 at batch 32, by PyTorch (oneDNN), and by what else
this Python has: Intel's MKL (pip install mkl), OpenBLAS (scipy-openblas32), and ggml, given a folder with its libraries (npm's
@node-llama-cpp/linux-x64). Arguments: threads, that folder. Reads "LIBRARY KIND" a line, KIND none, a or b (which operand is stored transposed), and
answers with milliseconds, NaN where the library is not there or does not store operands so.
"""
import ctypes
import glob
import math
import os
import sys
import time

threads = sys.argv[1]
os.environ.update(OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
import numpy as np
import torch

torch.set_num_threads(int(threads))
M, K, N = 1600, 768, 3072
rng = np.random.default_rng(0)
A, B = (rng.standard_normal(shape, dtype=np.float32) for shape in ((M, K), (K, N)))
want = A @ B
stored = {
    "none": (A, B),
    "a": (np.ascontiguousarray(A.T), B),
    "b": (A, np.ascontiguousarray(B.T)),
}


def by_torch(kind):
    a, b = (torch.from_numpy(x) for x in stored[kind])
    a, b = (a.T if kind == "a" else a), (b.T if kind == "b" else b)
    out = torch.empty(M, N)
    return lambda: torch.mm(a, b, out=out), out.numpy()


def by_blas(sgemm, kind):
    a, b = stored[kind]
    out = np.empty((M, N), np.float32)
    pointer = lambda x: x.ctypes.data_as(ctypes.c_void_p)
    number = ctypes.c_float
    args = (101, 112 if kind == "a" else 111, 112 if kind == "b" else 111, M, N, K, number(1), pointer(a), a.shape[1],
            pointer(b), b.shape[1], number(0), pointer(out), N)  # fmt: skip
    return lambda: sgemm(*args), out


def by_ggml(folder, kind):
    """ggml multiplies rows by rows: the second operand is stored transposed, and so is its result."""
    if kind != "b":
        return None
    ctypes.CDLL(f"{folder}/libggml-base.so", ctypes.RTLD_GLOBAL)
    base = ctypes.CDLL(f"{folder}/libggml-base.so")
    cpus = [ctypes.CDLL(path) for path in sorted(glob.glob(f"{folder}/libggml-cpu-*.so"))]
    cpu = max(cpus, key=lambda one: one.ggml_backend_score())

    class Params(ctypes.Structure):
        _fields_ = [("size", ctypes.c_size_t), ("buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool)]

    pointer = ctypes.c_void_p
    signatures = {
        "ggml_init": ([Params], pointer),
        "ggml_new_tensor_2d": ([pointer, ctypes.c_int, ctypes.c_int64, ctypes.c_int64], pointer),
        "ggml_mul_mat": ([pointer, pointer, pointer], pointer),
        "ggml_new_graph": ([pointer], pointer),
        "ggml_build_forward_expand": ([pointer, pointer], None),
        "ggml_get_data": ([pointer], pointer),
    }
    for name, (arguments, result) in signatures.items():
        function = getattr(base, name)
        function.argtypes, function.restype = arguments, result
    context = base.ggml_init(Params(256 * 2**20, None, False))
    rows, columns = base.ggml_new_tensor_2d(context, 0, K, N), base.ggml_new_tensor_2d(context, 0, K, M)
    for tensor, values in ((rows, stored["b"][1]), (columns, A)):
        ctypes.memmove(base.ggml_get_data(tensor), values.ctypes.data, values.nbytes)
    result = base.ggml_mul_mat(context, rows, columns)  # [M, N], a row for each row of A
    graph = base.ggml_new_graph(context)
    base.ggml_build_forward_expand(graph, result)
    compute = cpu.ggml_graph_compute_with_ctx
    compute.argtypes = [pointer, pointer, ctypes.c_int]
    compute(context, graph, int(threads))
    out = np.ctypeslib.as_array(ctypes.cast(base.ggml_get_data(result), ctypes.POINTER(ctypes.c_float)), (M, N))
    return lambda: compute(context, graph, int(threads)), out


def blas(pattern, symbol):
    found = glob.glob(pattern)
    return getattr(ctypes.CDLL(found[0]), symbol) if found else None


libraries = {"torch": by_torch}
mkl = blas(f"{sys.prefix}/lib/libmkl_rt.so*", "cblas_sgemm")
openblas = blas(f"{np.__path__[0]}/../scipy_openblas32/lib/libscipy_openblas.so", "scipy_cblas_sgemm")
if mkl:
    libraries["mkl"] = lambda kind: by_blas(mkl, kind)
if openblas:
    libraries["openblas"] = lambda kind: by_blas(openblas, kind)
if len(sys.argv) > 2:
    libraries["ggml"] = lambda kind: by_ggml(sys.argv[2], kind)

work = {}
for name, make in libraries.items():
    for kind in stored:
        made = make(kind)
        if made is None:
            continue
        run, out = made
        run()
        error = np.abs(out - want).max() / np.abs(want).max()
        assert error < 1e-5, f"{name} {kind}: {error}"
        work[f"{name} {kind}"] = run


def answer():
    """As serve.py does, but NaN where there is nothing to run."""
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        run = work.get(line.strip())
        if run is None:
            print(math.nan, flush=True)
            continue
        start = time.perf_counter()
        run()
        print((time.perf_counter() - start) * 1e3, flush=True)


answer()
