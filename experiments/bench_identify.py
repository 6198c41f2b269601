"""Time `scmlab.identify.fit` against scikit-learn, one GridSearchCV per block, on the same data, grid and threads.

python experiments/bench_identify.py                       # 4,096 fit + 4,096 test points, five blocks: minutes
python experiments/bench_identify.py --points 600 --json   # seconds
"""

import json
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
import tyro
from rich.console import Console
from rich.table import Table
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from scmlab.experiments.provenance import environment
from scmlab.identify import RidgeGrid, fit, predict


@dataclass(frozen=True)
class Bench:
    """What is timed: the fit of every block, and its predictions at the test points."""

    points: int = 4096  # fit points, and as many test points
    blocks: int = 5
    width: int = 5  # coordinates of the code and of each block
    threads: int = 1  # of torch and of scikit-learn's BLAS alike
    seed: int = 0
    json: bool = False  # print the record instead of a table


@dataclass(frozen=True)
class BlockScore:
    block: str
    scmlab: float
    sklearn: float
    same_choice: bool  # of (alpha, gamma)


@dataclass(frozen=True)
class Timing:
    config: Bench
    scores: tuple[BlockScore, ...]
    max_difference: float
    scmlab_seconds: float
    sklearn_seconds: float
    ratio: float
    environment: dict  # versions, device, machine, date


def sample(bench: Bench) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A nonlinear code of the first block; block b is a mixture of the first and of noise, all noise for the last."""
    rng = np.random.default_rng(bench.seed)
    z = rng.standard_normal((2 * bench.points, bench.width))
    mixing = np.linalg.qr(rng.standard_normal((bench.width, bench.width)))[0]
    code = np.tanh(z @ mixing) + 0.3 * z
    blocks = {}
    for b, share in enumerate(np.linspace(1.0, 0.0, bench.blocks)):
        own = rng.standard_normal(z.shape)
        blocks[f"block {b} ({share:.0%} content)"] = np.sqrt(share) * z + np.sqrt(1 - share) * own
    return code, blocks


def run(bench: Bench) -> Timing:
    n = bench.points
    code, blocks = sample(bench)
    x = StandardScaler().fit(code[:n]).transform(code)
    ys = {name: StandardScaler().fit(y[:n]).transform(y) for name, y in blocks.items()}
    grid = RidgeGrid()
    with threadpool_limits(bench.threads):
        torch.set_num_threads(bench.threads)
        start = time.perf_counter()
        fitted = fit(torch.from_numpy(x[:n]), {name: torch.from_numpy(y[:n]) for name, y in ys.items()}, grid)
        ours = predict(fitted, torch.from_numpy(x[n:]))
        scmlab_seconds = time.perf_counter() - start

        theirs, choices = {}, {}
        start = time.perf_counter()
        for name, y in ys.items():
            parameters = {"alpha": grid.alphas, "gamma": grid.gammas}
            search = GridSearchCV(KernelRidge(kernel="rbf"), parameters, cv=grid.folds).fit(x[:n], y[:n])
            theirs[name], choices[name] = search.predict(x[n:]), search.best_params_
        sklearn_seconds = time.perf_counter() - start

    scores = tuple(
        BlockScore(
            name,
            r2_score(y[n:], ours[name].numpy()),
            r2_score(y[n:], theirs[name]),
            choices[name] == {"alpha": fitted.blocks[name].alpha, "gamma": fitted.blocks[name].gamma},
        )
        for name, y in ys.items()
    )
    return Timing(
        bench,
        scores,
        max(abs(s.scmlab - s.sklearn) for s in scores),
        scmlab_seconds,
        sklearn_seconds,
        sklearn_seconds / scmlab_seconds,
        environment("cpu"),
    )


def show(timing: Timing) -> None:
    bench = timing.config
    table = Table(
        title=f"Kernel ridge, {bench.points:,} fit + {bench.points:,} test points, threads: {bench.threads}",
        caption=f"largest difference of R2 {timing.max_difference:.1e}; {timing.ratio:.1f} times faster",
    )
    for column in ("block", "R2 scmlab", "R2 scikit-learn", "same alpha, gamma"):
        table.add_column(column)
    for s in timing.scores:
        table.add_row(s.block, f"{s.scmlab:.6f}", f"{s.sklearn:.6f}", "yes" if s.same_choice else "no")
    table.add_section()
    table.add_row("seconds, all blocks", f"{timing.scmlab_seconds:.2f}", f"{timing.sklearn_seconds:.2f}", "")
    Console().print(table)


if __name__ == "__main__":
    config = tyro.cli(Bench)
    result = run(config)
    if config.json:
        print(json.dumps(asdict(result), indent=2))
    else:
        show(result)
