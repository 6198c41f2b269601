"""VL-CheckList: a caption of an image against one with another attribute, relation or object."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.reading import (
    defects,
    image_ref,
    mark_duplicates,
    numbered,
    read_json,
    read_text,
    rows_of,
    text_of,
    value_of,
)
from scmlab.benchmarks.source import UNKNOWN, VL_COMPO, Source
from scmlab.scm.store import BadFile

_OBJECTS = ("hake", "swig_agent", "swig_destination", "swig_item", "swig_tool", "vg_obj", "vg_subj")
_TYPES = {
    **{f"Attribute/{name}": ("vaw", "vg") for name in ("action", "color", "material", "size", "state")},
    "Relation/action": ("hake", "swig", "vg"),
    "Relation/spatial": ("vg",),
    **{f"Object/Location/{name}": _OBJECTS for name in ("center", "margin", "mid")},
    **{f"Object/Size/{name}": _OBJECTS for name in ("large", "medium", "small")},
}
CATEGORIES = tuple(f"{kind}/{source}" for kind, sources in _TYPES.items() for source in sources)
"""Type and source of every file of the release: "Attribute/color/vg", "Object/Location/center/vg_obj" ..."""

_COUNTS = {
    "Attribute/action/vaw": 3039,
    "Attribute/material/vaw": 11835,
    "Attribute/size/vaw": 15321,
    "Attribute/state/vaw": 4939,
    "Attribute/action/vg": 1892,
    "Attribute/color/vg": 11569,
    "Attribute/material/vg": 2470,
    "Attribute/size/vg": 2695,
    "Attribute/state/vg": 941,
    "Relation/action/swig": 25150,
    "Relation/action/vg": 12733,
    "Relation/spatial/vg": 30650,
    "Object/Location/margin/vg_obj": 8291,
    "Object/Size/medium/vg_obj": 30725,
    "Object/Size/small/vg_obj": 13702,
}
OFFICIAL = {category: _COUNTS.get(category, UNKNOWN) for category in CATEGORIES}
"""Items of each file; of some files the number is not known."""

FIRST = 1000
_ROOTS = {"vaw": "vg", "vg": "vg", "hake": "hake", "swig": "swig"}
_NO_TAGS: Mapping[str, str | float] = MappingProxyType({})


def load_vl_checklist(annotations: Path, *, types: Sequence[str] = ()) -> Benchmark:
    """VL-CheckList from a clone of its repository: corpus/v1/TYPE/SOURCE.yaml names a JSON file in data/.

    The right caption is captions[0]. Rows of three right and three wrong captions (swig) give only their first, as in
    the official code, which reads no other. Every row is kept: the official code leaves out those whose image it
    does not find, without a word. Defects that the release is known for are marked: a negative that equals the
    caption, one cut down to the object alone, and duplicates within a file.
    types   "Attribute", "Attribute/color", "Attribute/color/vg" ...: only the files below these; none: all
    IMG_ROOT of the yaml files is not read: the images are in vg (also for vaw), swig and hake.
    Source: om-ai-lab/VL-CheckList, task "itc": right where the caption's score is above the negative's; a tie is wrong.
    Errors: an unknown type; BadFile for missing files, paths that leave the folder, and rows that are not as said.
    """
    return _load("vl_checklist", annotations, types, None)


def load_vl_checklist_first_1000(annotations: Path, *, types: Sequence[str] = ()) -> Benchmark:
    """The first 1,000 rows of every file: the official configurations' MAX_NUM: 2000; all else as of the whole.

    The official code counts to 1,000 after leaving out rows without an image: with missing images its rows are others.
    """
    return _load("vl_checklist_first_1000", annotations, types, FIRST)


def _load(name: str, annotations: Path, types: Sequence[str], first: int | None) -> Benchmark:
    chosen = _chosen(types)
    corpus = _corpus(annotations)
    files = (tuple(_items(annotations, corpus, category, first)) for category in chosen)
    items = tuple(item for file in files for item in mark_duplicates(file))  # the parts of Object share rows
    expected = {category: OFFICIAL[category] for category in chosen}
    if first is not None:  # how many there are of an unknown number stays unknown: UNKNOWN is below all numbers
        expected = {category: min(count, first) for category, count in expected.items()}
    return Benchmark(name, items, "choice", "strict", "vl_checklist/1", expected)


def _chosen(types: Sequence[str]) -> tuple[str, ...]:
    """The categories below these types. Errors: a type without any."""
    for name in types:
        if not any(_below(category, name) for category in CATEGORIES):
            first = ", ".join(dict.fromkeys(category.rsplit("/", 1)[0] for category in CATEGORIES))
            raise ValueError(f"`types` must be of Attribute, Relation, Object, {first}; got {name!r}.")
    return tuple(c for c in CATEGORIES if not types or any(_below(c, name) for name in types))


def _below(category: str, name: str) -> bool:
    return f"{category}/".startswith(f"{name}/")


def _corpus(annotations: Path) -> Path:
    """The folder of the yaml files. Errors: BadFile for a folder that is no clone."""
    for name in ("corpus/v1", "corpus"):
        if (annotations / name).is_dir() and (annotations / "data").is_dir():
            return annotations / name
    raise BadFile(
        f"`annotations` must be a clone of om-ai-lab/VL-CheckList with the folders corpus/v1 and data; "
        f"got {annotations} without them."
    )


def _items(annotations: Path, corpus: Path, category: str, first: int | None) -> Iterator[Item]:
    path = _data(annotations, corpus / f"{category}.yaml")
    root = _ROOTS[category.rsplit("/", 1)[1].split("_")[0]]
    whole = category.startswith("Object/")
    for place, row in numbered(rows_of(read_json(path), path)[:first]):
        if not (isinstance(row, list) and len(row) == 2 and isinstance(row[0], str)):
            raise BadFile(f"{place} in {path} must be a path and an object with POS and NEG; got {row!r:.80}.")
        right, wrong = (_first(row[1], key, path, place) for key in ("POS", "NEG"))
        found = [defects((right,), (wrong,)), "negative is a fragment" if whole and fragment(right, wrong) else ""]
        yield Item(
            key=f"{category}/{place.removeprefix('item ')}",
            images=(image_ref(root, row[0], path, place),),
            captions=(right, wrong),
            right=((0, 0),),
            category=category,
            tags=_NO_TAGS,
            defect="; ".join(filter(None, found)),
        )


def _data(annotations: Path, config: Path) -> Path:
    """The JSON file that a yaml file names. Errors: BadFile, also for one outside the folder."""
    settings = _yaml(config)
    name = text_of(settings, "ANNO_PATH", config, "the settings")
    kind = settings.get("TYPE", "TUPLE_JSON")
    if kind != "TUPLE_JSON":
        raise BadFile(f"`TYPE` in {config} must be TUPLE_JSON; got {kind!r:.80}.")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise BadFile(f"`ANNO_PATH` in {config} must be a path below {annotations}; got {name!r:.80}.")
    path = path.relative_to("vl-checklist") if path.parts[:1] == ("vl-checklist",) else path
    if not (annotations / path).is_file():
        raise BadFile(
            f"{config} names {path}, which {annotations} does not hold: take the full release, or choose other `types`."
        )
    return annotations / path


def _yaml(config: Path) -> dict:
    try:
        import yaml
    except ImportError:
        raise ModuleNotFoundError("VL-CheckList needs PyYAML: pip install 'scmlab[benchmarks]'.") from None
    try:
        settings = yaml.safe_load(read_text(config))
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise BadFile(f"{config} must be a YAML file; {reason}.") from None
    if not isinstance(settings, dict):
        raise BadFile(f"{config} must name ANNO_PATH and TYPE; got {settings!r:.80}.")
    return settings


def _first(captions: Any, key: str, path: Path, place: str) -> str:
    texts = value_of(captions, key, path, place)
    if not isinstance(texts, list) or not texts:
        raise BadFile(f"`{key}` of {place} in {path} must be a list of captions; got {texts!r:.80}.")
    return text_of({key: texts[0]}, key, path, place)


def fragment(right: str, wrong: str) -> bool:
    """Whether a negative is the new object alone, "sack" for "train has wheels": no word of a longer caption is left.

    By words: a negative that changes all of them is taken for a fragment too.
    """
    words = re.findall(r"\w+", right.casefold())
    return len(words) > 1 and not set(words) & set(re.findall(r"\w+", wrong.casefold()))


IMAGES = {
    "vg": "Visual Genome: holds VG_100K/ and VG_100K_2/",
    "swig": "images_512/ of SWiG: dialing_8.jpg ..., no folders below",
    "hake": "holds hcvrd/, hico_20160224_det/, openimages/, pic/, vcoco/, hake_images_20190730/, hake_images_20200614/",
}
ORIGIN = (
    "github.com/om-ai-lab/VL-CheckList, folders corpus/v1 and data; images: Visual Genome, SWiG, HAKE (DATASETS.md)"
)
LICENCE = "free for non-commercial use by its setup.py, no licence file; the images' own"

LOADERS = {
    "vl_checklist": Source(
        name="vl_checklist",
        title="VL-CheckList",
        load=load_vl_checklist,
        files=("corpus/v1/*/*.yaml", "data/*/*.json"),
        origin=ORIGIN,
        licence=LICENCE,
        roots=IMAGES,
        reference={
            "Attribute/action": 70.6,
            "Attribute/color": 69.6,
            "Attribute/material": 69.8,
            "Attribute/size": 61.1,
            "Attribute/state": 67.3,
            "Relation/action": 72.1,
            "Relation/spatial": 54.0,
        },
        cited=VL_COMPO,
    ),
    "vl_checklist_first_1000": Source(
        name="vl_checklist_first_1000",
        title="VL-CheckList, the first 1,000 of each file",
        load=load_vl_checklist_first_1000,
        files=("corpus/v1/*/*.yaml", "data/*/*.json"),
        origin=ORIGIN,
        licence=LICENCE,
        roots=IMAGES,
    ),
}
