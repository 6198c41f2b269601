"""The words of the report of `intervention`: what it asks, how to read its numbers, names of edits and methods."""

from scmlab.report.record import Entry, Record, entries, groups

LISTS = {
    "rows": ("setting", "control", "law", "operator", "category"),
    "by_seed": ("setting", "control", "law", "operator", "category", "seed"),
    "codes": ("setting", "control", "law"),
    "codes_by_seed": ("setting", "control", "law", "seed"),
    "histories": ("setting", "control", "seed", "step", "curve"),
}
"""Keys that name the entries of its records."""

LAWS = {"in_distribution": "in distribution", "do": "under do()"}
METHODS = {
    "plain": "plain",
    "negclip": "NegCLIP negatives",
    "algorithm_1": "Algorithm 1 negatives",
    "cae_attention": "attribution loss: attention",
    "cae_gradcam": "attribution loss: GradCAM",
    "cae_perturbation": "attribution loss: perturbation",
    "cae_gradient": "attribution loss: gradient",
    "paired": "paired images",
}
CONTROLS = {name: words for name, words in METHODS.items() if name != "plain"}
HIDDEN = {
    "relation": (
        ("swap", "object"),
        ("replace", "relation"),
        ("replace", "relation: opposite"),
        ("replace", "relation: other axis"),
    ),
    "attribute": (("swap", "attribute"),),
}
"""Edits that lead out of the training law at shortcut 1, by what the shortcut gives away."""

TITLE = "CLIP on causal scenes: hard negatives under intervention"
QUESTION = (
    "Does accuracy on hard negatives show that a CLIP composes? Small CLIPs are trained on rendered scenes of two "
    "objects in a relation. At shortcut 1 the pair of objects gives the relation away (or which object has which "
    "colour); at shortcut 0 it does not. Each is asked to tell captions from edited ones twice: on the training law, "
    "as benchmarks do, and under do(), where what the shortcut gave away is drawn independently of the pair."
)

HOW_TO_READ = (
    (
        "Accuracy",
        "Share of images that score their own caption above the edited one, whose operator and category name the edit; "
        "chance is 1/2, a tie counts as wrong. Edited captions are false of the image. In distribution: scenes of the "
        "training law. Under do(): scenes where the relation and its subject (or the binding of colours) are uniform, "
        "whatever the objects.",
    ),
    (
        "Hidden edits",
        "Edits that keep the objects and lead out of the training law at shortcut 1: swapped objects and replaced "
        "relations (or exchanged colours). In distribution such a negative can be told by its caption alone, which "
        "never occurs, so that the loss does not ask which image it goes with: a model may be blind to the edit, or "
        "see it in captions and in images and match neither with the other. The other edits change what objects "
        "there are, which the loss needs; yet at shortcut 1 the relation they leave seldom goes with the new pair, so "
        "that these captions too can partly be told without the image. Replaced relations are also shown by kind: the "
        "opposite one (left for right), or one of the other axis (left for above), which is seen without telling which "
        "object is which.",
    ),
    (
        "Chance under do()",
        "Accuracy near 1/2 can come about in two ways. A side is blind: its code hardly moves with the edit. Or both "
        "codes move and their moves do not match: the model sees the edit in the caption and in the image and has not "
        "learned which goes with which. Accuracy does not tell the two apart; moves and blindness do.",
    ),
    (
        "Training methods",
        "Plain: pairs of the training law. NegCLIP negatives, Algorithm 1 negatives: edited captions in the "
        "denominators, for which there is no image. Attribution loss: raises the attribution of attributes and "
        "relations to that of objects, by the method named. Paired images: a share of each batch are counterfactuals "
        "of others of it: the same noise, what the shortcut gives away drawn independently of the pair, with image and "
        "caption.",
    ),
    (
        "Image accuracy",
        "The same question from the other side: share of captions that score their own image above that of the edited "
        "scene, all else in it the same.",
    ),
    (
        "Moves",
        "How far an edit moves a code, in units of the root mean squared distance of the codes of two scenes. Text: "
        "caption to edited caption; image: image to the image of the edited scene. 0: blind.",
    ),
    (
        "Blindness",
        "An edit that moves a code by less than a tenth is called unseen. Shares of edits that neither side sees, only "
        "the text side does not see, or only the image side does not see; the rest are seen by both. Where accuracy "
        "is at chance and most edits are seen by both, no side is blind: the moves do not match across the sides.",
    ),
    (
        "Attribution share",
        "Part of a caption's attribution that its objects, attributes, relations or other words hold: sum over their "
        "tokens, over that of all content tokens; negative scores of perturbation count 0. Mean over captions.",
    ),
    (
        "Modality gap",
        "Length: distance of the mean image code from the mean caption code, both of codes of length 1. Spread: root "
        "mean squared deviation of a pair's difference from the mean one, over the length; 0 if the gap is constant. "
        "Along: share of the codes' variance that lies along the gap; 0 if it is orthogonal to them.",
    ),
    (
        "Prompt share",
        "Share of the variance of captions' codes that is template and synonyms, the scene being the same.",
    ),
    (
        "Mean ± sd",
        "Over seeds: training scenes, weights, batches and test scenes differ. One seed has no sd.",
    ),
)

