import dataclasses
import json

import pytest
import torch

from scmlab.experiments.identifiability import PRESETS, run
from scmlab.experiments.identifiability.checks import CONTROLS, checks
from scmlab.experiments.identifiability.config import Config
from scmlab.experiments.identifiability.measure import Sizes, Subject, measure
from scmlab.experiments.identifiability.plan import plan
from scmlab.scm import SentenceSCM, cast, draw_world, invert, sides, stream
from scmlab.theory import optimum

TINY = dataclasses.replace(PRESETS["tiny"], workers=1)
FIELDS = ("setting", "control", "side", "block", "r2", "r2_linear", "r2_back", "leak", "oracle", "r2_permuted", "seeds")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return run(TINY, folder=tmp_path_factory.mktemp("jobs"))


def test_there_is_one_row_per_setting_control_side_and_block(record):
    expected = [
        (job.setting, job.control, side, block)
        for job in plan(TINY)
        for side, blocks in sides(job.scm).items()
        for block in blocks
    ]
    assert [(row["setting"], row["control"], row["side"], row["block"]) for row in record["rows"]] == expected
    for row in record["rows"]:
        assert set(FIELDS) <= set(row)
        assert all(f"{name}_sd" in row for name in ("r2", "r2_linear", "r2_back", "leak", "oracle", "r2_permuted"))
        assert (row["r2_back"] is None) == (row["block"] != "z_inv")
        assert (row["leak"] is None) == (row["block"] == "z_inv")


def test_the_record_is_plain_json_without_nan(record):
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_every_setting_and_every_control_with_an_expectation_is_checked(record):
    checked = {(check["setting"], check["control"]) for check in record["checks"]}
    for job in plan(TINY):
        assert ((job.setting, job.control) in checked) == (job.control is None or job.control in CONTROLS)


def test_the_closed_form_optimum_holds_all_its_exact_expectations_at_any_size(record):
    exact = [
        c for c in record["checks"] if c["setting"].startswith("darmois") and c["name"] in ("known map", "leak", "loss")
    ]
    assert len(exact) == 9
    assert all(check["held"] for check in exact)


def test_untrained_encoders_pass_neither_for_identified_nor_for_a_control_that_failed_for_its_reason(record):
    trained = [check for check in record["checks"] if not check["setting"].startswith("darmois")]
    assert {check["control"] for check in trained} == {None, *CONTROLS}
    assert not any(check["held"] for check in trained)


def test_a_second_run_and_one_with_two_processes_give_the_same_numbers(record, tmp_path):
    again = run(dataclasses.replace(TINY, workers=2), folder=tmp_path)
    keys = ("rows", "codes", "histories", "scatter", "checks")
    assert all(again[key] == record[key] for key in keys)


def test_a_killed_run_goes_on_and_ends_with_the_same_record(record, tmp_path, monkeypatch):
    module = "scmlab.experiments.identifiability.work"
    import scmlab.experiments.identifiability.work as work

    calls = 0

    def measured(*arguments):
        nonlocal calls
        calls += 1
        if calls == 5:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(f"{module}.measure", measured)
    with pytest.raises(KeyboardInterrupt):
        run(TINY, folder=tmp_path)
    finished = sorted(path.name for path in tmp_path.glob("*.json"))
    assert finished
    monkeypatch.setattr(work, "measure", measure)
    again = run(TINY, folder=tmp_path)
    assert all(again[key] == record[key] for key in ("rows", "codes", "histories", "checks"))


def test_results_of_another_configuration_are_refused_not_mixed_in(tmp_path):
    small = dataclasses.replace(TINY, steps=2)
    run(small, folder=tmp_path)
    with pytest.raises(ValueError, match="must hold results of this configuration"):
        run(dataclasses.replace(small, lr=1e-3), folder=tmp_path)


