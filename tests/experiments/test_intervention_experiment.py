import dataclasses
import hashlib
import json

import pytest
import torch

from scmlab.experiments import jobs
from scmlab.experiments.intervention import PRESETS, measure, run, total_steps
from scmlab.experiments.intervention.checks import checks
from scmlab.experiments.intervention.data import scene_spec, source
from scmlab.experiments.intervention.measure import EDITS, Side, _compared, accuracies, laws, prompts
from scmlab.experiments.intervention.work import build, plan
from scmlab.scm import stream
from scmlab.scm.scenes import caption_scenes, edit_scenes, push_scenes, sample_scenes, scene_noise
from scmlab.scm.store import BadFile
from scmlab.training.clip import caption_ids

TINY = dataclasses.replace(
    PRESETS["tiny"],
    arms=((1.0, "plain", 2), (1.0, "negclip", 1), (1.0, "paired", 1)),
    **{"workers": 1, "device": "cpu", "scenes": 32, "batch": 8, "test": 16, "attributed": 4, "checkpoint_every": 1},
)
SPEC = scene_spec(1.0, "relation")
REPRODUCED = ("rows", "by_seed", "codes", "codes_by_seed", "histories", "checks")


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return run(TINY, folder=tmp_path_factory.mktemp("jobs"))


@pytest.fixture(scope="module")
def clip():
    return build(TINY, "cpu", 0)


def test_a_side_whose_codes_are_all_equal_is_blind():
    seeing, constant = torch.eye(4), torch.tensor([0.0, 1.0, 0.0, 0.0]).expand(4, 4).contiguous()
    before, after = Side(seeing, constant), Side(seeing.flip(0), constant)
    found = _compared(before, after, before)
    assert (found["blind_both"], found["blind_text"], found["blind_image"]) == (0.0, 1.0, 0.0)
    assert found["text_moves"] == 0


def test_the_record_is_plain_data_with_a_row_per_arm_law_and_edit(record):
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert len(plan(TINY)) == 4
    assert total_steps(TINY) == 12
    for shortcut, method, seeds in TINY.arms:
        for law in ("in_distribution", "do"):
            of = {
                (row["operator"], row["category"]): row
                for row in record["rows"]
                if (row["shortcut"], row["method"], row["law"]) == (shortcut, method, law)
            }
            assert set(EDITS) <= set(of)
            for row in (of[edit] for edit in EDITS):
                each = [
                    entry["accuracy"]
                    for entry in record["by_seed"]
                    if all(entry[key] == row[key] for key in ("shortcut", "method", "law", "operator", "category"))
                ]
                assert row["seeds"] == len(each) == seeds
                assert row["accuracy"] == pytest.approx(sum(each) / seeds)
                assert (row["accuracy_sd"] is None) == (seeds == 1)
                assert 0 <= row["accuracy"] <= 1 - row["ties"] + 1e-9


def test_shares_of_word_classes_add_up_to_one(record):
    for entry in record["codes_by_seed"]:
        for method in ("attention", "gradcam", "perturbation", "gradient"):
            shares = [entry[f"{method}_{kind}"] for kind in ("other", "object", "attribute", "relation")]
            assert sum(shares) == pytest.approx(1, abs=1e-5)
            assert min(shares) >= 0
        assert 0 < entry["prompt_share"] < 1.5


def test_two_processes_give_the_numbers_of_one(record, tmp_path):
    arms = ((1.0, "plain", 2),)
    again = run(dataclasses.replace(TINY, arms=arms, workers=2), folder=tmp_path)
    for key in ("by_seed", "codes_by_seed", "histories"):
        of_plain = [entry for entry in record[key] if entry["method"] == "plain"]
        assert again[key] == of_plain


class KilledError(Exception):
    pass


def killed(config, folder, monkeypatch, *, job: str, step: int) -> None:
    """A run that ends in the middle of a job, after the checkpoint of the step."""

    def note(self, name: str, done: int) -> None:
        if (name, done) == (job, step):
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(jobs.Note, "__call__", note)
        with pytest.raises(KilledError):
            run(config, folder=folder)


