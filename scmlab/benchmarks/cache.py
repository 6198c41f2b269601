"""Codes of images and captions by the hash of their content: in memory, or in files that a killed run leaves whole."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32
from safetensors.numpy import save

from scmlab.benchmarks.models import Model
from scmlab.scm.store import BadFile, write_atomically

KINDS = ("image", "text")
ROWS = 4096
"""Codes after which a file is written."""

SECONDS = 30.0
"""Time after which one is written with fewer: no more work than this is lost."""


@dataclass(frozen=True, eq=False)
class _Shard:
    codes: Float32[np.ndarray, "n d"]
    cut: Bool[np.ndarray, " n"]


class Cache:
    """Codes of one model.

    folder   where they are kept, below the model's identity; None, or a model without identity: in memory alone

    A code once in the cache is never computed or changed again. Files are written whole or not at all; several runs
    may write to one folder. What is read is mapped into memory, not loaded. Errors: BadFile for a file that is damaged
    or of another model.
    """

    def __init__(self, folder: Path | None, model: Model) -> None:
        self.identity = model.identity
        self.folder = folder / model.identity[:32] if folder is not None and model.identity else None
        self._places: dict[str, dict[bytes, tuple[int, int]]] = {kind: {} for kind in KINDS}
        self._shards: dict[str, list[_Shard]] = {kind: [] for kind in KINDS}
        self._waiting: dict[str, dict[bytes, tuple[np.ndarray, bool]]] = {kind: {} for kind in KINDS}
        self._written = time.monotonic()
        for kind in KINDS if self.folder else ():
            for path in sorted(self.folder.glob(f"{kind}-*.safetensors")):
                self._take(kind, *self._read(kind, path))

    def has(self, kind: str, key: bytes) -> bool:
        """Whether the code is there."""
        return key in self._places[kind] or key in self._waiting[kind]

    def add(
        self, kind: str, keys: Sequence[bytes], codes: Float32[np.ndarray, "n d"], cut: Bool[np.ndarray, " n"]
    ) -> None:
        """Keep new codes; those of a call come into the same file. A key that is there keeps its code."""
        for key, code, short in zip(keys, codes, cut, strict=True):
            if not self.has(kind, key):
                self._waiting[kind][key] = code, bool(short)
        waiting = sum(map(len, self._waiting.values()))
        if waiting >= ROWS or (self.folder and time.monotonic() - self._written > SECONDS):
            self.write()

    def write(self) -> None:
        """Write what waits."""
        for kind in KINDS:
            if waiting := self._waiting[kind]:
                keys = list(waiting)
                shard = _Shard(np.stack([c for c, _ in waiting.values()]), np.array([s for _, s in waiting.values()]))
                if self.folder:
                    keys, shard = self._read(kind, self._save(kind, keys, shard))
                self._waiting[kind] = {}
                self._take(kind, keys, shard)
        self._written = time.monotonic()

    def codes(self, kind: str, keys: Sequence[bytes]) -> Float32[np.ndarray, "n d"]:
        """The codes of these contents, all of which must be there and written. Errors: KeyError."""
        return self._gather(kind, keys, "codes")

    def cut(self, kind: str, keys: Sequence[bytes]) -> Bool[np.ndarray, " n"]:
        """Whether these were longer than what the model reads. Errors: KeyError."""
        return self._gather(kind, keys, "cut")

    def _gather(self, kind: str, keys: Sequence[bytes], column: str) -> np.ndarray:
        places, shards = self._places[kind], self._shards[kind]
        where = np.array([places[key] for key in keys], dtype=np.int64).reshape(-1, 2)
        first = getattr(shards[0], column)[:0] if shards else np.zeros((0, 0), np.float32)
        found = np.empty((len(where), *first.shape[1:]), first.dtype)
        for number in np.unique(where[:, 0]):
            rows = np.flatnonzero(where[:, 0] == number)
            found[rows] = getattr(shards[number], column)[where[rows, 1]]
        return found

    def _take(self, kind: str, keys: Sequence[bytes], shard: _Shard) -> None:
        shards = self._shards[kind]
        if shards and shards[0].codes.shape[1] != shard.codes.shape[1]:
            widths = f"{shards[0].codes.shape[1]} and {shard.codes.shape[1]}"
            raise BadFile(f"`model` must give codes of one width; got {widths} numbers for {kind}.")
        for row, key in enumerate(keys):
            self._places[kind].setdefault(key, (len(shards), row))
        shards.append(shard)

    def _save(self, kind: str, keys: Sequence[bytes], shard: _Shard) -> Path:
        """The file's name is that of its contents: two runs that embed the same write the same file."""
        assert self.folder is not None
        content = {
            "codes": shard.codes,
            "cut": shard.cut.astype(np.uint8),
            "keys": np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), -1),
        }
        path = self.folder / f"{kind}-{sha256(b''.join(keys)).hexdigest()[:32]}.safetensors"
        write_atomically(path, save(content, metadata={"model": self.identity, "kind": kind}))
        return path

    def _read(self, kind: str, path: Path) -> tuple[list[bytes], _Shard]:
        try:
            columns, metadata = _mapped(path)
            codes, cut, keys = (columns[name] for name in ("codes", "cut", "keys"))
            whole = codes.ndim == 2 and len(codes) == len(cut) == len(keys) and keys.shape[1:] == (32,)
        except (KeyError, ValueError, TypeError, AttributeError, OSError):
            whole, metadata = False, {}
        if not whole:
            raise BadFile(f"{path} must be a whole file of codes; it is damaged: delete it and run again.")
        if metadata.get("model") != self.identity or metadata.get("kind") != kind:
            raise BadFile(f"{path} must hold the model's codes of {kind}; it is another's: delete it and run again.")
        return [bytes(key) for key in keys], _Shard(codes, cut.astype(bool))


def _mapped(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Columns of a safetensors file, mapped and not loaded, and its metadata."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > path.stat().st_size:
            raise ValueError("the header is longer than the file")
        header = json.loads(file.read(length))
    columns = {}
    for name, tensor in header.items():
        if name != "__metadata__":
            start, end = tensor["data_offsets"]
            kind = np.dtype({"F32": "<f4", "U8": "u1"}[tensor["dtype"]])
            if end - start != kind.itemsize * int(np.prod(tensor["shape"])) or 8 + length + end > path.stat().st_size:
                raise ValueError("the file is cut off")
            place = {"offset": 8 + length + start, "shape": tuple(tensor["shape"])}
            columns[name] = np.memmap(path, kind, "r", **place)
    return columns, header.get("__metadata__", {})