def test_an_option_that_the_literatures_settings_would_ignore_is_refused():
    with pytest.raises(ValueError, match="`text_encoder` must stay 'mlp' for `family` daunhawer"):
        dataclasses.replace(PRESETS["full"], text_encoder="bag")


def test_the_literatures_settings_run_with_its_network_sizes():
    jobs = plan(PRESETS["full"])
    assert len(jobs) == 10
    assert {job.image.widths for job in jobs if job.scm.pr_img} == {(150, 750, 750, 750, 750, 150)}
    small = dataclasses.replace(
        PRESETS["full"], seeds=(0,), dim=1, steps=2, batch=8, points=64, leak_points=64, workers=1, device="cpu"
    )
    record = run(small)
    assert {row["setting"] for row in record["rows"]} == {job.setting for job in jobs}


def subject(encode, *, spec=None, seed=0, **read):
    spec = spec or SentenceSCM()
    world = draw_world(spec, generator=stream(seed, "world"))
    return Subject(spec, world, seed, encode(spec, cast(world, torch.float64)), double=True, **read)


def value(found, side, block, key):
    return next(row[key] for row in found["rows"] if (row["side"], row["block"]) == (side, block))


def test_an_encoder_that_returns_z_inv_is_kept_pure_and_without_leak():
    exact = measure(
        subject(lambda s, w: {side: lambda x, side=side: invert(s, w, side, x) for side in sides(s)}), SMALL
    )
    for side, block in (("image", "z_dp_img"), ("text", "z_pr_tex")):
        assert value(exact, side, "z_inv", "r2") > 0.999
        assert value(exact, side, "z_inv", "r2_back") > 0.999
        assert value(exact, side, block, "leak") < 1e-12
        assert value(exact, side, "z_inv", "leak_total") < 1e-12


def test_an_encoder_that_adds_known_noise_has_the_leak_and_purity_of_its_variance_share():
    # z_inv and z_pr_img are standard normal and independent: a share 1/5 of the code's variance is private
    def encode(spec, world):
        from scmlab.scm.equations import part
        from scmlab.scm.mixing import unmix

        def image(x):
            z = unmix(spec.mixing, part(world, "f"), x)
            return z[:, :3] + 0.5 * z[:, 6:]

        return {"image": image, "text": optimum(spec, world)["text"]}

    found = measure(subject(encode), SMALL)
    leak, se = (value(found, "image", "z_pr_img", key) for key in ("leak", "leak_se"))
    assert abs(leak - 0.2) < 4 * se
    assert value(found, "image", "z_dp_img", "leak") < 1e-12
    # R2 of 1024 test points in three dimensions: standard error below 0.01, and kernel ridge loses a little
    assert value(found, "image", "z_inv", "r2_back") == pytest.approx(0.8, abs=0.05)
    assert value(found, "image", "z_inv", "leak_total") == pytest.approx(0.2, abs=0.02)


SMALL = Sizes(points=2048, leak_points=4096)


def test_permuting_z_inv_separates_what_the_oracle_and_the_code_share():
    """z_dp depends on z_inv, so a perfect code predicts it; with z_inv permuted and z_dp held it does not."""
    exact = measure(subject(optimum, read=torch.special.ndtri), SMALL)
    oracle, r2, permuted = (value(exact, "image", "z_dp_img", key) for key in ("oracle", "r2", "r2_permuted"))
    assert r2 == pytest.approx(oracle, abs=0.02)
    assert r2 > 0.2
    assert abs(permuted) < 0.05


