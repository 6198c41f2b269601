from collections import defaultdict
from pathlib import PurePosixPath

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from scmlab.benchmarks.aggregates import AGGREGATES
from scmlab.benchmarks.cells import cells
from scmlab.benchmarks.item import Benchmark, ImageRef, Item
from scmlab.benchmarks.known import BENCHMARKS
from scmlab.benchmarks.loaders.valse import PIECES
from scmlab.benchmarks.loaders.vl_checklist import CATEGORIES
from scmlab.benchmarks.ranks import Gallery
from scmlab.benchmarks.scoring import Scored, score_items


def item(number: int, category: str, tags: dict | None = None) -> Item:
    image = ImageRef("root", PurePosixPath(f"{number}.png"))
    return Item(f"{category}/{number}", (image,), ("right", "wrong"), ((0, 0),), category, tags or {})


def choice(items: list[Item], credit: list[int | None], aggregate: str = "accuracy/1") -> Scored:
    """Items that are right (1), wrong (0) or missing (None); aggregate: the benchmark's own."""
    scores = [None if right is None else np.array([[float(right), 0.5]]) for right in credit]
    return score_items(Benchmark("made", tuple(items), "choice", "strict", aggregate), scores)


def by_category(scored: Scored) -> dict[str, float]:
    """Mean per category by a loop, in percent."""
    found = defaultdict(list)
    for one, credit in zip(scored.benchmark.items, scored.correct, strict=True):
        if not np.isnan(credit):
            found[one.category].append(credit)
    return {name: 100 * sum(credit) / len(credit) for name, credit in found.items()}


def random_choice(
    categories: list[str], tags=lambda category: {}, *, most: int = 9, aggregate: str = "accuracy/1"
) -> Scored:
    random = np.random.default_rng(0)
    names = [name for name in categories for _ in range(random.integers(1, most))]
    random.shuffle(names)
    items = [item(i, name, tags(name)) for i, name in enumerate(names)]
    return choice(items, random.integers(0, 2, len(items)).tolist(), aggregate)


def test_every_official_aggregate_is_known():
    assert {"sugarcrepe/1", "vg_relation/1", "winoground/1", "similarity/1"} <= set(AGGREGATES)
    assert all(name == aggregate.name and "/" in name for name, aggregate in AGGREGATES.items())
    assert BENCHMARKS


def test_accuracy_is_the_mean_over_items_and_per_category():
    items = [item(0, "a"), item(1, "b"), item(2, "b"), item(3, "a")]
    for name in ("accuracy/1", *SHUFFLES):
        found = AGGREGATES[name](choice(items, [1, 0, 1, None], name))
        assert found == {"accuracy": pytest.approx(200 / 3), "a": 100.0, "b": 50.0}


SHUFFLES = ("order/1", "order_parser/1", "order_given/1")


@pytest.mark.parametrize(
    ("own", "others"),
    [
        *((own, [name for name in SHUFFLES if name != own]) for own in SHUFFLES),
        ("vg_relation_given/1", ["vg_relation/1", "vg_relation_cae/1"]),
        ("vg_relation/1", ["vg_relation_given/1"]),
        ("vg_relation_cae/1", ["vg_relation_given/1"]),
    ],
)
def test_no_number_goes_by_the_name_of_another_list_or_of_other_shuffles(refuses, own, others):
    scored = random_choice(["near", "on"], lambda name: {"left_out": ""}, aggregate=own)
    assert AGGREGATES[own](scored)
    for name in others:
        with refuses(name, "made"):
            AGGREGATES[name](scored)


SUGARCREPE = ["replace_obj", "replace_att", "replace_rel", "swap_obj", "swap_att", "add_obj", "add_att"]


def test_sugarcrepe_averages_over_items_and_its_other_aggregate_over_categories():
    scored = random_choice(SUGARCREPE)
    each, numbers = by_category(scored), AGGREGATES["sugarcrepe/1"](scored)
    assert {name: numbers[name] for name in SUGARCREPE} == pytest.approx(each)
    for kind in ("replace", "swap", "add"):
        credit = [
            c for one, c in zip(scored.benchmark.items, scored.correct, strict=True) if one.category[:3] == kind[:3]
        ]
        assert numbers[kind] == pytest.approx(100 * np.mean(credit))
    assert numbers["all"] == pytest.approx(100 * scored.correct.mean())
    cae = AGGREGATES["sugarcrepe_cae/1"](scored)
    assert cae["relation"] == pytest.approx(each["replace_rel"])
    assert cae["attribute"] == pytest.approx((each["add_att"] + each["replace_att"] + each["swap_att"]) / 3)
    assert cae["object"] == pytest.approx((each["add_obj"] + each["replace_obj"] + each["swap_obj"]) / 3)


