import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold
from threadpoolctl import threadpool_limits

from scmlab.identify import RidgeGrid, fit, kernel_ridge, predict
from scmlab.identify.determination import determination, squared_sums
from scmlab.identify.rbf import rbf_kernel, squared_distances

SMOOTH = RidgeGrid(alphas=(1.0, 1e-3), gammas=(0.05, 0.22))


def _problem(normal, n=600):
    """A code of three coordinates; blocks that it determines, half determines, and does not determine at all."""
    x, other = normal(n, 3), normal(n, 2, seed=1)
    return x, {"all": torch.sin(2 * x), "half": x[:, :2] + other, "none": other}


def test_scores_choice_and_predictions_are_those_of_scikit_learn_run_block_by_block(normal):
    x, blocks = _problem(normal, 1201)  # folds of unequal length: 201, 200, 200
    fitted = fit(x[:601], {name: y[:601] for name, y in blocks.items()})
    predicted = predict(fitted, x[601:])
    grid = RidgeGrid()
    for name, y in blocks.items():
        search = GridSearchCV(KernelRidge(kernel="rbf"), {"alpha": grid.alphas, "gamma": grid.gammas}, cv=3)
        with threadpool_limits(1):  # matrices this small only wait for one another
            search.fit(x[:601].numpy(), y[:601].numpy())
        ours = fitted.blocks[name]
        assert {"alpha": ours.alpha, "gamma": ours.gamma} == search.best_params_
        # Rounding, times the condition number of the worst system: 1e-16 * 600 / 1e-4, with room.
        theirs = search.cv_results_["mean_test_score"].reshape(4, 4)
        np.testing.assert_allclose(ours.cv_r2, theirs, atol=1e-8)
        np.testing.assert_allclose(predicted[name], search.predict(x[601:].numpy()), atol=1e-8)


def test_coefficients_solve_the_regularised_system_of_all_points(normal):
    x, blocks = _problem(normal, 200)
    fitted = fit(x, blocks)
    for name, y in blocks.items():
        block = fitted.blocks[name]
        kernel = torch.exp(-block.gamma * torch.cdist(x, x).square())
        torch.testing.assert_close(kernel @ block.coefficients + block.alpha * block.coefficients, y, atol=1e-9, rtol=0)


def test_a_block_is_fitted_as_if_it_were_alone(normal):
    x, blocks = _problem(normal, 200)
    together = fit(x, blocks)
    for name, y in blocks.items():
        alone = fit(x, {name: y})
        torch.testing.assert_close(together.blocks[name].coefficients, alone.blocks[name].coefficients)


def test_equal_scores_choose_the_first_point_of_the_grid(normal):
    # Points so far apart that every kernel is the identity: predictions are 0 at every gamma and alpha.
    x = 1e4 * torch.arange(30.0, dtype=torch.float64)[:, None]
    chosen = fit(x, {"y": normal(30, 1)}, RidgeGrid(alphas=(0.1, 1.0), gammas=(2.0, 1.0))).blocks["y"]
    assert (chosen.alpha, chosen.gamma) == (0.1, 2.0)


def test_with_variance_weights_rotating_the_targets_rotates_the_predictions(normal):
    x, blocks = _problem(normal, 200)
    y = blocks["all"] * torch.tensor([10.0, 1.0, 0.1], dtype=torch.float64)
    rotation = torch.linalg.qr(normal(3, 3, seed=2)).Q
    fits = fit(x, {"y": y}, average="variance"), fit(x, {"y": y @ rotation}, average="variance")
    torch.testing.assert_close(fits[0].blocks["y"].cv_r2, fits[1].blocks["y"].cv_r2, atol=1e-9, rtol=0)
    torch.testing.assert_close(predict(fits[0], x)["y"] @ rotation, predict(fits[1], x)["y"], atol=1e-8, rtol=0)


def test_points_that_coincide_leave_out_alphas_below_rounding_only(normal):
    x, y = torch.zeros(30, 2), {"y": normal(30, 1)}  # the kernel is all ones: of rank one
    block = fit(x, y, RidgeGrid(alphas=(1e-20, 1.0))).blocks["y"]
    assert block.alpha == 1.0
    assert torch.isneginf(block.cv_r2[0]).all()
    assert torch.isfinite(block.cv_r2[1]).all()
    with pytest.raises(ValueError, match="numerically positive definite"):
        fit(x, y, RidgeGrid(alphas=(1e-20,)))


def test_a_point_that_fails_only_on_all_points_gives_way_to_the_next_best(normal):
    # Two coinciding points, in the two folds of two: each training set holds one of them, the refit both.
    x = torch.tensor([[0.0], [1.0], [0.0], [-1.0]], dtype=torch.float64)
    y = {"y": torch.tensor([[0.0], [1.0], [0.0], [-1.0]], dtype=torch.float64)}
    block = fit(x, y, RidgeGrid(alphas=(1e-20, 1.0), gammas=(1.0,), folds=2)).blocks["y"]
    assert torch.isfinite(block.cv_r2).all()
    assert block.alpha == 1.0


