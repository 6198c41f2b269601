"""The words of the report of `iterated`: what it asks, how to read its numbers, names of encoders and families."""

from scmlab.report.record import Entry, Record, entries, select

LISTS = {
    "rows": ("setting", "control", "encoder", "law", "family", "t"),
    "by_seed": ("setting", "control", "encoder", "law", "family", "t", "seed"),
}
"""Keys that name the entries of its records."""

FAMILIES = {"swap": "SWAP", "replace": "REPLACE relation", "both": "SWAP + REPLACE", "add": "ADD"}
ENCODERS = {"trained": "trained", "pseudo_optimal": "blind to hidden edits", "blind": "blind to all"}
CONTROLS = {name: words for name, words in ENCODERS.items() if name != "trained"}

TITLE = "Negatives of t edits, and how many there are"
QUESTION = (
    "Does accuracy fall when hard negatives are edited more than once, and is there more to it than their number? An "
    "encoder that is blind to t edits ties a caption with all captions that t edits reach and picks the right one with "
    "probability 1 / (1 + orbit). Small CLIPs are trained on scenes with and without a shortcut; each chooses among a "
    "caption and all its t-step negatives, listed one by one, beside blind encoders made of it, on the training law "
    "and under do(), where the objects say nothing about their relation."
)

HOW_TO_READ = (
    (
        "Families of edits",
        "SWAP exchanges two concepts of a category: two shapes, colours, sizes or textures. REPLACE puts another "
        "relation; one edit reaches all of them and a second none that is new, so that all about REPLACE is flat from "
        "t = 1 on. SWAP + REPLACE has both. ADD says a size that the caption did not say; no training caption says "
        "one, so that what a trained encoder does with these words is not in its loss.",
    ),
    (
        "Orbit",
        "Captions that at most t edits reach, without the caption itself and without those true of its image, by "
        "enumeration: swapping everything and replacing the relation by its converse is true again, and so is adding "
        "the size an object has. Reached: with those. It equals a closed form (checked scene by scene).",
    ),
    (
        "Choice",
        "Credit in the choice among the caption and its orbit: 1 over the number of captions tied at the top if the "
        "right one is among them, else 0. At t = 0 it is 1. It cannot rise with t, since orbits are nested.",
    ),
    (
        "Prediction",
        "Mean of 1 / (1 + orbit): the choice of an encoder that is blind to all edits of the family. Exact; a plain "
        "argmax on these ties answers the first and would be right every time, which is why ties share the credit.",
    ),
    (
        "Hidden edits, their bound",
        "Edits that lead out of the training law at shortcut 1: the objects change places as wholes, or the relation "
        "is replaced. Bound: mean of 1 / (1 + negatives about the same two objects), the most that an encoder blind to "
        "exactly these edits can score.",
    ),
    (
        "Encoders",
        "Trained: the CLIP's own. Blind to hidden edits: g**(x) = g*(canon(x)), where canon(x) is the caption about "
        "the same objects that the training law holds at shortcut 1; on that law it has the codes and the loss of "
        "the trained one. Blind to all: canon(x) sorts shapes and colours, takes the first relation and drops sizes "
        "and textures. All share the image encoder.",
    ),
    (
        "Pairwise",
        "Expected accuracy against one negative drawn from the orbit; a tie counts 1/2. For a blind encoder 1/2 at "
        "every t: it does not show how many negatives there are.",
    ),
    ("Mean ± sd", "Over seeds: training scenes, weights, batches and test scenes differ. One seed has no sd."),
)

CAPTIONS = {
    "choice": (
        "Choice among a caption and all its negatives of at most t edits. Dashed: prediction for an encoder blind to "
        "all edits, on which its crosses lie exactly. Dotted: bound for one that is blind to the hidden edits only. "
        "Lines are means, small points single seeds. REPLACE is flat from t = 1 on: one edit reaches every relation."
    ),
    "pairwise": (
        "Accuracy against one negative of at most t edits, the expectation over the draw; filled under do(), open in "
        "distribution. Dashed: 1/2, where a blind encoder stays at every t. REPLACE is flat: one edit reaches every "
        "relation."
    ),
    "orbits": (
        "Mean number of negatives (solid) and of captions reached, those true of the image among them (dashed), over "
        "the number of edits; log scale. REPLACE of the relation reaches all it can in one edit."
    ),
}


def one(record: Record, **where: object) -> Entry:
    """The row that matches; empty where there is none."""
    return next(iter(select(entries(record, "rows"), **where)), {})


def values(record: Record, key: str) -> list:
    """What the rows have under `key`, each once, in order of appearance."""
    return list(dict.fromkeys(row[key] for row in entries(record, "rows")))
