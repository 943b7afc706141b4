"""Record three steps of PyTorch's optimisers, for src/optim/optim.test.ts, which holds the numbers printed here.

    python scripts/golden/optimizers.py

Two parameters: w [2,2], which decays, and b [2], which does only where weight decay is not by rule. float64, lr 0.1.
"""

import torch

W = [[1.0, -2.0], [0.5, 3.0]]
B = [0.1, -0.4]
STEPS = [
    ([[0.3, -0.1], [2.0, 0.0]], [0.01, -4.0]),
    ([[0.2, 0.4], [-1.0, 0.5]], [0.02, 3.0]),
    ([[-0.6, 0.1], [0.7, 0.25]], [-0.05, 0.5]),
]


def record(name, make, decay=0.0, by_rule=False):
    w, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (W, B))
    groups = [{"params": [w], "weight_decay": decay}, {"params": [b], "weight_decay": 0.0 if by_rule else decay}]
    optimizer = make(groups)
    for w.grad, b.grad in (tuple(torch.tensor(g, dtype=torch.float64) for g in step) for step in STEPS):
        optimizer.step()
    print(f"{name}: [{', '.join(f'{v:.9g}' for v in [*w.flatten().tolist(), *b.tolist()])}]")


adam = lambda groups: torch.optim.Adam(groups, lr=0.1)
adamw = lambda groups: torch.optim.AdamW(groups, lr=0.1)
record("adam", adam)
record("adam, other betas and eps", lambda groups: torch.optim.Adam(groups, lr=0.1, betas=(0.8, 0.98), eps=1e-2))
record("adam, weight decay 0.2", adam, decay=0.2)
record("adamw, weight decay 0.2", adamw, decay=0.2)
record("adamw, weight decay 0.2 on matrices", adamw, decay=0.2, by_rule=True)
record("sgd", lambda groups: torch.optim.SGD(groups, lr=0.1))
record("sgd, momentum 0.9", lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9))
record("sgd, nesterov 0.9", lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True))
record("sgd, momentum 0.9, weight decay 0.2", lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9), decay=0.2)
record("sgd, weight decay 0.2 on matrices", lambda groups: torch.optim.SGD(groups, lr=0.1), decay=0.2, by_rule=True)

gradient = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
gradient.grad = gradient.detach().clone()
torch.nn.utils.clip_grad_norm_([gradient], 1.0)
print(f"(3, 4) clipped to norm 1: {[f'{v:.9g}' for v in gradient.grad.tolist()]}")
