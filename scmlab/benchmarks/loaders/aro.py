"""ARO's relations and attributes of Visual Genome: a crop of an image, a true caption and a swapped one."""

from functools import partial
from pathlib import Path
from typing import Any

from scmlab.benchmarks.item import Benchmark, Item
from scmlab.benchmarks.loaders.aro_order import load_coco_order, load_flickr30k_order, ready_names
from scmlab.benchmarks.loaders.aro_symmetric import BESIDE, left_out, symmetric_relations
from scmlab.benchmarks.loaders.regions import box_of, empty_box
from scmlab.benchmarks.reading import (
    defects,
    file_of,
    frozen,
    image_ref,
    mark_duplicates,
    numbered,
    read_json,
    rows_of,
    text_of,
    value_of,
)
from scmlab.benchmarks.source import ALL, VL_COMPO, Source
from scmlab.scm.store import BadFile

ROOT = "aro"
RELATION_FILE = "visual_genome_relation.json"
ATTRIBUTION_FILE = "visual_genome_attribution.json"


def load_vg_relation(annotations: Path, *, symmetric: Path | None = None) -> Benchmark:
    """VG-Relation: is "the horse is eating the grass" above "the grass is eating the horse"?

    The right caption is captions[0]; the image is cropped to its box; category: the name of the relation. The official
    number is the mean over relations, without 157 "symmetric" ones that the file still holds. Those names are not
    part of scmlab: they are read from ARO's own notebook, which also may lie beside the file or in notebooks/ there.
    symmetric   that notebook, or a JSON list or text file with one name per line
    The aggregate says which list it was: "vg_relation/1" the official one, "vg_relation_cae/1" the CAE line's of 160
    names, "vg_relation_given/1" any other, "vg_relation_all/1" none: the mean over all relations.
    tags["left_out"]: "official" for the 157, "cae" for the further three, "given" for those of another list, else "".
    Source: mertyg/vision-language-models-are-bows: the false caption comes first in an argmax: a tie is wrong.
    Errors: BadFile for other files, for rows that are not as said, and for a list without names.
    """
    path = file_of(annotations, [RELATION_FILE])
    dropped, aggregate = left_out(symmetric_relations(symmetric, beside=path.parent))
    items = []
    for place, row in numbered(rows_of(read_json(path), path)):
        name = text_of(row, "relation_name", path, place)
        tags = {"left_out": dropped.get(name, "")} if dropped else {}
        items.append(_item(row, path, place, category=name, tags=tags))
    return Benchmark("vg_relation", mark_duplicates(items), "choice", "strict", aggregate, {ALL: 23937})


def load_vg_attribution(annotations: Path) -> Benchmark:
    """VG-Attribution: is "the crouched cat and the open door" above "the open cat and the crouched door"?

    The right caption is captions[0]; the image is cropped to its box; category: the two attributes as "a_b", in the
    order of the file. The official number is the mean over the pairs with at least 25 items.
    Source: mertyg/vision-language-models-are-bows: the false caption comes first in an argmax: a tie is wrong.
    Errors: BadFile for other files and for rows that are not as said.
    """
    path = file_of(annotations, [ATTRIBUTION_FILE])
    items = []
    for place, row in numbered(rows_of(read_json(path), path)):
        pair = value_of(row, "attributes", path, place)
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair)):
            raise BadFile(f"`attributes` of {place} in {path} must be two texts; got {pair!r:.80}.")
        items.append(_item(row, path, place, category="_".join(pair)))
    items = mark_duplicates(items)
    return Benchmark("vg_attribution", items, "choice", "strict", "vg_attribution/1", {ALL: 28748})


def _item(row: Any, path: Path, place: str, category: str, tags: dict[str, str | float] | None = None) -> Item:
    text = partial(text_of, row, path=path, place=place)
    right, wrong = text("true_caption"), text("false_caption")
    box = box_of(row, ("bbox_x", "bbox_y", "bbox_w", "bbox_h"), path, place)
    found = [defects((right,), (wrong,)), empty_box(box)]
    return Item(
        key=place.removeprefix("item "),
        images=(image_ref(ROOT, text("image_path"), path, place, box),),
        captions=(right, wrong),
        right=((0, 0),),
        category=category,
        tags=frozen(tags or {}),
        defect="; ".join(filter(None, found)),
    )


CODE = "github.com/mertyg/vision-language-models-are-bows"
CROPS = {ROOT: "images/ of vgr_vga_images.zip (about 1 GB): 2332870.jpg ..., no folders below"}
KARPATHY = "captions: storage.googleapis.com/sfr-vision-language-research/datasets/"

LOADERS = {
    "vg_relation": Source(
        name="vg_relation",
        title="ARO: Visual Genome Relation",
        load=load_vg_relation,
        files=(RELATION_FILE,),
        origin=f"{CODE}: Google Drive 1kX2iCHEv0CADL8dSO1nMdW-V0NqIAiP3, images 1qaPlrwhGNMrR3a11iopZUT_GPP_LrgP9; "
        "the names of symmetric relations: its notebook in notebooks/",
        licence="MIT (annotations); the images' own",
        roots=CROPS,
        reference={"macro": 59.9},
        aggregate="vg_relation/1",
        beside=BESIDE,
        cited=VL_COMPO,
    ),
    "vg_attribution": Source(
        name="vg_attribution",
        title="ARO: Visual Genome Attribution",
        load=load_vg_attribution,
        files=(ATTRIBUTION_FILE,),
        origin=f"{CODE}: Google Drive 13tWvOrNOLHxl3Rm9cR3geAdHx2qR3-Tw, images 1qaPlrwhGNMrR3a11iopZUT_GPP_LrgP9",
        licence="MIT (annotations); the images' own",
        roots=CROPS,
        reference={"macro": 63.2},
        cited=VL_COMPO,
    ),
    "coco_order": Source(
        name="coco_order",
        title="ARO: COCO Order",
        load=load_coco_order,
        files=("coco_karpathy_test.json",),
        origin=f"{KARPATHY}coco_karpathy_test.json; rule: {CODE}; images: COCO val2014",
        licence="MIT (rule); captions and images their own",
        roots={"coco": "holds val2014/ with COCO_val2014_000000391895.jpg ..."},
        reference={"accuracy": 47.6},
        aggregate="order/1",
        beside=ready_names("coco_order"),
        cited=VL_COMPO,
    ),
    "flickr30k_order": Source(
        name="flickr30k_order",
        title="ARO: Flickr30k Order",
        load=load_flickr30k_order,
        files=("flickr30k_test.json",),
        origin=f"{KARPATHY}flickr30k_test.json; rule: {CODE}; images: Flickr30k, on request",
        licence="MIT (rule); captions and images their own",
        roots={"flickr30k": "holds flickr30k-images/ with 1007129816.jpg ..."},
        reference={"accuracy": 59.6},
        aggregate="order/1",
        beside=ready_names("flickr30k_order"),
        cited=VL_COMPO,
    ),
}
