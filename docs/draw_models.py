"""Draw the models as graphs: python docs/draw_models.py writes docs/images/sentence.png and docs/images/tokens.png.

Circles are latents, boxes observations, small grey names exogenous noise. In the second colour: edges that an option
or a control adds (solid) or cuts (dashed).
"""

from collections.abc import Iterable
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle

IMAGES = Path(__file__).parent / "images"
INK, FAINT, CHANGED = "#222222", "#8a8a8a", "#d1495b"

Place = tuple[float, float]
Edge = tuple[str, str, float]  # from, to, bend

SENTENCE: dict[str, Place] = {
    "u_pr_img": (-3.2, 3.6),
    "u_dp_img": (-1.6, 3.6),
    "u_inv": (0.0, 3.6),
    "u_dp_tex": (1.6, 3.6),
    "u_pr_tex": (3.2, 3.6),
    "z_pr_img": (-3.2, 2.0),
    "z_dp_img": (-1.6, 2.0),
    "z_inv": (0.0, 2.0),
    "z_dp_tex": (1.6, 2.0),
    "z_pr_tex": (3.2, 2.0),
    "x_img": (-1.6, 0.2),
    "x_tex": (1.6, 0.2),
}
SENTENCE_EDGES: list[Edge] = [
    *((f"u_{name}", f"z_{name}", 0.0) for name in ("pr_img", "dp_img", "inv", "dp_tex", "pr_tex")),
    ("z_inv", "z_dp_img", 0.0),
    ("z_inv", "z_dp_tex", 0.0),
    *((name, "x_img", 0.0) for name in ("z_inv", "z_dp_img", "z_pr_img")),
    *((name, "x_tex", 0.0) for name in ("z_inv", "z_dp_tex", "z_pr_tex")),
]


def main() -> None:
    """Write both pictures."""
    IMAGES.mkdir(exist_ok=True)
    for name, draw in (("sentence", sentence), ("tokens", tokens)):
        figure = draw()
        figure.savefig(IMAGES / f"{name}.png", dpi=130)
        plt.close(figure)


def sentence() -> plt.Figure:
    """Assumption 1, the literature's option for z_dp, and the four controls that change the graph."""
    figure, panels = plt.subplots(2, 3, figsize=(14.5, 6.4), layout="constrained")
    z_dp_cut = [("z_inv", "z_dp_tex", 0.0), ("u_dp_tex", "z_dp_tex", 0.0)]
    changes: list[tuple[str, dict[str, Place], list[Edge], list[Edge]]] = [
        ("Assumption 1", {}, [], []),
        (
            "option dp='perturbed' (the literature)",
            {"u_change": (2.5, 2.9)},
            [("z_dp_img", "z_dp_tex", -0.45), ("u_change", "z_dp_tex", 0.0)],
            z_dp_cut[:1],
        ),
        ("control dp_equal: z_dp_tex = z_dp_img", {}, [("z_dp_img", "z_dp_tex", -0.45)], z_dp_cut),
        (
            "control shared_private: z_pr_tex = z_pr_img",
            {},
            [("z_pr_img", "z_pr_tex", -0.27)],
            [("u_pr_tex", "z_pr_tex", 0.0)],
        ),
        ("control dropped_inv: f misses a coordinate of z_inv", {}, [], [("z_inv", "x_img", -0.3)]),
        (
            "control corrupted_inv: g sees z_inv with noise",
            {"u_corruption": (0.0, 0.2)},
            [("u_corruption", "x_tex", 0.0)],
            [],
        ),
    ]
    for axes, (title, more, added, cut) in zip(panels.flat, changes, strict=True):
        _graph(axes, SENTENCE | more, SENTENCE_EDGES, added, cut)
        axes.set(xlim=(-4.0, 4.0), ylim=(-0.2, 3.9))
        axes.set_title(title, fontsize=12)
    return figure


def tokens() -> plt.Figure:
    """Assumption 4 in both readings, with the default numbers of tokens."""
    figure, panels = plt.subplots(2, 1, figsize=(11.5, 8.6), layout="constrained")
    _graph(panels[0], *_continuous())
    panels[0].set_title("continuous tokens: TokenSCM()", fontsize=12)
    _graph(panels[1], *_discrete())
    panels[1].add_patch(Rectangle((-0.6, 0.62), 6.8, 0.76, fill=False, edgecolor=INK, linewidth=1.2))
    panels[1].text(6.15, 1.5, "x_tex", ha="right", fontsize=10, color=INK)
    panels[1].set_title("discrete tokens: DiscreteTokenSCM()", fontsize=12)
    for axes in panels:
        axes.set(xlim=(-5.4, 6.6), ylim=(-0.8, 3.7))
    return figure


