"""
The peer of bench/products.ts: eight float32 products [1600, 768] x [768, 3072], the MLP's of a ViT-B/32 at batch 32, of one matrix with others, by PyTorch (oneDNN), and by what else
this Python has: Intel's MKL (pip install mkl), OpenBLAS (scipy-openblas32), and ggml, given a folder with its libraries (npm's
@node-llama-cpp/linux-x64). Arguments: threads, that folder. Reads "LIBRARY KIND" a line, KIND none, a or b (which operand is stored transposed), and
answers with milliseconds, NaN where the library is not there or does not store operands so.
"""
import ctypes
import glob
import os
import sys

threads = sys.argv[1]
os.environ.update(OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads)
import numpy as np
import torch
from serve import serve

torch.set_num_threads(int(threads))
M, K, N = 1600, 768, 3072
several = 8
rng = np.random.default_rng(0)
A = rng.standard_normal((M, K), dtype=np.float32)
Bs = [rng.standard_normal((K, N), dtype=np.float32) for _ in range(several)]
stored = {
    "none": (A, Bs),
    "a": (np.ascontiguousarray(A.T), Bs),
    "b": (A, [np.ascontiguousarray(B.T) for B in Bs]),
}
outs = [np.empty((M, N), np.float32) for _ in Bs]


def by_torch(kind):
    a, bs = torch.from_numpy(stored[kind][0]), [torch.from_numpy(b) for b in stored[kind][1]]
    a, bs = (a.T if kind == "a" else a), ([b.T for b in bs] if kind == "b" else bs)
    into = [torch.from_numpy(out) for out in outs]

    def run():
        for b, out in zip(bs, into):
            torch.mm(a, b, out=out)

    return run, outs


def by_blas(sgemm, kind):
    a, bs = stored[kind]
    pointer = lambda x: x.ctypes.data_as(ctypes.c_void_p)
    number = ctypes.c_float
    calls = [
        (101, 112 if kind == "a" else 111, 112 if kind == "b" else 111, M, N, K, number(1), pointer(a), a.shape[1],
         pointer(b), b.shape[1], number(0), pointer(out), N)
        for b, out in zip(bs, outs)
    ]  # fmt: skip

    def run():
        for args in calls:
            sgemm(*args)

    return run, outs


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
    context = base.ggml_init(Params(512 * 2**20, None, False))

    def holding(values):
        made = base.ggml_new_tensor_2d(context, 0, values.shape[1], values.shape[0])
        ctypes.memmove(base.ggml_get_data(made), values.ctypes.data, values.nbytes)
        return made

    rows = holding(A)
    results = [base.ggml_mul_mat(context, holding(b), rows) for b in stored["b"][1]]  # [M, N], a row for each row of A
    graph = base.ggml_new_graph(context)
    for result in results:
        base.ggml_build_forward_expand(graph, result)
    compute = cpu.ggml_graph_compute_with_ctx
    compute.argtypes = [pointer, pointer, ctypes.c_int]
    of = lambda result: ctypes.cast(base.ggml_get_data(result), ctypes.POINTER(ctypes.c_float))
    return lambda: compute(context, graph, int(threads)), [np.ctypeslib.as_array(of(one), (M, N)) for one in results]


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
        run, products = made
        run()
        for out, B in zip(products, Bs):
            want = A @ B
            error = np.abs(out - want).max() / np.abs(want).max()
            assert error < 1e-5, f"{name} {kind}: {error}"
        work[f"{name} {kind}"] = run

serve(work)
