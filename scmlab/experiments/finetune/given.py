"""What a user gives: a model, a file of captions, a folder of images; checked, and told apart by their content."""

import hashlib
import os
from pathlib import Path
from typing import Any

from scmlab.experiments.audit.source import recorded
from scmlab.language.identity import fingerprint
from scmlab.models.clip.spec import check_activation


def check_given(
    model: str | None,
    captions: str | None,
    images: str | None,
    activation: str | None,
    heads: tuple[int, int] | None = None,
) -> None:
    """Errors: only some of the first three, no such folder of images, no such activation, heads that cannot be."""
    missing = [name for name, value in (("model", model), ("captions", captions), ("images", images)) if not value]
    if missing and len(missing) < 3:
        raise ValueError(f"`{missing[0]}` must be given where model, captions or images are; got none.")
    if images is not None and not Path(images).is_dir():
        raise ValueError(f"`images` must be a folder; got {images}, which is none.")
    if activation is not None:
        check_activation(activation)
    if heads is not None and (model is None or min(heads) < 1):
        raise ValueError(f"`heads` must be two positive numbers, of a given model; got {heads} with model {model}.")


def check_small(width: int, patch: int) -> None:
    """Errors: a small model that has no whole number of heads or of patches."""
    if 48 % patch or width % 32:
        raise ValueError(
            f"`patch` must divide 48, the image's side, and `width` be a multiple of 32; got {patch} and {width}."
        )


def model_digest(model: str | None) -> str:
    """SHA-256 over the model's files; that of its name where it is a name of the hub; '' for none."""
    if model is None:
        return ""
    path = Path(model)
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else []
    total = hashlib.sha256(b"" if files else model.encode())
    for file in files:
        try:
            total.update(f"{file.name} {fingerprint(file)['sha256']}\n".encode())
        except OSError as error:
            raise ValueError(f"`model` must be files that can be read; got {file} ({error.strerror}).") from None
    return total.hexdigest()


def images_digest(images: str | None) -> str:
    """SHA-256 over names and sizes of all files below the folder, not their content; '' for none."""
    if images is None:
        return ""
    total, folders = hashlib.sha256(), [images]
    while folders:
        for entry in sorted(os.scandir(folders.pop()), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_file():
                total.update(
                    f"{os.path.relpath(entry.path, images)} {entry.stat().st_size}\n".encode("utf-8", "replace")
                )
    return total.hexdigest()


def named_only(config: Any) -> dict:
    """The configuration for a record, which is read elsewhere too: names of files, not their places."""
    found = recorded(config)
    for name in ("model", "images", "tokenizer"):
        if found[name] and Path(found[name]).exists():  # else a name of the hub
            found[name] = Path(found[name]).name
    return {key: value for key, value in found.items() if value != ""}  # no hashes of what was not given