def test_a_killed_run_goes_on_where_it_stopped_and_ends_with_the_same_record(record, tmp_path, monkeypatch):
    killed(TINY, tmp_path, monkeypatch, job="plain_1_1", step=2)
    noted = []
    monkeypatch.setattr(jobs.Note, "__call__", lambda self, name, done: noted.append((name, done)))
    resumed = run(TINY, folder=tmp_path)
    assert all(resumed[key] == record[key] for key in REPRODUCED)
    assert [done for name, done in noted if name == "plain_1_0"] == [3]  # finished before, only said so
    assert [done for name, done in noted if name == "plain_1_1"] == [3, 3]  # trained from step 2 on, then finished


@pytest.mark.parametrize("name", ["binding", "scenes", "negatives", "paired"])
def test_a_half_finished_training_of_another_configuration_is_not_gone_on_with(tmp_path, monkeypatch, refuses, name):
    config = dataclasses.replace(TINY, arms=((1.0, "plain", 1),))
    killed(config, tmp_path, monkeypatch, job="plain_1_0", step=2)
    other = {"binding": "attribute", "scenes": 33, "negatives": 1, "paired": 0.5}[name]
    with refuses("checkpoint", name, other, error=BadFile):
        run(dataclasses.replace(config, **{name: other}), folder=tmp_path)


def test_finished_jobs_of_another_configuration_are_refused(tmp_path, refuses):
    config = dataclasses.replace(TINY, arms=((1.0, "plain", 1),), steps=1)
    run(config, folder=tmp_path)
    with refuses("this configuration", "plain_1_0", error=BadFile):
        run(dataclasses.replace(config, test=17), folder=tmp_path)


def good(config) -> list[dict]:
    """Rows that hold every expectation."""
    rows = []
    for shortcut, method, _ in config.arms:
        blind = shortcut == 1 and method != "paired"
        for law, accuracy in (("in_distribution", 0.995), ("do", 0.5 if blind else 0.97)):
            for operator, category in EDITS:
                of = {"setting": f"shortcut {shortcut:g}", "control": None if method == "plain" else method}
                of |= {"shortcut": shortcut, "method": method, "law": law, "accuracy": accuracy}
                rows.append(of | {"operator": operator, "category": category})
    return rows


ARMS = ((1.0, "plain", 1), (1.0, "negclip", 1), (1.0, "algorithm_1", 1), (1.0, "paired", 1), (0.5, "plain", 1))
CHECKED = dataclasses.replace(TINY, arms=(*ARMS, (1.0, "cae_attention", 1), (0.0, "plain", 1)))
BLIND_TOO = {"plain": (0.39, 0.66), "negclip": (0.66,), "algorithm_1": (0.66,)}  # under do() at shortcut 1


@pytest.mark.parametrize("binding", ["relation", "attribute"])
def test_each_expectation_fails_on_a_record_that_breaks_it_and_on_no_other(binding):
    config = dataclasses.replace(CHECKED, binding=binding)
    hidden = {"relation": [("swap", "object"), ("replace", "relation")], "attribute": [("swap", "attribute")]}[binding]
    rows = good(config)
    found = checks(config, rows)
    assert all(check["held"] for check in found)
    expected = 0
    for row in rows:
        of = (row["operator"], row["category"])
        values = ()
        if of in hidden and (row["shortcut"], row["law"]) == (1, "in_distribution"):
            values = {"plain": (0.969,), "negclip": (0.989,), "algorithm_1": (0.989,)}.get(row["method"], ())
        if of in hidden and row["law"] == "do":
            if row["shortcut"] == 1:
                values = BLIND_TOO | {"paired": (0.949,)}
                values = values.get(row["method"], ())
            elif row["shortcut"] == 0:
                values = (0.949,)
        expected += bool(values)
        for value in values or (0.0,):
            broken = checks(config, [row | {"accuracy": value} if row is other else other for other in rows])
            failed = [check for check in broken if not check["held"]]
            assert len(failed) == bool(values), row
            if values:
                (failure,) = failed
                assert (failure["setting"], failure["control"]) == (row["setting"], row["control"])
                assert f"{value:.3f}" == failure["measured"]
        for lacking in ([row | {"accuracy": None} if row is other else other for other in rows], drop(rows, row)):
            assert sum(not check["held"] for check in checks(config, lacking)) == bool(values)
    assert len(found) == expected == 8 * len(hidden)


def drop(rows: list[dict], row: dict) -> list[dict]:
    return [other for other in rows if other is not row]