def test_nystroem_on_every_point_is_the_exact_solution(normal):
    x, blocks = _problem(normal, 300)
    exact = fit(x, blocks, SMOOTH)
    low_rank = fit(x, blocks, RidgeGrid(SMOOTH.alphas, SMOOTH.gammas, exact_points=1, landmarks=300))
    predicted = predict(exact, x), predict(low_rank, x)
    for name in blocks:
        # The features' kernel is K (K + jitter)^-1 K: off by jitter, 1e-10, which alpha, 1e-3, divides.
        torch.testing.assert_close(predicted[1][name], predicted[0][name], atol=1e-6, rtol=0)
        torch.testing.assert_close(low_rank.blocks[name].cv_r2, exact.blocks[name].cv_r2, atol=1e-6, rtol=0)


def test_nystroem_on_a_quarter_of_the_points_predicts_as_the_exact_solution(normal):
    x, blocks = _problem(normal, 2000)
    train = {name: y[:1000] for name, y in blocks.items()}
    fits = (
        fit(x[:1000], train, SMOOTH),
        fit(x[:1000], train, RidgeGrid(SMOOTH.alphas, SMOOTH.gammas, exact_points=999, landmarks=250)),
    )
    assert [len(f.centres) for f in fits] == [1000, 250]
    exact, low_rank = (predict(f, x[1000:]) for f in fits)
    for name, y in blocks.items():
        # 250 landmarks span the smooth kernels in three dimensions: the promised agreement in R2 is 0.005.
        r2 = [r2_score(y[1000:], p[name]) for p in (exact, low_rank)]
        assert abs(r2[0] - r2[1]) < 0.005


def test_more_rows_than_one_chunk_are_predicted_alike(normal):
    x, blocks = _problem(normal, 60)
    fitted = fit(x, blocks)
    rows = normal(kernel_ridge._PREDICT_ROWS + 3, 3, seed=5)
    whole, tail = predict(fitted, rows), predict(fitted, rows[-10:])
    for name in blocks:
        torch.testing.assert_close(whole[name][-10:], tail[name])


def test_kernels_hold_no_denormal_numbers(normal):
    kernel = rbf_kernel(squared_distances(normal(300, 8), normal(300, 8, seed=1)), 100.0)
    assert (kernel == 0).any()
    assert (kernel[kernel > 0] >= 1e-20).all()


def test_distances_of_far_away_points_keep_their_digits(normal):
    x = normal(50, 3)
    # The centring leaves rounding of the offset itself, 1e6 * 1e-16 per coordinate.
    torch.testing.assert_close(squared_distances(x + 1e6, x + 1e6), torch.cdist(x, x).square(), atol=1e-8, rtol=0)


@given(n=st.integers(6, 60), folds=st.integers(2, 6))
def test_folds_are_those_of_scikit_learn(n, folds):
    ours = [np.arange(n)[fold] for fold in kernel_ridge._folds(n, folds)]
    theirs = [held_out for _, held_out in KFold(folds).split(np.zeros(n))]
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@given(seed=st.integers(0, 10_000), average=st.sampled_from(["uniform", "variance"]), flat=st.booleans())
def test_r2_is_that_of_scikit_learn_also_for_constant_targets(seed, average, flat):
    truth, predicted = torch.randn(2, 20, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    if flat:
        truth[:, :2], predicted[:, 0] = 1.0, 1.0  # a constant predicted exactly, and one predicted badly
    ours = determination(*squared_sums(truth, predicted), average)
    multioutput = {"uniform": "uniform_average", "variance": "variance_weighted"}[average]
    if average == "uniform" or not flat:  # scikit-learn ignores the error of constant targets when it weighs
        assert ours.item() == pytest.approx(r2_score(truth, predicted, multioutput=multioutput))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RidgeGrid(alphas=()), "`alphas` must be one or more positive"),
        (lambda: RidgeGrid(gammas=(0.0,)), "`gammas` must be one or more positive"),
        (lambda: RidgeGrid(folds=1), "`folds` must be at least 2; got 1"),
        (lambda: RidgeGrid(landmarks=0), "`landmarks` must be at least 1"),
        (lambda: fit(torch.zeros(30, 2), {}), "`targets` must hold at least one block"),
        (lambda: fit(torch.zeros(5, 2), {"y": torch.zeros(5, 1)}), "two points per fold"),
        (lambda: fit(torch.full((30, 2), torch.nan), {"y": torch.zeros(30, 1)}), "`x` must be finite"),
        (lambda: fit(torch.zeros(30, 2), {"y": torch.full((30, 1), torch.inf)}), "must be finite"),
        (lambda: fit(torch.zeros(30, 2), {"y": torch.zeros(30, 0)}), r"must be \(30, d >= 1\)"),
    ],
)
def test_arguments_that_break_a_rule_are_refused_with_the_rule(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_points_of_another_width_are_refused(normal):
    fitted = fit(normal(30, 2), {"y": normal(30, 1)})
    with pytest.raises(ValueError, match="`x` must have 2 columns; got 3"):
        predict(fitted, normal(4, 3))


def test_a_fit_to_codes_that_carry_gradients_is_a_constant(normal):
    x, y = normal(30, 2).requires_grad_(), normal(30, 1)
    fitted = fit(x, {"y": y})
    assert not fitted.blocks["y"].coefficients.requires_grad
    assert not predict(fitted, x)["y"].requires_grad
