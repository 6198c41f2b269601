import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from scmlab.objectives import Objective, infonce, infonce_within, loss, pairwise, pairwise_logsumexp

SIMILARITIES = ("cosine", "distance")


def scores(x, y, similarity, temperature):
    """s(x_i, y_j), with all differences held at once."""
    if similarity == "cosine":
        return normalize(x, dim=-1) @ normalize(y, dim=-1).mT / temperature
    return -(x[..., :, None, :] - y[..., None, :, :]).square().sum(-1) / temperature


def plain(x, y, similarity="distance", temperature=1.0):
    """Symmetric InfoNCE in the textbook's form."""
    s = scores(x, y, similarity, temperature)
    both = s.logsumexp(-1) + s.logsumexp(-2)
    return (both / 2 - s.diagonal(dim1=-2, dim2=-1)).mean(-1)


def plain_within(x, y, x_fresh, y_fresh, similarity="distance", temperature=1.0):
    positive = scores(x, y, similarity, temperature).diagonal(dim1=-2, dim2=-1)[..., None]
    sides = [
        torch.cat((positive, scores(a, b, similarity, temperature)), -1).logsumexp(-1)
        for a, b in ((x, x_fresh), (y, y_fresh))
    ]
    return ((sides[0] + sides[1]) / 2 - positive[..., 0]).mean(-1)


def codes(*shape, spread=1.0, noise=0.3, seed=0, dtype=torch.float64):
    """Pairs of codes that agree up to noise, `spread` apart from each other."""
    g = torch.Generator().manual_seed(seed)
    x = spread * torch.randn(*shape, generator=g, dtype=torch.float64)
    y = x + spread * noise * torch.randn(*shape, generator=g, dtype=torch.float64)
    return x.to(dtype).requires_grad_(), y.to(dtype).requires_grad_()


def close(found: torch.Tensor, expected: torch.Tensor, relative: float) -> bool:
    """In the norm: single coordinates may cancel."""
    return (found.double() - expected.double()).norm() <= relative * expected.double().norm()


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("tile", [1, 100, 1000, 2**18])
def test_the_tiled_loss_is_the_plain_one_in_value_and_gradient(similarity, tile, monkeypatch):
    monkeypatch.setitem(pairwise.TILE_SCORES, "cpu", tile)
    x, y = codes(2, 37, 4)
    found, expected = infonce(x, y, similarity=similarity, temperature=0.5), plain(x, y, similarity, 0.5)
    assert found.shape == (2,)
    assert close(found, expected, 1e-12)
    weight = torch.tensor([1.0, -2.5], dtype=torch.float64)  # each member's gradient is its own
    for a, b in zip(
        torch.autograd.grad(found @ weight, (x, y)), torch.autograd.grad(expected @ weight, (x, y)), strict=True
    ):
        assert close(a, b, 1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("similarity", "temperature", "spread"), [("distance", 1.0, 8.0), ("distance", 0.01, 0.8), ("cosine", 0.002, 1.0)]
)
def test_widely_spread_scores_keep_value_and_gradient(similarity, temperature, spread, dtype, monkeypatch):
    monkeypatch.setitem(pairwise.TILE_SCORES, "cpu", 1000)
    x, y = codes(120, 4, spread=spread, dtype=dtype)
    s = scores(x.detach().double(), y.detach().double(), similarity, temperature)
    assert s.min() < -400
    found = infonce(x, y, similarity=similarity, temperature=temperature)
    x64, y64 = (code.detach().double().requires_grad_() for code in (x, y))
    expected = plain(x64, y64, similarity, temperature)
    # A score of size |s| is known to |s| * eps, hence its exponential to that share.
    # 500 * 6e-8 = 3e-5 in float32 at worst; the errors of many scores average.
    bound = 1e-5 if dtype == torch.float32 else 1e-12
    assert close(found, expected, bound)
    gradients = torch.autograd.grad(found, (x, y)), torch.autograd.grad(expected, (x64, y64))
    for a, b in zip(*gradients, strict=True):
        assert close(a, b, 5 * bound)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_gradients_agree_with_finite_differences(similarity, monkeypatch):
    monkeypatch.setitem(pairwise.TILE_SCORES, "cpu", 20)
    x, y = codes(2, 6, 3)
    assert torch.autograd.gradcheck(lambda a, b: infonce(a, b, similarity=similarity, temperature=0.7), (x, y))
    x2, y2 = codes(2, 6, 3, seed=1)
    within = lambda *c: infonce_within(*c, similarity=similarity, temperature=0.7)  # noqa: E731
    assert torch.autograd.gradcheck(within, (x, y, x2, y2))


def test_row_and_column_sums_differentiate_each_on_its_own(monkeypatch):
    monkeypatch.setitem(pairwise.TILE_SCORES, "cpu", 10)
    a, b = codes(2, 5, 3)
    b = b[:, :4].detach().requires_grad_()
    row, col = (code[..., 0].detach().clone().requires_grad_() for code in (a, b))
    assert torch.autograd.gradcheck(lambda *args: pairwise_logsumexp(*args)[0], (a, b, row, col))
    assert torch.autograd.gradcheck(lambda *args: pairwise_logsumexp(*args)[1], (a, b, row, col))
    assert torch.autograd.gradcheck(lambda *args: pairwise_logsumexp(*args)[2], (a, b, row, col))