@pytest.fixture
def perfect(record):
    """Results in which every expectation holds, made from a record's shape."""
    results = {job.name: {"rows": [], "codes": [], "estimates": []} for job in plan(TINY)}
    for job in plan(TINY):
        for kind, source in (("rows", "by_seed"), ("codes", "codes"), ("estimates", "estimates")):
            results[job.name][kind] = [
                dict(e) for e in record[source] if (e["setting"], e["control"]) == (job.setting, job.control)
            ]
        low = {"dropped_inv": ("image",), "corrupted_inv": ("text",), "encoder_too_small": ("image", "text")}
        content = {"shared_private": "z_pr", "dp_equal": "z_dp"}.get(job.control, "none")
        for row in results[job.name]["rows"]:
            row |= {
                "r2": 0.5 if row["side"] in low.get(job.control, ()) else 1.0,
                "r2_dropped": 0.3,
                "r2_not_dropped": 1.0,
            }
            row |= {"r2_back": 1.0, "accuracy": None if row["accuracy"] is None else 1.0}
            if row["block"] != "z_inv":
                row |= {"leak": 0.3 if row["block"].startswith(content) else 0.0, "leak_se": 0.001}
        for code in results[job.name]["codes"]:
            code["variance"] = 1e-9 if job.control == "no_negatives" else 1.0
    return results


def held(results):
    return {(c["setting"], c["control"], c["name"]): c["held"] for c in checks(TINY, plan(TINY), results)}


def test_results_as_the_theory_says_hold_every_expectation(perfect):
    assert all(held(perfect).values())


@pytest.mark.parametrize(
    ("job", "side", "block", "key", "names"),
    [
        ("sentence", "image", "z_inv", "r2", {"kept"}),
        ("sentence", "text", "z_inv", "r2", {"kept"}),
        ("sentence", "text", "z_inv", "r2_back", {"pure"}),
        ("sentence", "image", "z_dp_img", "leak", {"leak", "equivalent to no leak"}),
        ("sentence", "text", "z_pr_tex", "leak", {"leak", "equivalent to no leak"}),
        ("discrete", "text", "z_inv", "accuracy", {"decoded"}),
        ("darmois", "text", "z_pr_tex", "leak", {"leak"}),
        ("darmois", "image", "z_inv", "r2", {"kept"}),
        ("sentence.shared_private", "text", "z_pr_tex", "leak", {"content leaks"}),
        ("sentence.shared_private", "image", "z_dp_img", "leak", {"content leaks"}),
        ("sentence.dp_equal", "text", "z_dp_tex", "leak", {"content leaks"}),
        ("sentence.dropped_inv", "image", "z_inv", "r2_dropped", {"not kept"}),
        ("sentence.corrupted_inv", "text", "z_inv", "r2", {"not kept"}),
        ("sentence.corrupted_inv", "image", "z_inv", "r2", {"not kept"}),
        ("sentence.encoder_too_small", "text", "z_inv", "r2", {"not kept"}),
        ("sentence.encoder_too_small", "text", "z_inv", "r2_back", {"not kept"}),
    ],
)
def test_a_single_missing_value_fails_the_expectations_that_rest_on_it_and_no_other(
    perfect, job, side, block, key, names
):
    (row,) = [r for r in perfect[job]["rows"] if (r["side"], r["block"]) == (side, block)]
    row[key] = None
    setting, _, control = job.partition(".")
    missed = {where for where, ok in held(perfect).items() if not ok}
    assert missed == {(setting, control or None, name) for name in names}


def test_codes_without_any_variance_are_not_called_collapsed_by_division(perfect):
    for name in ("sentence", "sentence.no_negatives"):
        for code in perfect[name]["codes"]:
            code["variance"] = 0.0
    assert not held(perfect)["sentence", "no_negatives", "collapse"]


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        *(("dim", 0), ("dim", 1), ("steps", 0), ("batch", 1), ("seeds", ()), ("seeds", (1, 1)), ("seeds", (-1,))),
        *(("lr", 0.0), ("lr", float("nan")), ("points", 8), ("workers", -1), ("kept", 1.5), ("tokens", 0)),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_by_name_and_value(field, bad):
    with pytest.raises(ValueError, match=f"`{field}` must") as error:
        dataclasses.replace(Config(), **{field: bad})
    assert str(bad) in str(error.value)