def test_a_mean_of_categories_that_are_not_loaded_is_not_given():
    scored = random_choice(["replace_rel", "swap_obj", "swap_att"])
    assert set(AGGREGATES["sugarcrepe/1"](scored)) == {"replace_rel", "swap_obj", "swap_att", "swap", "all"}
    assert set(AGGREGATES["sugarcrepe_cae/1"](scored)) == {"replace_rel", "swap_obj", "swap_att", "relation"}


def test_a_category_without_scored_items_is_no_number_and_neither_are_its_means():
    scored = choice([item(i, name) for i, name in enumerate(SUGARCREPE)], [1, 1, 1, 1, 1, 1, None])
    numbers = AGGREGATES["sugarcrepe_cae/1"](scored)
    assert np.isnan(numbers["add_att"])
    assert np.isnan(numbers["attribute"])
    assert numbers["object"] == 100


def test_relations_on_the_list_are_left_out_of_the_mean():
    left_out = {"near": "official", "with": "official", "pulling": "cae", "on": "", "in": ""}
    scored = random_choice(list(left_out), lambda name: {"left_out": left_out[name]}, aggregate="vg_relation/1")
    each = by_category(scored)
    numbers = {name: AGGREGATES[name](scored) for name in ("vg_relation/1", "vg_relation_cae/1", "vg_relation_all/1")}
    official = [each["on"], each["in"], each["pulling"]]
    assert numbers["vg_relation/1"]["macro"] == pytest.approx(sum(official) / 3)
    assert numbers["vg_relation_cae/1"]["macro"] == pytest.approx((each["on"] + each["in"]) / 2)
    assert numbers["vg_relation_all/1"]["macro"] == pytest.approx(sum(each.values()) / 5)
    for found in numbers.values():
        assert found["macro_all"] == pytest.approx(sum(each.values()) / 5)
        assert found["micro"] == pytest.approx(100 * scored.correct.mean())
    assert "near" not in numbers["vg_relation/1"]
    tags = {"a": {"left_out": "given"}, "b": {"left_out": ""}}
    given = random_choice(["a", "b"], tags.get, aggregate="vg_relation_given/1")
    assert AGGREGATES["vg_relation_given/1"](given)["macro"] == pytest.approx(by_category(given)["b"])


def test_a_mean_over_all_relations_is_one_over_those_that_were_scored():
    scored = choice([item(i, name, {}) for i, name in enumerate(["on", "on", "in"])], [1, 0, None])
    numbers = AGGREGATES["vg_relation_all/1"](scored)
    assert (numbers["macro"], numbers["macro_all"], numbers["on"]) == (50, 50, 50)
    assert np.isnan(numbers["in"])


def test_a_list_that_was_not_given_is_not_taken_for_empty(refuses):
    with refuses("vg_relation/1", "made"):
        AGGREGATES["vg_relation/1"](random_choice(["near", "on"]))


def test_pairs_of_attributes_count_by_their_items_in_the_benchmark():
    sizes = {"big_small": 25, "old_new": 24, "red_blue": 30}
    items = [item(i, name) for i, name in enumerate(name for name, size in sizes.items() for _ in range(size))]
    credit = [1] * 5 + [None] * 20 + [0] * 24 + [0] * 30  # 20 of 25 are missing: the pair counts still
    numbers = AGGREGATES["vg_attribution/1"](choice(items, credit))
    assert numbers["macro"] == pytest.approx((100 + 0) / 2)
    assert numbers["macro_all"] == pytest.approx(100 / 3)
    assert numbers["micro"] == pytest.approx(100 * 5 / 59)
    assert set(numbers) == {"macro", "macro_all", "micro", "big_small", "red_blue"}


