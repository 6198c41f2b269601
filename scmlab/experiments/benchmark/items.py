"""Per-item scores in a Parquet file: one row for each item and each scorer."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from scmlab.benchmarks.scoring import Scored

PARTS = ("text", "image", "group", "caption", "caption2", "text_only", "image_to_text_r1", "image_to_text_r5",
         "image_to_text_r10", "image_to_text_rank", "text_to_image_r1", "text_to_image_r5", "text_to_image_r10",
         "cosine", "judgement")  # fmt: skip
"""Parts of a score that have a column; empty for rules without them."""


class ItemsFile:
    """Rows are written as they come; the file appears under its name when all are there."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        text, number = pa.string(), pa.float64()
        self.schema = pa.schema(
            {
                "benchmark": text,
                "model": text,  # null: what needs none
                "seed": pa.int32(),
                "baseline": text,  # null: the model itself
                "key": pa.string(),
                "category": text,
                "correct": number,  # credit 0 to 1; null: missing, or a correlation
                "margin": number,
                "tied": pa.bool_(),
                "missing": pa.bool_(),
                "defect": pa.string(),
                "operator": text,
                "operator_category": text,
                "scores": pa.list_(pa.float32()),  # images x captions, row by row; null for retrieval and baselines
                **dict.fromkeys(PARTS, number),
            }
        )
        self._part = path.with_name(f"{path.name}.{os.getpid()}.part")
        self._path, self._writer = path, None

    def write(
        self,
        scored: Scored,
        *,
        model: str | None,
        seed: int | None,
        baseline: str | None,
        cases: Sequence[tuple[str | None, str | None]] | None,
        cosines: Any = None,
    ) -> None:
        """One row per item. cases: (operator, category) of each; cosines: as of `score_items`, a gallery has none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        items, n = scored.benchmark.items, len(scored)
        cases = [(None, None)] * n if cases is None else cases
        listed = isinstance(cosines, list)
        columns = {
            "benchmark": [scored.benchmark.name] * n,
            "model": [model] * n,
            "seed": [seed] * n,
            "baseline": [baseline] * n,
            "key": [item.key for item in items],
            "category": [item.category for item in items],
            "correct": _numbers(scored.correct),
            "margin": _numbers(scored.margin),
            "tied": scored.tied,
            "missing": scored.missing,
            "defect": [item.defect for item in items],
            "operator": [operator for operator, _ in cases],
            "operator_category": [category for _, category in cases],
            "scores": [None if m is None else np.ravel(m) for m in cosines] if listed else [None] * n,
            **{name: _numbers(scored.parts[name]) if name in scored.parts else [None] * n for name in PARTS},
        }
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._part, self.schema)
        self._writer.write_table(pa.table([pa.array(columns[name], type=self.schema.field(name).type)
                                           for name in self.schema.names], schema=self.schema))  # fmt: skip

    def close(self, *, whole: bool) -> None:
        """Under its name where it is whole, else gone; then what runs left that were killed goes too."""
        if self._writer is not None:
            self._writer.close()
        if whole and self._part.exists():
            os.replace(self._part, self._path)
        for part in self._path.parent.glob(f"{self._path.name}.*.part") if whole else (self._part,):
            part.unlink(missing_ok=True)


@contextmanager
def items_file(path: Path) -> Iterator[ItemsFile]:
    """A file that is there when all went well, and not otherwise. Errors: no pyarrow."""
    try:
        import pyarrow.parquet  # noqa: F401 - only whether it is there
    except ImportError:
        raise ModuleNotFoundError("Items need pyarrow: pip install 'scmlab[benchmarks]'.", name="pyarrow") from None
    file, whole = ItemsFile(path), False
    try:
        yield file
        whole = True
    finally:
        file.close(whole=whole)


def _numbers(values: np.ndarray) -> Any:
    import pyarrow as pa

    return pa.array(values, type=pa.float64(), from_pandas=True)  # NaN: null
