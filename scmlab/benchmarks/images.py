"""Where a benchmark's images are: names below roots to files in the folders that users have, and what is not there."""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from scmlab.benchmarks.item import Benchmark, ImageRef
from scmlab.benchmarks.loaders.crepe import FOLDERS

CHECKS = ("exists", "header", "whole")

ELSEWHERE: Mapping[str, tuple[str, ...]] = MappingProxyType({"vg": FOLDERS})
"""Root -> folders below it in which a name without a folder is looked up in turn."""

SHOWN = 5  # names of missing images that a report holds
LOOKED = 200  # folders beside or below a root that are searched for a hint
OTHER_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".JPG", ".JPEG", ".PNG")


@dataclass(frozen=True)
class RootCoverage:
    """How many of the files that a benchmark wants below a root are there.

    folder      none where the user gave none
    wanted      different files; wanted = found + missing + unreadable
    unreadable  empty, no image, or not to be opened; by the check "exists" only what is no file or empty
    first       names of the first missing files, else of the first unreadable ones
    hint        where they may be; '' without any
    """

    root: str
    folder: Path | None
    wanted: int
    found: int
    missing: int
    unreadable: int
    first: tuple[str, ...]
    hint: str

    @property
    def sentence(self) -> str:
        """What is there of what is wanted, and what to do."""
        if self.folder is None:
            return f"{self.root}: no folder given for {self.wanted:,} images{self.hint and f': {self.hint}'}."
        said = f"{self.root}: {self.found:,} of {self.wanted:,} images in {self.folder}"
        if self.missing:
            said += f", {self.missing:,} missing"
        if self.unreadable:
            said += f", {self.unreadable:,} unreadable"
        if self.first:
            said += f" (such as {', '.join(self.first)})"
        return said + (f": {self.hint}." if self.hint else ".")


@dataclass(frozen=True)
class Coverage:
    """The file of each image of a benchmark, none where it cannot be used; and the report of each root.

    items, whole   how many items there are, and how many have all their images
    """

    paths: Mapping[ImageRef, Path | None]
    roots: tuple[RootCoverage, ...]
    items: int
    whole: int

    @property
    def complete(self) -> bool:
        """Whether every item has all its images."""
        return self.whole == self.items

    @property
    def sentences(self) -> tuple[str, ...]:
        """The report, one sentence for each root and one for the items."""
        return (
            *(root.sentence for root in self.roots),
            f"{self.whole:,} of {self.items:,} items have all their images.",
        )


def resolve(benchmark: Benchmark, roots: Mapping[str, Path], *, check: str = "header") -> Coverage:
    """The file of each image. Nothing is scored, opened for long, or dropped: what is not there is None and counted.

    roots   name of a root -> its folder; a root without a folder has all its images missing
    check   'exists': a file that is not empty; 'header': Pillow knows what image it is; 'whole': every pixel decodes
    A box without area makes its image unusable. Names cannot leave their root (`ImageRef`); links that the user has put
    below a root are followed. The files may still change before they are read.
    Errors: a root that the benchmark does not have; a folder that is none; an unknown check; no Pillow.
    """
    if check not in CHECKS:
        raise ValueError(f"`check` must be one of {', '.join(CHECKS)}; got {check!r}.")
    for root, folder in roots.items():
        if root not in benchmark.roots:
            known = ", ".join(benchmark.roots) or "none, it has no images"
            raise ValueError(f"`images` must be for roots of {benchmark.name} ({known}); got {root}.")
        if not os.path.isdir(folder):
            what = "a file" if os.path.exists(folder) else "nothing"
            raise ValueError(f"`images` of {root} must be a folder; got {folder}, where there is {what}.")
    images = dict.fromkeys(image for item in benchmark.items for image in item.images)
    files: dict[str, dict[PurePosixPath, Path | None]] = {root: {} for root in benchmark.roots}
    for image in images:
        files[image.root][image.path] = None
    reports = tuple(_cover(root, roots.get(root), found, check) for root, found in files.items())
    paths = {image: None if _empty(image) else files[image.root][image.path] for image in images}
    whole = sum(all(paths[image] is not None for image in item.images) for item in benchmark.items)
    return Coverage(MappingProxyType(paths), reports, len(benchmark.items), whole)