def coded(key):
    """An encoder of both sides that gives each value of key(scene's caption) a direction of its own."""

    def encode(clip, spec, scenes) -> Side:
        codes = torch.stack([direction(key(caption)) for caption in caption_scenes(spec, scenes)])
        return Side(codes, codes)

    return encode


def direction(text: str) -> torch.Tensor:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return torch.nn.functional.normalize(torch.randn(16, generator=torch.Generator().manual_seed(seed)), dim=0)


def without_template(caption: str) -> str:
    words = caption.replace(",", "").split()
    return " ".join(word for word in words if word not in ("there", "here", "is", "a", "an", "the", "and", "to"))


def bag(caption: str) -> str:
    return " ".join(sorted(without_template(caption).split()))


AXES = {"left of": 0, "right of": 0, "above": 1, "below": 1}


@pytest.mark.parametrize("names", [("left of", "above", "in", "overlapping", "right of"), ("below", "in", "left of")])
def test_kinds_of_replaced_relations_are_those_of_relations_with_a_direction_whatever_else_there_is(
    monkeypatch, clip, names
):
    spec = dataclasses.replace(SPEC, relations=names, shortcut=0.0)
    scenes = sample_scenes(spec, 200, generator=stream(0, "test"))
    monkeypatch.setattr(measure, "encode", coded(without_template))
    found = {entry["category"]: entry["pairs"] for entry in accuracies(clip, spec, scenes, "do", seed=0)}
    edited = edit_scenes(spec, scenes, "replace", "relation", generator=stream(0, "edits", "replace", "relation"))
    counted = {measure.OPPOSITE: 0, measure.OTHER_AXIS: 0}
    for before, after, valid in zip(scenes.relation, edited.scenes.relation, edited.valid, strict=True):
        if valid and (pair := {names[before], names[after]}) <= set(AXES):
            counted[measure.OPPOSITE if len({AXES[name] for name in pair}) == 1 else measure.OTHER_AXIS] += 1
    assert {name: found.get(name, 0) for name in counted} == counted
    assert 0 < sum(counted.values()) < found["relation"]


@pytest.mark.parametrize("law", ["in_distribution", "do"])
def test_an_encoder_of_the_meaning_is_always_right_and_one_of_bags_of_words_ties_on_exchanges(monkeypatch, clip, law):
    scenes = sample_scenes(SPEC, 200, generator=stream(0, "test"), do=laws("relation")[law])
    monkeypatch.setattr(measure, "encode", coded(without_template))
    for entry in accuracies(clip, SPEC, scenes, law, seed=0):
        assert (entry["accuracy"], entry["image_accuracy"], entry["ties"]) == (1, 1, 0)
        assert entry["blind_both"] == entry["blind_text"] == entry["blind_image"] == 0
        assert entry["law"] == law
        assert entry["text_moves"] == pytest.approx(1, abs=0.25)  # as far as to another scene
    monkeypatch.setattr(measure, "encode", coded(bag))
    for entry in accuracies(clip, SPEC, scenes, law, seed=0):
        blind = entry["operator"] == "swap"
        assert (entry["ties"], entry["blind_both"], entry["accuracy"]) == (blind, blind, not blind)
        assert (entry["text_moves"] == 0) == blind


def test_blindness_of_one_side_is_named_after_that_side_and_a_worse_code_is_wrong(monkeypatch, clip):
    meaning, bags = coded(without_template), coded(bag)
    scenes = sample_scenes(SPEC, 100, generator=stream(0, "test"))
    monkeypatch.setattr(measure, "encode", lambda *args: Side(images=meaning(*args).images, texts=bags(*args).texts))
    entry = next(accuracies(clip, SPEC, scenes, "do", seed=0))
    assert (entry["operator"], entry["category"]) == ("swap", "object")
    assert (entry["blind_text"], entry["blind_image"], entry["blind_both"]) == (1, 0, 0)
    assert (entry["accuracy"], entry["ties"]) == (0, 1)
    assert entry["image_moves"] > 0.5
    monkeypatch.setattr(measure, "encode", lambda *args: Side(-meaning(*args).images, meaning(*args).texts))
    assert {entry["accuracy"] for entry in accuracies(clip, SPEC, scenes, "do", seed=0)} == {0}