CAPTIONS = {
    "accuracy": (
        "Accuracy in distribution (open circles) and under do() (filled diamonds), one panel per edit, one line per "
        "training. Dashed: chance, 1/2. Star: edits that the shortcut hides. A long bar is what "
        "the benchmark on the training law does not show; whether a side is blind to the edit or both see it and do "
        "not match it is in the figures of moves and of blindness. Large marks are means, small points single seeds."
    ),
    "training": (
        "Contrastive loss during training (log scale), one line per seed, one panel per shortcut; plain is dashed, "
        "since others may lie under it. Losses with edited captions in the denominators have other floors and do not "
        "compare with the others."
    ),
    "moves": (
        "How far each edit moves the code of the caption (squares) and of the image (circles); filled under do(), "
        "open in distribution, the small points of single seeds alike. At 0 a side is blind to the edit; 1 is as far "
        "as two scenes lie apart. Both sides may move far while accuracy is at chance: then the moves do not match."
    ),
    "blindness": (
        "Blindness edit by edit, under do(): share of edits that neither side sees, that only the text side and that "
        "only the image side does not see; in the last two the sides disagree. The rest, up to 1, are seen by both "
        "sides, whether or not they match. Star: edits that the shortcut hides."
    ),
    "shares": (
        "Share of each word class in the captions' attribution, one panel per attribution method; filled under do(), "
        "open in distribution. Objects, attributes, relations and other words add up to 1. Small points are single "
        "seeds."
    ),
    "codes": (
        "Modality gap (length, spread, share of variance along it) and share of the captions' variance that is "
        "wording; filled under do(), open in distribution. Small points are single seeds."
    ),
}


def edit_name(operator: str, category: str) -> str:
    """'swap object', 'replace relation'; of a part of an edit the category alone: 'relation: opposite'."""
    return category if is_part((operator, category)) else f"{operator} {category}"


def is_part(edit: tuple[str, str]) -> bool:
    """Whether it is one kind of an edit that the record also has as a whole."""
    return ":" in edit[1]


def edits(record: Record) -> list[tuple[str, str]]:
    """The edits of the record, those that the shortcut hides first."""
    found = list(dict.fromkeys((row["operator"], row["category"]) for row in entries(record, "rows")))
    return sorted(found, key=lambda edit: not hidden(record, edit))


def hidden(record: Record, edit: tuple[str, str]) -> bool:
    """Whether the shortcut hides the edit."""
    return edit in HIDDEN.get(record["config"].get("binding"), ())


def arms(record: Record) -> dict[str, list[str | None]]:
    """Setting -> its trainings, as the record's controls."""
    found: dict[str, list[str | None]] = {}
    for setting, control in groups([*entries(record, "rows"), *entries(record, "codes")]):
        found.setdefault(setting, []).append(control)
    return found


def method_name(control: str | None) -> str:
    """The training in words."""
    return METHODS.get(control or "plain", str(control))


def of_arm(arm: tuple[str, str | None], **more: str) -> dict[str, str | None]:
    """What entries of a training match."""
    return {"setting": arm[0], "control": arm[1], **more}


def seeds_of(rows: list[Entry]) -> str:
    """'3 seeds'; '' where it is not known."""
    count = rows[0].get("seeds") if rows else None
    return f"{count} {'seed' if count == 1 else 'seeds'}" if count else ""