def parse_roots(roots: Sequence[str], given: Sequence[str]) -> dict[str, Path]:
    """Folders of roots from a command line: "ROOT=FOLDER" each, or one FOLDER where there is one root.

    Errors: a folder without a name where there are several roots, an unknown name, a name given twice.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals or name not in roots:
            if len(roots) != 1 or (equals and not Path(text).exists()):
                known = ", ".join(f"{root}=FOLDER" for root in roots) or "left out where no benchmark has images"
                raise ValueError(f"`images` must be {known}; got {text}.")
            name, folder = roots[0], text
        if name in found:
            raise ValueError(f"`images` must name each root once; got {name} twice.")
        found[name] = Path(folder).expanduser()
    return found


def _cover(root: str, folder: Path | None, files: dict[PurePosixPath, Path | None], check: str) -> RootCoverage:
    """Fills in the files and reports on them."""
    if folder is None:
        return RootCoverage(root, None, len(files), 0, len(files), 0, (), f"give {root}=FOLDER")
    missing, unreadable = [], []
    for name in files:
        path = _find(folder, name, ELSEWHERE.get(root, ("",)))
        if path is None:
            missing.append(name)
        elif _usable(path, check):
            files[name] = path
        else:
            unreadable.append(name)
    first = tuple(map(str, (missing or unreadable)[:SHOWN]))
    found = len(files) - len(missing) - len(unreadable)
    return RootCoverage(
        root, folder, len(files), found, len(missing), len(unreadable), first, _hint(folder, missing) if missing else ""
    )


def _find(folder: Path, name: PurePosixPath, elsewhere: Sequence[str]) -> Path | None:
    places = elsewhere if len(name.parts) == 1 else ("",)
    return next((path for place in places if _there(path := folder / place / name)), None)


def _there(path: Path) -> bool:
    """Whether something has this name, also where it cannot be read."""
    try:
        os.stat(path)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _usable(path: Path, check: str) -> bool:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or not status.st_size or not os.access(path, os.R_OK):
            return False
        return check == "exists" or _is_image(path, check)
    except OSError:
        return False


def _is_image(path: Path, check: str) -> bool:
    try:
        from PIL import Image
    except ImportError:
        raise ModuleNotFoundError("Looking into images needs Pillow: pip install 'scmlab[clip]'.") from None
    if check == "whole":
        from scmlab.models.clip.images import BadImage, open_image  # loads transformers

        try:
            open_image(path)
        except BadImage:
            return False
        return True
    try:
        with Image.open(path):
            return True
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _empty(image: ImageRef) -> bool:
    return image.box is not None and not (image.box[2] > 0 and image.box[3] > 0)


def _hint(folder: Path, missing: Sequence[PurePosixPath]) -> str:
    """Where the first missing images are instead: a level above or below, without their folder, with another suffix."""
    names = missing[:SHOWN]

    def holds(other: Path) -> bool:
        return all(os.path.isfile(other / name) for name in names)

    below = _folders(folder)
    places = [folder.parent, *below, *(deeper for place in below[:SHOWN] for deeper in _folders(place))]
    for place in places:
        if holds(place):
            return f"they are in {place}, give that folder"
    flat = [PurePosixPath(name.name) for name in names if len(name.parts) > 1]
    if flat and all(os.path.isfile(folder / name) for name in flat):
        return f"they lie there without the folder {names[0].parent}, give a folder that holds it"
    for suffix in OTHER_SUFFIXES:
        if all(os.path.isfile(folder / name.with_suffix(suffix)) for name in names):
            return f"they are there with the suffix {suffix} instead of {names[0].suffix}"
    return ""


def _folders(folder: Path) -> list[Path]:
    """The first folders in it. A folder of images may hold very many files: they are not looked at one by one."""
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in islice((e for e in entries if e.is_dir()), LOOKED))
    except OSError:
        return []
