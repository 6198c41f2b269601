import math
from dataclasses import astuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from scmlab.objectives import infonce
from scmlab.theory.modality_gap import agreement, modality_gap, moves, reordered, score_matrix, typical_distance

SIMILARITIES = ("dot", "cosine", "distance")


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gap_world(seed, n=12, spread=3):
    """Unit codes of both modalities in `spread` of the spread + 2 axes, off the origin along the last; turned."""
    turn = torch.linalg.qr(normal(spread + 2, spread + 2, seed=seed)).Q
    image, text = normalize(normal(2, n, spread, seed=seed + 1), dim=-1)
    centre = torch.tensor([0.0, 0.5], dtype=torch.float64).expand(n, 2)
    image, text = (torch.cat((codes, centre), 1) @ turn for codes in (image, text))
    return image, text, turn


@given(st.integers(0, 10_000), st.floats(0.1, 5.0), st.floats(-3.0, 3.0))
def test_a_constant_gap_orthogonal_to_the_centred_codes_changes_no_ranking(seed, across, along_centre):
    image, text, turn = gap_world(seed)
    gap = across * turn[-2] + along_centre * turn[-1]
    for name in SIMILARITIES:
        assert reordered(score_matrix(image, text, name), score_matrix(image, text + gap, name), tolerance=1e-9) == 0


@given(st.integers(0, 10_000))
def test_a_gap_inside_the_span_or_of_its_own_for_each_pair_changes_rankings(seed):
    image, text, turn = gap_world(seed)
    inside, own = turn[0] + turn[1], turn[-2] + 0.5 * normal(12, 5, seed=seed + 2)
    for name in SIMILARITIES:
        for gap in (inside, own):
            assert reordered(score_matrix(image, text, name), score_matrix(image, text + gap, name)) > 0


@given(st.integers(0, 10_000))
def test_for_an_image_captions_keep_their_order_by_inner_product_under_any_constant_gap(seed):
    image, text, turn = gap_world(seed)
    before, after = (score_matrix(image, y, "dot") for y in (text, text + turn[0]))
    assert torch.equal(before.argsort(1), after.argsort(1))
    assert not torch.equal(before.argsort(0), after.argsort(0))


def test_infonce_by_distance_does_not_see_an_orthogonal_constant_gap():
    image, text, turn = gap_world(3)
    assert infonce(image, text + 2 * turn[-2]).item() == pytest.approx(infonce(image, text).item(), abs=1e-12)
    assert infonce(image, text + 2 * turn[0]).item() != pytest.approx(infonce(image, text).item(), abs=0.1)


def test_the_measures_of_a_constant_gap_across_the_span():
    image, _, turn = gap_world(0)
    found = modality_gap(image + 2.5 * turn[-2], image)
    assert found.length == pytest.approx(2.5, abs=1e-12)
    assert found.direction == pytest.approx(1, abs=1e-12)
    assert found.spread == pytest.approx(0, abs=1e-12)
    assert found.along == pytest.approx(0, abs=1e-20)
    # three directions of variance, all orthogonal to the gap; the two others span it
    assert found.principal[:3].abs().max() < 1e-9
    assert found.principal[3:].square().sum().item() == pytest.approx(1, abs=1e-12)


def test_the_measures_of_a_gap_along_the_only_direction_of_the_codes():
    line = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None] * torch.tensor([[0.6, 0.8]], dtype=torch.float64)
    found = modality_gap(line + torch.tensor([0.6, 0.8], dtype=torch.float64), line)
    assert (found.length, found.along) == pytest.approx((1, 1))
    assert found.principal.tolist() == pytest.approx([1, 0], abs=1e-12)


def test_the_spread_of_a_gap_is_relative_to_its_length():
    text = torch.zeros(2, 2, dtype=torch.float64)
    image = torch.tensor([[2.0, 1.0], [2.0, -1.0]], dtype=torch.float64)  # differences of length sqrt 5, 2 in the mean
    found = modality_gap(image, text)
    assert (found.length, found.spread, found.direction) == pytest.approx((2, 1 / 2, 2 / math.sqrt(5)))
    doubled = modality_gap(2 * image, text)
    assert (doubled.spread, doubled.direction, doubled.along) == pytest.approx(
        (found.spread, found.direction, found.along)
    )


@given(st.integers(0, 10_000))
def test_the_measures_do_not_depend_on_the_axes_the_origin_or_the_order_of_the_pairs(seed):
    image, text = normal(8, 4, seed=seed), normal(8, 4, seed=seed + 1)
    turn, order = torch.linalg.qr(normal(4, 4, seed=seed + 2)).Q, list(reversed(range(8)))
    one, two = modality_gap(image, text), modality_gap(*((codes @ turn)[order] + 3 for codes in (image, text)))
    for name in ("length", "direction", "spread", "along"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-9)
    assert torch.allclose(one.principal, two.principal, atol=1e-6)


def test_scores_are_what_their_names_say():
    image, text = normal(3, 4), normal(5, 4, seed=1)
    cosine = [[torch.cosine_similarity(x, y, dim=0) for y in text] for x in image]
    assert torch.allclose(score_matrix(image, text, "dot"), image @ text.T)
    assert torch.allclose(score_matrix(image, text, "cosine"), torch.tensor(cosine, dtype=torch.float64))
    assert torch.allclose(score_matrix(image, text, "distance"), -torch.cdist(image, text).square())


def test_comparisons_are_counted_in_both_directions():
    scores = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
    assert reordered(scores, scores) == 0
    assert reordered(scores, 5 * scores - 1) == 0
    assert reordered(scores, -scores) == 1
    # captions of image 0 change places; of the comparisons by column none does
    assert reordered(scores, torch.tensor([[1.0, 1.5], [0.0, 3.0]])) == pytest.approx(1 / 4)
    # a tie that opens counts
    assert reordered(torch.zeros(2, 2), torch.tensor([[1.0, 0.0], [1.0, 0.0]])) == pytest.approx(1 / 2)


def test_moves_are_in_units_of_the_distance_between_different_codes():
    codes = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert moves(codes, codes).tolist() == [0, 0]
    assert moves(codes, codes.flip(0)).tolist() == pytest.approx([1, 1])
    many = normal(50, 3)
    rms = torch.pdist(many).square().mean().sqrt()
    assert moves(many, many + 1).tolist() == pytest.approx([(3**0.5 / rms).item()] * 50)
    assert typical_distance(many).item() == pytest.approx(rms.item())
    some = moves(many[:1], many[:1] + 1, unit=typical_distance(many))
    assert some.tolist() == pytest.approx([(3**0.5 / rms).item()])


def test_agreement_counts_edits_by_which_side_is_blind():
    found = agreement(torch.tensor([0.0, 0.0, 1.0, 1.0, 0.0]), torch.tensor([0.0, 1.0, 1.0, 0.0, 0.0]), blind_below=0.5)
    assert astuple(found) == pytest.approx((0.4, 0.2, 0.2, 0.2))
    assert found.share == pytest.approx(0.6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: modality_gap(torch.zeros(1, 2), torch.ones(1, 2)),
        lambda: modality_gap(torch.ones(3, 2), torch.ones(3, 2)),
        lambda: reordered(torch.zeros(2, 1), torch.zeros(2, 1)),
        lambda: moves(torch.ones(3, 2), torch.ones(3, 2)),
        lambda: agreement(torch.zeros(0), torch.zeros(0), blind_below=0.1),
    ],
)
def test_codes_without_a_gap_a_comparison_or_an_edit_are_refused(call, refuses):
    with refuses("must"):
        call()