def test_the_share_of_wording_is_1_for_codes_of_the_template_and_0_for_codes_of_the_meaning(monkeypatch, clip):
    scenes = sample_scenes(SPEC, 40, generator=stream(0, "test"))
    monkeypatch.setattr(measure, "encode", coded(without_template))
    assert prompts(clip, SPEC, scenes, 8, seed=0)["prompt_share"] == pytest.approx(0, abs=1e-6)
    monkeypatch.setattr(measure, "encode", coded(lambda caption: caption.split()[0]))
    assert prompts(clip, SPEC, scenes, 8, seed=0)["prompt_share"] == pytest.approx(1, abs=0.15)


def test_under_do_the_pair_says_nothing_and_each_test_scene_is_a_fresh_draw():
    law = sample_scenes(SPEC, 4000, generator=stream(0, "training scenes"))
    scenes = sample_scenes(SPEC, 4000, generator=stream(0, "test scenes", "do"), do=laws("relation")["do"])
    known, said = set(map(without_template, caption_scenes(SPEC, law))), caption_scenes(SPEC, scenes)
    share = sum(without_template(caption) in known for caption in said) / 4000
    assert abs(share - 1 / 8) < 4 * (1 / 8 * 7 / 8 / 4000) ** 0.5  # one of 4 relations and 2 subjects, by chance
    assert not torch.equal(law.background, scenes.background)


def test_paired_draws_scenes_with_their_counterfactuals_and_no_other_method_sees_one(clip):
    config = dataclasses.replace(TINY, scenes=400, batch=8, paired=0.25)
    noise = scene_noise(SPEC, 400, generator=stream(3, "training scenes"))
    said = [caption_scenes(SPEC, push_scenes(SPEC, noise, do)) for do in (None, {"relation": "uniform"})]
    law, free = map(caption_ids, said)
    drawn = source(config, "paired", SPEC, clip, seed=3)
    assert torch.equal(drawn.pool.text_ids, torch.cat((law, free)))
    rows = torch.randint(400, (6,), generator=stream(0))
    assert torch.equal(drawn(0, stream(0)).text_ids, torch.cat((law[rows], free[rows[:2]])))
    known = set(law.tolist())
    assert sum(number in known for number in free.tolist()) / 400 < 0.25  # 1 of 8
    for method in ("plain", "algorithm_1"):
        other = source(config, method, SPEC, clip, seed=3)
        assert torch.equal(other.pool.text_ids, law)
        assert len(other(0, stream(0))) == 8


def test_images_of_the_pool_share_a_number_if_and_only_if_they_are_equal(clip):
    config = dataclasses.replace(TINY, scenes=300)
    pool = source(config, "plain", SPEC, clip, seed=0).pool
    _, image = pool.pixels.flatten(1).unique(dim=0, return_inverse=True)
    equal = image[:, None] == image
    assert torch.equal(pool.image_ids[:, None] == pool.image_ids, equal)
    assert equal.sum() > 300


BAD = [
    *(("patch", 0), ("patch", 5), ("patch", -8), ("width", 0), ("width", 48), ("layers", 0), ("steps", 0)),
    *(("batch", 1), ("batch", 33), ("scenes", 1), ("warmup", -1), ("lr", 0.0), ("lr", float("nan"))),
    *(("weight_decay", -1.0), ("attribution_weight", float("inf")), ("negatives", 0), ("paired", 0.0)),
    *(("paired", 0.6), ("test", 8), ("attributed", 17), ("attributed", 0), ("paraphrases", 1), ("workers", -1)),
    *(("checkpoint_every", 0), ("synonyms", 3)),
    *(("arms", ()), ("arms", ((1.0, "plain", 1), (1.0, "plain", 2))), ("arms", ((1.5, "plain", 1),))),
    *(("arms", ((1.0, "plain", 0),)), ("arms", ((float("nan"), "plain", 1),))),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_a_configuration_that_cannot_be_is_refused_by_name_and_value(refuses, name, value):
    shown = value if not isinstance(value, tuple) or len(value) != 1 else value[0]
    with refuses(f"`{name}` must", shown):
        dataclasses.replace(TINY, **{name: value})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_train_every_method_they_name_and_only_once(name):
    jobs = plan(PRESETS[name])
    assert len({job.name for job in jobs}) == len(jobs) == sum(arm[2] for arm in PRESETS[name].arms)


def test_every_method_has_a_cost_by_which_the_longest_start_first():
    from scmlab.experiments.intervention.run import COST

    assert set(COST) | {"plain", "paired"} == {method for _, method, _ in PRESETS["full"].arms}
