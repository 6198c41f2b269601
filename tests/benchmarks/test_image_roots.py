import os
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from scmlab.benchmarks.images import parse_roots, resolve
from scmlab.benchmarks.item import Benchmark, ImageRef, Item

BOX = (0.0, 0.0, 2.0, 0.0)


def item(*names: str, root: str = "coco", box: tuple | None = None) -> Item:
    images = tuple(ImageRef(root, PurePosixPath(name), box) for name in names)
    return Item("/".join(names), images, ("a", "b"), ((0, 0),), "all")


def benchmark(*items: Item) -> Benchmark:
    return Benchmark("mine", items, "choice", "strict", "accuracy/1")


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3)).save(path)
    return path


def test_every_image_gets_its_file_or_none_and_is_counted(tmp_path):
    found = picture(tmp_path / "a.png")
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    wanted = benchmark(
        item("a.png", "gone.png"), item("a.png"), item("empty.png"), item("text.png"), item("folder.png")
    )
    coverage = resolve(wanted, {"coco": tmp_path})
    assert coverage.paths[ImageRef("coco", PurePosixPath("a.png"))] == found
    assert {str(image.path) for image, path in coverage.paths.items() if path is None} == {
        "gone.png",
        "empty.png",
        "text.png",
        "folder.png",
    }
    (root,) = coverage.roots
    assert (root.wanted, root.found, root.missing, root.unreadable) == (5, 1, 1, 3)
    assert root.first == ("gone.png",)
    assert (coverage.items, coverage.whole, coverage.complete) == (5, 1, False)
    said, items = coverage.sentences
    assert "1 of 5 images" in said
    assert "1 missing, 3 unreadable (such as gone.png)" in said
    assert items == "1 of 5 items have all their images."


def test_the_check_says_how_far_files_are_read(tmp_path):
    whole = picture(tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:44])  # the header, and no pixels
    (tmp_path / "text.png").write_text("no image")
    wanted = benchmark(item("cut.png"), item("text.png"))
    found = {check: resolve(wanted, {"coco": tmp_path}, check=check).whole for check in ("exists", "header", "whole")}
    assert found == {"exists": 2, "header": 1, "whole": 0}


def test_all_is_well_where_all_images_are(tmp_path):
    picture(tmp_path / "x" / "a.png")
    coverage = resolve(benchmark(item("x/a.png")), {"coco": tmp_path})
    assert coverage.complete
    assert coverage.sentences[0] == f"coco: 1 of 1 images in {tmp_path}."


@pytest.mark.parametrize(
    ("there", "given", "hint"),
    [
        ("up/val2014/a.png", "up/val2014", "they are in {}/up, give that folder"),
        ("up/down/val2014/a.png", "up", "they are in {}/up/down, give that folder"),
        ("up/1/2/val2014/a.png", "up", "they are in {}/up/1/2, give that folder"),
        ("up/other/a.png", "up/other", "they lie there without the folder val2014, give a folder that holds it"),
        ("up/val2014/a.jpg", "up", "they are there with the suffix .jpg instead of .png"),
        ("up/b.png", "up", ""),
    ],
)
def test_a_folder_that_is_one_level_off_is_told(tmp_path, there, given, hint):
    picture(tmp_path / there)
    coverage = resolve(benchmark(item("val2014/a.png")), {"coco": tmp_path / given})
    assert coverage.roots[0].hint == hint.format(tmp_path)
    assert hint.format(tmp_path) in coverage.sentences[0]
    assert coverage.sentences[0].endswith(".")


def test_numbers_of_visual_genome_are_looked_up_in_its_folders(tmp_path):
    second = picture(tmp_path / "VG_100K_2" / "2.jpg")
    picture(tmp_path / "VG_100K" / "1.jpg")
    coverage = resolve(benchmark(item("1.jpg", "2.jpg", root="vg")), {"vg": tmp_path})
    assert coverage.complete
    assert coverage.paths[ImageRef("vg", PurePosixPath("2.jpg"))] == second


def test_a_root_without_a_folder_misses_everything(tmp_path):
    picture(tmp_path / "a.png")
    coverage = resolve(benchmark(item("a.png"), item("b.png", root="vg")), {"coco": tmp_path})
    assert [(root.root, root.missing) for root in coverage.roots] == [("coco", 0), ("vg", 1)]
    assert coverage.sentences[1] == "vg: no folder given for 1 images: give vg=FOLDER."
    assert coverage.whole == 1


def test_a_box_without_area_cannot_be_used_though_its_file_is_there(tmp_path):
    picture(tmp_path / "a.png")
    coverage = resolve(benchmark(item("a.png"), item("a.png", box=BOX)), {"coco": tmp_path})
    assert coverage.roots[0].found == coverage.roots[0].wanted == 1
    assert coverage.whole == 1


def test_links_of_the_user_are_followed_and_broken_ones_are_missing(tmp_path):
    picture(tmp_path / "elsewhere.png")
    (tmp_path / "root").mkdir()
    os.symlink(tmp_path / "elsewhere.png", tmp_path / "root" / "a.png")
    os.symlink(tmp_path / "none.png", tmp_path / "root" / "b.png")
    coverage = resolve(benchmark(item("a.png"), item("b.png")), {"coco": tmp_path / "root"})
    assert (coverage.roots[0].found, coverage.roots[0].missing) == (1, 1)


def test_what_is_no_folder_root_or_check_is_refused(tmp_path, refuses):
    mine = benchmark(item("a.png"))
    with refuses("`images` of coco", tmp_path / "none", "nothing"):
        resolve(mine, {"coco": tmp_path / "none"})
    with refuses("a file"):
        resolve(mine, {"coco": picture(tmp_path / "a.png")})
    with refuses("roots of mine (coco)", "got vg"):
        resolve(mine, {"vg": tmp_path})
    with refuses("`check`", "exists, header, whole"):
        resolve(mine, {"coco": tmp_path}, check="some")


def test_folders_are_named_where_there_are_several_roots(tmp_path, refuses):
    one, two = benchmark(item("a.png")), benchmark(item("a.png"), item("b.png", root="vg"))
    assert parse_roots(one.roots, ["images"]) == parse_roots(one.roots, ["coco=images"]) == {"coco": Path("images")}
    assert parse_roots(two.roots, ["vg=x=y", "coco=z"]) == {"vg": Path("x=y"), "coco": Path("z")}
    for given in (["images"], ["swig=images"]):
        with refuses("coco=FOLDER, vg=FOLDER", given[0]):
            parse_roots(two.roots, given)
    with refuses("coco twice"):
        parse_roots(one.roots, ["a", "coco=b"])
    with refuses("coco=FOLDER", "koko=b"):
        parse_roots(one.roots, ["koko=b"])