def test_vl_checklist_averages_over_files_types_and_families():
    scored = random_choice(list(CATEGORIES))
    each, numbers = by_category(scored), AGGREGATES["vl_checklist/1"](scored)

    def mean(names: list[str]) -> float:
        return sum(numbers[name] for name in names) / len(names)

    assert {name: numbers[name] for name in CATEGORIES} == pytest.approx(each)
    assert numbers["Relation/action"] == pytest.approx(mean([f"Relation/action/{s}" for s in ("hake", "swig", "vg")]))
    assert numbers["Attribute/size"] == pytest.approx(mean(["Attribute/size/vaw", "Attribute/size/vg"]))
    attributes = [f"Attribute/{name}" for name in ("action", "color", "material", "size", "state")]
    assert numbers["Attribute"] == pytest.approx(mean(attributes))
    assert numbers["Relation"] == pytest.approx((numbers["Relation/action"] + each["Relation/spatial/vg"]) / 2)
    location = mean([f"Object/Location/{part}" for part in ("center", "mid", "margin")])
    assert numbers["Object"] == pytest.approx((location + numbers["Object/Size"]) / 2)
    some = AGGREGATES["vl_checklist/1"](random_choice([name for name in CATEGORIES if name != "Attribute/color/vaw"]))
    assert "Relation" in some
    assert not {"Attribute/color", "Attribute"} & set(some)


def test_valse_averages_over_pieces_phenomena_and_the_relations_of_its_other_aggregate():
    scored = random_choice(list(PIECES), lambda name: {"phenomenon": PIECES[name][0]})
    each, numbers = by_category(scored), AGGREGATES["valse/1"](scored)
    assert numbers["pieces"] == pytest.approx(sum(each.values()) / 11)
    counting = (each["counting-hard"] + each["counting-small-quant"] + each["counting-adversarial"]) / 3
    actions = (each["actant-swap"] + each["action-replacement"]) / 2
    coreference = (each["coreference-standard"] + each["coreference-hard"]) / 2
    seven = [each["existence"], each["plurals"], counting, each["relations"], actions, coreference, each["foil-it"]]
    assert numbers["phenomena"] == pytest.approx(sum(seven) / 7)
    assert numbers["phenomenon/counting"] == pytest.approx(counting)
    assert AGGREGATES["valse_cae/1"](scored)["relation"] == pytest.approx((actions + each["relations"]) / 2)
    assert set(AGGREGATES["valse/1"](random_choice(["plurals"]))) == {"plurals", "phenomenon/plurals"}


def test_crepe_averages_over_the_complexities_of_each_negative():
    scored = random_choice(["atom/4", "atom/5", "swap/4"])
    each, numbers = by_category(scored), AGGREGATES["crepe/1"](scored)
    assert numbers == pytest.approx(each | {"atom": (each["atom/4"] + each["atom/5"]) / 2, "swap": each["swap/4"]})


def test_whatsup_counts_items_pairs_and_sets():
    words = {"left": "left-right", "right": "left-right", "on": "on-under", "under": "on-under"}
    items = [
        item(i, word, {"set": f"set {i // 4}", "pair": f"set {i // 4}|{words[word]}"})
        for i, word in enumerate([*words] * 3)
    ]
    credit = [*(1, 1, 1, 1), *(1, 1, 1, 0), *(1, 0, 0, 0)]
    numbers = AGGREGATES["whatsup_controlled/1"](choice(items, credit))
    assert numbers["individual"] == pytest.approx(100 * 8 / 12)
    assert numbers["pair"] == pytest.approx(100 * 3 / (12 / 2))
    assert numbers["set"] == pytest.approx(100 * 1 / (12 / 4))
    assert numbers["individual/left"] == 100
    numbers = AGGREGATES["whatsup_controlled/1"](choice(items, [None, *credit[1:]]))
    assert numbers["set"] == 0  # of the two sets that are whole
    assert numbers["pair"] == pytest.approx(100 * 2 / 5)


def test_winoground_gives_its_three_scores_over_all_per_category_and_per_fine_tag():
    random = np.random.default_rng(0)
    fine = [{}, {"fine:Unusual Text": 1.0}, {"fine:Unusual Text": 1.0, "fine:Non Minimal": 1.0}]
    images = tuple(ImageRef("root", PurePosixPath(f"{i}.png")) for i in range(2))
    items = [
        Item(str(i), images, ("a", "b"), ((0, 0), (1, 1)), ("Object", "Relation")[i % 2], fine[i % 3])
        for i in range(40)
    ]
    scores = list(random.standard_normal((40, 2, 2)))
    scored = score_items(Benchmark("made", tuple(items), "group", "strict", "winoground/1"), scores)
    numbers = AGGREGATES["winoground/1"](scored)
    text = [s[0, 0] > s[0, 1] and s[1, 1] > s[1, 0] for s in scores]
    image = [s[0, 0] > s[1, 0] and s[1, 1] > s[0, 1] for s in scores]
    for name, right in {"text": text, "image": image, "group": np.logical_and(text, image)}.items():
        assert numbers[name] == pytest.approx(100 * np.mean(right))
        assert numbers[f"{name}/Relation"] == pytest.approx(100 * np.mean(right[1::2]))
        unusual = [r for i, r in enumerate(right) if i % 3]
        assert numbers[f"{name}/fine:Unusual Text"] == pytest.approx(100 * np.mean(unusual))
        assert numbers[f"{name}/fine:Non Minimal"] == pytest.approx(100 * np.mean(right[2::3]))


