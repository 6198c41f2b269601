"""What a record of `benchmark` was read from: benchmarks, image roots, defects, models."""

from scmlab.report.benchmark_lines import ties_of, title, whole
from scmlab.report.names import DASH
from scmlab.report.record import Entry, Record, entries
from scmlab.report.report import Cell, Row, Section

FEW = 3  # benchmarks that are shown unfolded
NAMES = 5  # of images that are missing
HALVES = {
    "images and captions": "share neither images nor captions",
    "images": "share no image; captions may be in both",
    "nothing": "share images and captions: these baselines may overstate what can be had",
}


def read(record: Record) -> list[Section]:
    """A table of facts per benchmark, and one of the models."""
    found = []
    if of := entries(record, "benchmarks"):
        groups = [(title(record, entry["setting"]), _facts(entry)) for entry in of]
        folded = f"{len(of)} benchmarks" if len(of) > FEW else ""
        found.append(Section("Benchmarks", ("", "what was read"), groups, folded=folded))
    if models := _models(record):
        columns = ("model", "seed", "file", "activation", "identity", "cut captions")
        text = (
            "Activation: as the model is run, which a file of weights may not say. Identity: start of the SHA-256 of "
            "all that decides the codes; none: not known. Cut captions: longer than what the model reads."
        )
        found.append(Section("Models", columns, [("", models)], numbers=("seed",), text=text))
    return found


def _facts(of: Entry) -> list[Row]:
    rows: list[Row] = [
        ("items", _items(of)),
        *(("not as released", sentence) for sentence in of.get("differences") or []),
    ]
    counts = [f"{whole([of[key]])} {key}" for key in ("images", "captions") if of.get(key) is not None]
    if counts:
        rows.append(("images and captions", ", ".join(counts)))
    rows += [(f"images {root.get('root', '')}".rstrip(), _root(root)) for root in of.get("roots") or []]
    if kinds := of.get("defects"):
        rows.append(("defects of the release", "; ".join(f"{kind}: {whole([count])}" for kind, count in kinds.items())))
    if of.get("aggregate"):
        rows.append(("aggregate", (str(of["aggregate"]), str(of.get("says") or ""))))
    rows.append(("ties", ties_of(of)))
    if of.get("halves") and of.get("rule") != "similarity":
        rows.append(("halves of fitted baselines", HALVES.get(of["halves"], str(of["halves"]))))
    for key, words in (("licence", "licence"), ("origin", "origin"), ("cited", "published numbers")):
        if of.get(key):
            rows.append((words, str(of[key])))
    return rows


def _items(of: Entry) -> Cell:
    expected = of.get("expected")
    return whole([of.get("items")]), f"official release: {whole([expected])}" if expected is not None else ""


def _root(root: Entry) -> Cell:
    """'1,559 of 1,560 found' and what is wrong with the rest."""
    said = f"{whole([root.get('found')])} of {whole([root.get('wanted')])} found"
    said += "".join(f", {whole([root[key]])} {key}" for key in ("missing", "unreadable") if root.get(key))
    first = [str(name) for name in root.get("first") or []]
    names = f"first: {', '.join(first[:NAMES])}" if first else ""
    return said, "; ".join(filter(None, (names, str(root.get("hint") or ""))))


def _models(record: Record) -> list[Row]:
    return [
        (
            str(model["model"]),
            whole([model.get("seed")]),
            str(model.get("source") or DASH),
            str(model.get("activation") or "not stated"),
            str(model.get("identity") or "none")[:12],
            _cut(model.get("truncated") or {}),
        )
        for model in entries(record, "models")
    ]


def _cut(truncated: Entry) -> str:
    """Per benchmark with any; a dash where it is not known."""
    if not truncated or all(count is None for count in truncated.values()):
        return DASH
    found = [f"{setting} {whole([count])}" for setting, count in truncated.items() if count != 0]
    return ", ".join(found) or "0"