def _image_side() -> tuple[dict[str, Place], list[Edge]]:
    places = {
        "u_pr_img": (-4.6, 3.4),
        "u_dp_img": (-3.0, 3.4),
        "z_pr_img": (-4.6, 2.0),
        "z_dp_img": (-3.0, 2.0),
        "z_inv": (-1.3, 2.0),
        "u_inv": (-1.3, 3.4),
        "x_img": (-3.0, 0.2),
    }
    edges = [(f"u_{name}", f"z_{name}", 0.0) for name in ("pr_img", "dp_img", "inv")]
    edges += [(name, "x_img", 0.0) for name in ("z_inv", "z_dp_img", "z_pr_img")]
    return places, [*edges, ("z_inv", "z_dp_img", 0.0)]


def _continuous() -> tuple[dict[str, Place], list[Edge]]:
    places, edges = _image_side()
    names = [f"z_{i}" for i in range(1, 5)]
    places["w"] = (0.0, 3.4)
    edges.append(("z_inv", "w", 0.0))
    for i, name in enumerate(names):
        across = 0.7 + 1.6 * i
        places |= {name: (across, 2.0), f"u_{i + 1}": (across + 0.6, 1.0), f"x_{i + 1}": (across, 0.2)}
        edges += [(f"u_{i + 1}", name, 0.0), (name, f"x_{i + 1}", 0.0)]
        if i:  # inv = 3 coordinates over 4 tokens: the first token carries none
            edges.append(("w", name, 0.0))
        edges += [(before, name, 0.0 if i == j + 1 else -0.28) for j, before in enumerate(names[:i])]
    return places, edges


def _discrete() -> tuple[dict[str, Place], list[Edge]]:
    places, edges = _image_side()
    for i in range(1, 7):
        across = -0.2 + 1.2 * (i - 1)
        places |= {f"z_{i}": (across, 1.0), f"u_{i}": (across, -0.5)}
        edges.append((f"u_{i}", f"z_{i}", 0.0))
        if i > 1:
            edges += [("z_inv", f"z_{i}", -0.12), ("z_1", f"z_{i}", 0.0 if i == 2 else 0.22)]
    return places, edges


def _graph(
    axes: Axes, places: dict[str, Place], edges: Iterable[Edge], added: Iterable[Edge] = (), cut: Iterable[Edge] = ()
) -> None:
    axes.set_aspect("equal")
    axes.axis("off")
    gone = {edge[:2] for edge in cut if not edge[2]}  # a bent edge is cut in part: the straight one stays
    new = {edge[0] for edge in added if edge[0].startswith("u_")}
    nodes = {
        name: _node(axes, name, place, CHANGED if name in new else FAINT if name.startswith("u_") else INK)
        for name, place in places.items()
    }
    for edge in edges:
        if edge[:2] not in gone:
            _arrow(axes, places, nodes, edge, FAINT if edge[0].startswith("u_") else INK, "solid")
    for edge in cut:
        _arrow(axes, places, nodes, edge, CHANGED, (0, (4, 3)))
    for edge in added:
        _arrow(axes, places, nodes, edge, CHANGED, "solid")


def _node(axes: Axes, name: str, place: Place, colour: str) -> FancyBboxPatch:
    noise = name.startswith("u_")
    width, height = 0.12 * len(name) + (0.05 if noise else 0.2), 0.24 if noise else 0.42
    box = FancyBboxPatch(
        (place[0] - width / 2, place[1] - height / 2),
        width,
        height,
        boxstyle="square,pad=0" if name.startswith("x_") else "round,pad=0,rounding_size=0.2",
        facecolor="white",
        edgecolor="white" if noise else colour,
        linewidth=1.2,
        zorder=3,
    )
    axes.add_patch(box)
    axes.text(*place, name, ha="center", va="center", fontsize=9 if noise else 10, color=colour, zorder=4)
    return box


def _arrow(
    axes: Axes, places: dict[str, Place], nodes: dict[str, FancyBboxPatch], edge: Edge, colour: str, line: object
) -> None:
    start, end, bend = edge
    arrow = FancyArrowPatch(
        places[start],
        places[end],
        arrowstyle="-|>",
        mutation_scale=13,
        color=colour,
        linestyle=line,
        linewidth=1.6 if colour == CHANGED else 1.1,
        patchA=nodes[start],
        patchB=nodes[end],
        shrinkA=1,
        shrinkB=2,
        connectionstyle=f"arc3,rad={bend}",
        zorder=2,
    )
    axes.add_patch(arrow)


if __name__ == "__main__":
    main()
