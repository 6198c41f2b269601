"""The report of `finetune`: retrieval, hard negatives and attribution before and after."""

import math

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.table import Table
from rich.text import Text

from scmlab.report.attribution import model_rows, read_section
from scmlab.report.attribution_names import CLASSES, METHODS
from scmlab.report.marks import handle
from scmlab.report.names import DASH, decimal, duration, significant
from scmlab.report.record import Entry, Record, check_record, entries, number, select
from scmlab.report.report import Report, Row, Section
from scmlab.report.style import BLUE, COLOURS, GREY, VERMILLION, blank, nothing, styled
from scmlab.report.table import blank_table

TITLE = "A CLIP fine-tuned on images with captions"
QUESTION = (
    "What does fine-tuning change on images that it has not seen: does retrieval hold, does the model come to prefer a "
    "caption to its edited version, and on which words does it rest?"
)
LISTS = {"rows": ("setting", "control", "measure", "of")}
SETTINGS = {"tuned": "fine-tuned"}
CONTROLS = {"start": "before"}
HOW_TO_READ = (
    (
        "R@k",
        "Share of images with one of their captions among the k that score highest (image to text), or of captions "
        "with their image among the k (text to image), out of all held-out ones. Ties count against the model. Equal "
        "captions are true of each other's images.",
    ),
    (
        "Hard negatives",
        "Share of captions that their image prefers to the negative that Algorithm 1 makes by one edit of that "
        "operator. 50 % is chance. Negatives are text only: a model can learn to tell them without looking at images.",
    ),
    (
        "Share, excess",
        "What part of a caption's attribution each class of words holds, by four methods; and by how much objects "
        "score above attributes and relations, which the attribution loss cuts off at 0.",
    ),
    (
        "±",
        "Standard error over the held-out items, taken as independent. The same items are scored before and after: the "
        "error of a difference is mostly smaller than its two errors say.",
    ),
    ("Interpolated", "Weights between those before (0) and after (1): WiSE-FT."),
)
CAPTIONS = {
    "accuracies": "Retrieval and hard negatives on held-out images, ± 2 standard errors as far as 0 and 100 %. Hollow: "
    "before fine-tuning. Dashed: chance.",
    "curves": (
        "The loss of the training batches, each point the mean over a fiftieth of the steps: InfoNCE with all false "
        "captions that the training used, and the attribution loss where there was one."
    ),
    "shares": (
        "Share of each class of words in a caption's attribution by each method, ± 2 standard errors as far as 0 and "
        "100 %. Hollow: before fine-tuning."
    ),
}


def _models(record: Record) -> list[tuple[str, str | None]]:
    """(setting, control) of every model, the one before fine-tuning first."""
    found = list(dict.fromkeys((row["setting"], row["control"]) for row in entries(record, "rows")))
    return sorted(found, key=lambda model: model[1] is None)


def _name(setting: str, control: str | None) -> str:
    """The model in words, without "fine-tuned" for the one that is not yet."""
    return CONTROLS.get(control, control) if control else SETTINGS.get(setting, setting)


def _look(place: int, control: str | None) -> dict:
    colour = GREY if control else (BLUE, VERMILLION, *COLOURS[2:])[(place - 1) % 7]
    return {"color": colour, "markerfacecolor": "white" if control else colour, "marker": "osD^v"[place % 5]}


def _dots(record: Record, measures: tuple[str, ...], label: str, height: float) -> Figure:
    """One line per quantity, a mark per model."""
    check_record(record, LISTS)
    models = _models(record)
    rows = [row for row in entries(record, "rows") if row["measure"] in measures]
    lines = list(dict.fromkeys((row["measure"], row["of"]) for row in rows if not math.isnan(number(row, "value"))))
    if not lines:
        return nothing("None of these numbers is in this record.")
    figure = blank(1.2 + height * len(lines))
    axes = figure.subplots()
    for line, (measure, of) in enumerate(lines):
        for place, (setting, control) in enumerate(models):
            for row in select(rows, measure=measure, of=of, setting=setting, control=control):
                shift = 0.5 * ((place + 0.5) / len(models) - 0.5)
                axes.errorbar(100 * number(row, "value"), line + shift, xerr=_bar(row), linestyle="none", capsize=2.5,
                              markersize=6.5, zorder=3, **_look(place, control))  # fmt: skip
    if chance := [line for line, (measure, _) in enumerate(lines) if measure == "hard negatives"]:
        axes.plot([50, 50], [chance[0] - 0.4, chance[-1] + 0.4], color=GREY, linestyle=(0, (4, 2)), zorder=1)
    axes.set_yticks(range(len(lines)), [_line_name(*line) for line in lines])
    axes.set(ylim=(len(lines) - 0.5, -0.5), xlim=(-2, 102), xlabel=label)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    marks = []
    for place, (setting, control) in enumerate(models):
        look = _look(place, control)
        marks.append(
            handle(_name(setting, control), colour=look["color"], marker=look["marker"], filled=control is None)
        )
    figure.legend(handles=marks, loc="outside lower center", ncols=4)
    return figure


