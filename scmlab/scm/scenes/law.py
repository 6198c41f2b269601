"""The law of scenes: exogenous noise, structural equations with their shortcut, interventions.

The two objects are drawn as an unordered pair: a pair of shapes, a pair of colours, and the binding that says which
shape has which colour. Then come the relation and which of the two is its subject, by which the objects take their
places in the caption; `Scenes` holds them in these places.
"""

from collections.abc import Callable

import torch
from jaxtyping import Int
from torch import Tensor

from scmlab.scm.equations import Latents, Noise, solve
from scmlab.scm.scenes.draws import draw_pair, draw_pose, pick, uniform_value
from scmlab.scm.scenes.interventions import Do, actions
from scmlab.scm.scenes.places import in_places
from scmlab.scm.scenes.record import POSE, THIRD, WORDING, Scenes
from scmlab.scm.scenes.rules import pair_kinds, pair_sets, rules
from scmlab.scm.scenes.spec import SceneSpec
from scmlab.scm.scenes.sprites import BACKGROUNDS
from scmlab.scm.scenes.words import LARGE, SMALL
from scmlab.scm.streams import uniform

PAIR = ("shapes", "colours", "attribute", "subject")
"""Latents that `Scenes` holds as shape and colour of the places."""

TRUTHS = ("third", "mention", "tells", "converse")
"""Latents that are 0 or 1 here and false or true in `Scenes`."""


def sample_scenes(spec: SceneSpec, n: int, *, generator: torch.Generator, do: Do | None = None) -> Scenes:
    """n i.i.d. scenes on the generator's device: `push_scenes` of fresh noise. Errors: n < 1."""
    return push_scenes(spec, scene_noise(spec, n, generator=generator), do)


def scene_noise(spec: SceneSpec, n: int, *, generator: torch.Generator) -> Noise:
    """The exogenous noise of n scenes, uniform on [0, 1): the same terms, in the same order, for every spec."""
    if n < 1:
        raise ValueError(f"`n` must be at least 1; got {n}.")
    widths = {
        "u_shapes": (3,),
        "u_colours": (3,),
        "u_rule": (),
        "u_attribute": (),
        "u_relation": (),
        "u_subject": (),
        "u_size": (3,),
        "u_texture": (3,),
        "u_third": (),
        "u_background": (),
        "u_pose": (len(POSE),),
        "u_front": (),
        "u_mention": (3, 3),
        "u_template": (),
        "u_wording": (len(WORDING),),
        "u_converse": (),
    }
    return {name: uniform(n, *width, generator=generator) for name, width in widths.items()}


def push_scenes(spec: SceneSpec, noise: Noise, do: Do | None = None) -> Scenes:
    """The scenes that this noise determines; with `do`, the counterfactual on the same noise.

    Latents: shapes and colours (n, 3) of the pair in rising order and of the third object; attribute 0 or 1: the
    pair's first shape has its first or second colour; relation; subject 0 or 1: the pair's first or second shape is the
    subject; size and texture (n, 3) by place, and all other fields of `Scenes`. do of the values that `structural`
    finds returns the same scenes bit for bit. What lies in another object is small, the other is large, unless `do`
    says else. Errors: a name in `do` that is no latent; a value that the latent does not have.
    """
    z = solve(_equations(spec, noise), actions(spec, noise, dict(do or {})), levels(spec))
    shape, colour = in_places(z["shapes"], z["colours"], z["attribute"], z["subject"])
    placed = {name: value.bool() if name in TRUTHS else value for name, value in z.items() if name not in PAIR}
    return Scenes(shape=shape, colour=colour, **placed)


def _equations(spec: SceneSpec, noise: Noise) -> dict[str, Callable[[Latents], Tensor]]:
    ruled = noise["u_rule"] < spec.shortcut
    chances = torch.tensor(
        [spec.mention_colour, spec.mention_size, spec.mention_texture], device=noise["u_rule"].device
    )
    rule = rules(spec, noise["u_rule"].device)

    def attribute(z: Latents) -> Tensor:
        free = uniform_value(spec, "attribute", noise)
        if spec.binding == "relation":
            return free
        return torch.where(ruled, rule.attribute[pair_sets(spec, z["shapes"], z["colours"])], free)

    def of_pair(name: str) -> Callable[[Latents], Tensor]:
        def equation(z: Latents) -> Tensor:
            free = uniform_value(spec, name, noise)
            if spec.binding == "attribute":
                return free
            first, second = pair_kinds(spec, z["shapes"], z["colours"], z["attribute"])
            return torch.where(ruled, getattr(rule, name)[first, second], free)

        return equation

    def size(z: Latents) -> Tensor:
        drawn = pick(noise["u_size"], 2)
        drawn = torch.where(torch.arange(3, device=drawn.device) == THIRD, SMALL, drawn)
        return nested_sizes(spec, z["relation"], drawn)

    return {
        "shapes": lambda z: draw_pair(noise["u_shapes"], len(spec.shapes), spec.pairs == "different"),
        "colours": lambda z: draw_pair(noise["u_colours"], len(spec.colours), spec.pairs == "different"),
        "attribute": attribute,
        "relation": of_pair("relation"),
        "subject": of_pair("subject"),
        "size": size,
        "texture": lambda z: pick(noise["u_texture"], len(spec.textures)),
        "third": lambda z: (noise["u_third"] < spec.third).long(),
        "background": lambda z: pick(noise["u_background"], BACKGROUNDS),
        "pose": lambda z: draw_pose(spec, noise["u_pose"]),
        "front": lambda z: pick(noise["u_front"], 2),
        "mention": lambda z: (noise["u_mention"] < chances).long(),
        "tells": lambda z: z["third"],
        "template": lambda z: pick(noise["u_template"], spec.templates),
        "wording": lambda z: noise["u_wording"],
        "converse": lambda z: (noise["u_converse"] < spec.converse).long(),
    }


def levels(spec: SceneSpec) -> dict[str, tuple[int, ...]]:
    """How many values each column of a discrete latent has."""
    return {
        "shapes": (len(spec.shapes),) * 3,
        "colours": (len(spec.colours),) * 3,
        "attribute": (2,),
        "relation": (len(spec.relations),),
        "subject": (2,),
        "size": (2, 2, 2),
        "texture": (len(spec.textures),) * 3,
        "third": (2,),
        "background": (BACKGROUNDS,),
        "front": (2,),
        "mention": (2, 2, 2),
        "tells": (2,),
        "template": (spec.templates,),
        "converse": (2,),
    }


def nested_sizes(spec: SceneSpec, relation: Int[Tensor, " n"], size: Int[Tensor, "n 3"]) -> Int[Tensor, "n 3"]:
    """What lies in another object is small, the other is large; elsewhere the sizes as they are."""
    if "in" not in spec.relations:
        return size
    nested = torch.tensor([SMALL, LARGE, SMALL], device=size.device)
    return torch.where((relation == spec.relations.index("in"))[:, None], nested, size)