def test_sugarcrepe_plus_plus_averages_over_categories_with_and_without_images():
    image = (ImageRef("root", PurePosixPath("0.png")),)
    items = [Item(str(i), image, ("a", "b", "c"), ((0, 0), (0, 1)), "x" if i < 3 else "y") for i in range(4)]
    made = Benchmark("made", tuple(items), "both", "strict", "sugarcrepe_pp/1")
    right, wrong = np.array([[2.0, 1.0, 0.0]]), np.array([[2.0, 0.0, 1.0]])
    texts = np.array([[1, 0.5, 0.1], [0.5, 1, 0.6], [0.1, 0.6, 1]])
    numbers = AGGREGATES["sugarcrepe_pp/1"](
        score_items(made, [right, wrong, wrong, right], texts=[texts] * 3 + [-texts])
    )
    assert numbers["itt"] == pytest.approx((100 / 3 + 100) / 2)
    assert numbers["itt/x"] == pytest.approx(100 / 3)
    assert (numbers["tot/x"], numbers["tot/y"], numbers["tot"]) == (0, 0, 0)
    assert "tot" not in AGGREGATES["sugarcrepe_pp/1"](score_items(made, [right] * 4))


def test_retrieval_counts_images_one_way_and_captions_the_other():
    each = [1, 3]
    items = [
        Item(
            str(i), (ImageRef("root", PurePosixPath(f"{i}.png")),), ("c",) * n, tuple((0, c) for c in range(n)), "test"
        )
        for i, n in enumerate(each)
    ]
    # the first image's only caption is nearer to the second image; of the second's three, two find it
    captions = np.array([[0.0, 1.0], [0.0, 0.9], [0.1, 0.9], [1.0, 0.5]], np.float32)
    made = Gallery(np.eye(2, dtype=np.float32), captions, np.ones(2, bool))
    numbers = AGGREGATES["retrieval/1"](
        score_items(Benchmark("made", tuple(items), "retrieval", "strict", "retrieval/1"), made)
    )
    assert numbers["text_to_image_r1"] == pytest.approx(100 * 2 / 4)
    assert numbers["text_to_image_r5"] == 100
    assert (numbers["image_to_text_r1"], numbers["image_to_text_r5"]) == (0, 100)


def test_similarity_is_the_correlation_with_the_judgement():
    random = np.random.default_rng(0)
    cosine = random.integers(0, 20, 200) / 20
    judged = np.round(3 * cosine + random.standard_normal(200), 1)
    items = [Item(str(i), (), ("a", "b"), (), "all", {"judgement": float(value)}) for i, value in enumerate(judged)]
    made = Benchmark("made", tuple(items), "similarity", "half", "similarity/1")
    numbers = AGGREGATES["similarity/1"](score_items(made, [np.array([[1, c], [c, 1]]) for c in cosine]))
    assert numbers["spearman"] == pytest.approx(100 * spearmanr(cosine, judged).statistic)
    assert numbers["pearson"] == pytest.approx(100 * pearsonr(cosine, judged).statistic)
    constant = AGGREGATES["similarity/1"](score_items(made, [np.ones((2, 2))] * 200))
    assert np.isnan(constant["spearman"])
    assert np.isnan(constant["pearson"])


def test_an_aggregate_of_another_rule_or_other_categories_is_refused(refuses):
    scored = random_choice(["a"])
    with refuses("rule choice", "made", "winoground/1"):
        AGGREGATES["winoground/1"](scored)
    for name in ("sugarcrepe_cae/1", "valse_cae/1"):
        with refuses("categories of made", name):
            AGGREGATES[name](scored)


def test_weights_count_items_as_often_as_they_say():
    scored = random_choice(["a", "b"])
    weights = np.arange(len(scored), dtype=np.float64)
    rows = np.repeat(np.arange(len(scored)), weights.astype(int))
    repeated = choice([scored.benchmark.items[row] for row in rows], scored.correct[rows].astype(int).tolist())
    weighted = AGGREGATES["accuracy/1"].prepare(scored)(weights)
    assert weighted == pytest.approx(AGGREGATES["accuracy/1"](repeated))
    assert np.isnan(cells(scored, scored.categories).percent(np.zeros(len(scored)))).all()