def _bar(row: Entry) -> list[list[float]] | None:
    """Two standard errors to either side, as far as 0 and 100 %; None where they are not known."""
    value, error = 100 * number(row, "value"), 200 * number(row, "se")
    return None if math.isnan(value + error) else [[min(error, value)], [min(error, 100 - value)]]


def _line_name(measure: str, of: str) -> str:
    if measure != "share":
        return f"{measure}: {of}"
    method, _, kind = of.partition(": ")
    return f"{METHODS.get(method, method)}: {CLASSES.get(kind, kind)}"


@styled()
def accuracies(record: Record) -> Figure:
    """Retrieval and hard negatives."""
    return _dots(record, ("R@1", "R@5", "R@10", "hard negatives"), "share (%)", 0.42)


@styled()
def shares(record: Record) -> Figure:
    """Attribution shares."""
    return _dots(record, ("share",), "share of a caption's attribution (%)", 0.36)


@styled()
def curves(record: Record) -> Figure:
    """Loss over steps; a panel per part of the loss."""
    check_record(record, LISTS)
    histories = entries(record, "histories")
    if not histories:
        return nothing("No training in this record.")
    names = {"contrastive": "InfoNCE (nats)", "attribution": "attribution loss\n(unit of the scores)"}
    shown = list(histories[0]["curves"])
    figure = blank(2.8)
    for axes, name in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        for history in histories:
            axes.plot(history["step"], history["curves"][name], color=BLUE, marker=".", markersize=4)
        top = max((number({"y": y}, "y") for history in histories for y in history["curves"][name]), default=1.0)
        axes.set(xlabel="step", ylabel=names.get(name, name), ylim=(0, 1.08 * top or 1.0), xlim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()
    return figure


def tables(record: Record) -> list[Table]:
    """One line per quantity, one column per model; shares are on the page only."""
    check_record(record, LISTS)
    models = _models(record)
    table = blank_table("on held-out images, before and after")
    table.add_column("measure", no_wrap=True)
    for model in models:
        table.add_column(_name(*model), justify="right")
    for row in _rows(record):
        if not row[0].startswith("share"):
            table.add_row(*(Text(text) for text in (row[0], *row[2:])))
    return [table]


def _rows(record: Record) -> list[Row]:
    rows, models = entries(record, "rows"), _models(record)
    found = []
    for measure, of in dict.fromkeys((row["measure"], row["of"]) for row in rows):
        each = [next(iter(select(rows, measure=measure, of=of, setting=s, control=c)), {}) for s, c in models]
        number_of = f"{each[0]['queries']:,}" if each[0].get("queries") is not None else DASH
        found.append((_row_name(measure, of), number_of, *(_value(measure, row) for row in each)))
    return found


def _row_name(measure: str, of: str) -> str:
    return f"share: {_line_name(measure, of)}" if measure == "share" else f"{measure}: {METHODS.get(of, of)}"


def _value(measure: str, row: Entry) -> str:
    if measure == "excess":
        return significant(row.get("value"))
    value, error = number(row, "value"), number(row, "se")
    text = decimal(100 * value, 1)
    return text if DASH in (text, decimal(error)) else f"{text} ± {decimal(100 * error, 1)} %"


def summary(record: Record) -> list[Section]:
    """What was read, which model, what was written, what was measured."""
    check_record(record, LISTS)
    data, model = record.get("data") or {}, record.get("model") or {}
    of = read_section(data)
    rows = list(of.groups[0][1])
    if data.get("without_negatives") is not None:
        rows.append(("training captions without a negative", f"{data['without_negatives']:,}"))
    columns = tuple(_name(*each) for each in _models(record))
    results = Section("Results", ("measure", "items", *columns), [("", _rows(record))], numbers=("items", *columns))
    return [Section("Data", ("", ""), [("", rows)]), _model(record, model), results]


def _model(record: Record, model: Entry) -> Section:
    training = next(iter(entries(record, "training")), {})
    rows = [
        *model_rows(model),
        ("hash before", str(model.get("start_hash", DASH))[:16]),
        ("hash after", str(model.get("tuned_hash", DASH))[:16]),
        ("training", f"{training.get('steps', DASH)} steps of {training.get('batch', DASH)} pairs, "
                     f"{duration(training.get('seconds'))}"),
    ]  # fmt: skip
    rows += [(f"{e['model']}, {e['layout']} layout", e["folder"]) for e in entries(record, "written")]
    return Section("Model", ("", ""), [("", rows)], text="Folders start from that of the run.")


REPORT = Report(
    title=TITLE,
    question=QUESTION,
    how_to_read=HOW_TO_READ,
    figures={"accuracies": accuracies, "curves": curves, "shares": shares},
    captions=CAPTIONS,
    tables=tables,
    summary=summary,
    settings=SETTINGS,
    controls=CONTROLS,
)