def test_a_second_derivative_is_refused_rather_than_wrong(refuses):
    x, y = codes(8, 3)
    with refuses("first derivatives only", "create_graph", error=RuntimeError):
        torch.autograd.grad(infonce(x, y), x, create_graph=True)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 40), k=st.integers(1, 6), temperature=st.floats(0.05, 5))
def test_any_batch_of_codes_has_the_plain_loss(similarity, seed, n, k, temperature):
    x, y = codes(n, k, seed=seed)
    assert (
        abs(infonce(x, y, similarity=similarity, temperature=temperature) - plain(x, y, similarity, temperature)) < 1e-9
    )
    x2, y2 = codes(n, k, seed=seed + 1)
    found = infonce_within(x, y, x2, y2, similarity=similarity, temperature=temperature)
    assert abs(found - plain_within(x, y, x2, y2, similarity, temperature)) < 1e-9


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_literatures_form_is_the_plain_one_in_value_and_gradient(similarity):
    all_codes = (*codes(3, 30, 5), *codes(3, 30, 5, seed=1))
    found = infonce_within(*all_codes, similarity=similarity, temperature=0.4)
    expected = plain_within(*all_codes, similarity, 0.4)
    assert close(found, expected, 1e-12)
    gradients = torch.autograd.grad(found.sum(), all_codes), torch.autograd.grad(expected.sum(), all_codes)
    for a, b in zip(*gradients, strict=True):
        assert close(a, b, 1e-11)


def test_the_literatures_form_takes_the_second_half_of_the_pairs_as_its_fresh_batch():
    (x, y), (x2, y2) = codes(3, 30, 5), codes(3, 30, 5, seed=1)
    spec = Objective("infonce_within", temperature=0.3)
    assert spec.batches == 2
    assert torch.equal(
        loss(spec, torch.cat((x, x2), 1), torch.cat((y, y2), 1)), infonce_within(x, y, x2, y2, temperature=0.3)
    )
    spec = Objective("infonce", "cosine", 0.3)
    assert spec.batches == 1
    assert torch.equal(loss(spec, x, y), infonce(x, y, similarity="cosine", temperature=0.3))


@given(seed=st.integers(0, 10_000))
def test_the_loss_ignores_the_order_of_pairs_the_origin_and_for_the_cosine_the_scale(seed):
    x, y = codes(20, 3, seed=seed)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(seed))
    for similarity in SIMILARITIES:
        assert abs(infonce(x[order], y[order], similarity=similarity) - infonce(x, y, similarity=similarity)) < 1e-12
        assert abs(infonce(y, x, similarity=similarity) - infonce(x, y, similarity=similarity)) < 1e-12
    assert abs(infonce(x + 1e4, y + 1e4) - infonce(x, y)) < 1e-9
    assert abs(infonce(7 * x, 0.1 * y, similarity="cosine") - infonce(x, y, similarity="cosine")) < 1e-12


def test_constant_codes_have_the_loss_of_guessing():
    for n in (1, 2, 50):
        x = torch.full((n, 3), 0.7)
        for similarity in SIMILARITIES:
            assert infonce(x, x, similarity=similarity).item() == pytest.approx(math.log(n), abs=1e-6)
            assert infonce_within(x, x, x, x, similarity=similarity).item() == pytest.approx(math.log(n + 1), abs=1e-6)


def test_a_score_that_is_not_a_number_is_not_hidden():
    x, y = (code.detach() for code in codes(10, 3))
    for bad in (math.nan, math.inf):
        y[3, 1] = bad
        assert not infonce(x, y).isfinite()
        y[3, 1] = math.nan
        over_rows, over_cols, _ = pairwise_logsumexp(x, y, x[:, 0], x[:, 0])
        assert not over_rows.isfinite().any()
        assert over_cols.isfinite().tolist() == [column != 3 for column in range(10)]


def test_a_temperature_that_is_not_positive_is_refused(refuses):
    x, y = codes(5, 2)
    for temperature in (0.0, -1.0, math.nan):
        with refuses("temperature", temperature):
            infonce(x, y, temperature=temperature)


MEASURE = """
import torch
from scmlab.objectives import infonce
torch.set_num_threads(1)

def peak(n):
    g = torch.Generator().manual_seed(0)
    x, y = (torch.randn(n, 5, generator=g, requires_grad=True) for _ in range(2))
    infonce(x, y).backward()
    # not getrusage: its peak is handed on from the process that started this one
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

peak(64)
print(peak(256), peak(16384))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory of a process from /proc")
def test_memory_grows_linearly_with_the_batch():
    """16,384 x 16,384 float32 scores alone are 1 GiB; codes, sums and a tile of 2^18 scores are a few MiB.

    experiments/bench_training.py measures a batch of 32,768, which takes longer.
    """
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.split())
    assert after - before < 32
