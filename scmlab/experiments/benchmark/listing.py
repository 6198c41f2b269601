"""What `--list` shows: the benchmarks that are known, or all about some of them."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from scmlab.benchmarks.known import BENCHMARKS
from scmlab.experiments.benchmark.given import loader_options
from scmlab.report.table import blank_table


def listing(names: Sequence[str]) -> list[RenderableType]:
    """All benchmarks in one table, or those named in detail. Errors: an unknown name."""
    for name in names:
        if name not in BENCHMARKS:
            raise ValueError(f"`list` must be followed by some of {', '.join(BENCHMARKS)}; got {name!r}.")
    return [_about(name) for name in names] or [_all(), Text("In detail: --list NAME.")]


def _all() -> RenderableType:
    table = blank_table("benchmarks")
    for name, widest in (("name", None), ("what", 34), ("annotations from", 40), ("licence", 34)):
        table.add_column(name, overflow="fold", max_width=widest, no_wrap=name == "name")
    for name, source in BENCHMARKS.items():
        table.add_row(*map(Text, (name, source.title, source.origin, source.licence)))
    return table


def _about(name: str) -> RenderableType:
    source = BENCHMARKS[name]
    table = blank_table(f"{name}: {source.title}")
    table.show_header = False
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    rows = [("files", ", ".join(source.files)), ("from", source.origin), ("licence", source.licence)]
    rows += [(f"images {root}=FOLDER", looks) for root, looks in source.roots.items()] or [("images", "none needed")]
    rows += [("options", ", ".join(f"{key}={_shown(one.default)}" for key, one in loader_options(name).items()))]
    if published := ", ".join(f"{key} {value:g}" for key, value in source.reference.items()):
        rows.append(("CLIP ViT-B/32", f"{published}; by {source.cited}"))
    for label, text in rows:
        if text:
            table.add_row(Text(label), Text(text))
    return table


def _shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "all"
    return "none" if value is None else str(value)
