"""Members of an ensemble: which world each one learns, and its own random streams."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from scmlab.models import Encoder, EncoderSpec
from scmlab.scm import SCM, World, draw_world, sample, shapes, stream

STANDARDISE = 4096


@dataclass(frozen=True, eq=False)
class Member:
    """One model of an ensemble: the seed of its streams, its SCM and its world."""

    seed: int
    scm: SCM
    world: World


def member(seed: int, scm: SCM, *, device: str | torch.device = "cpu") -> Member:
    """The member of this seed; its world comes from the stream (seed, 'world')."""
    return Member(seed, scm, draw_world(scm, generator=stream(seed, "world", device=device)))


class Pair(nn.Module):
    """The image and the text encoders of an ensemble."""

    def __init__(self, image: Encoder, text: Encoder) -> None:
        super().__init__()
        self.image, self.text = image, text

    def forward(
        self, images: Shaped[Tensor, "m n ..."], texts: Shaped[Tensor, "m n ..."]
    ) -> tuple[Float[Tensor, "m n k"], Float[Tensor, "m n k"]]:
        """Codes of both modalities."""
        return self.image(images), self.text(texts)


def build_pair(
    members: Sequence[Member], image: EncoderSpec, text: EncoderSpec, *, device: str | torch.device = "cpu"
) -> Pair:
    """Freshly initialised encoders; member i's weights come from the stream (its seed, 'init', side).

    Their inputs are standardised on `STANDARDISE` pairs of the stream (its seed, 'standardise').
    Errors: members whose observations differ in shape cannot be stacked.
    """
    if not members or image.out != text.out:
        dims = f"{image.out} and {text.out}"
        raise ValueError(f"`members` must be at least one, with codes of one dimension; got {len(members)}, {dims}.")
    first = shapes(members[0].scm)
    if any(shapes(other.scm) != first for other in members):
        raise ValueError(f"`members` must have observations of one shape; got {[shapes(m.scm) for m in members]}.")

    def build(side: str, spec: EncoderSpec) -> Encoder:
        generators = [stream(m.seed, "init", side, device=device) for m in members]
        return Encoder(spec, first[side], generators=generators)

    pair = Pair(build("image", image), build("text", text))
    generators = [stream(m.seed, "standardise", device=device) for m in members]
    images, texts = draw_pairs(members, STANDARDISE, generators=generators)
    pair.image.standardise(images)
    pair.text.standardise(texts)
    return pair


def draw_pairs(
    members: Sequence[Member], n: int, *, generators: Sequence[torch.Generator]
) -> tuple[Shaped[Tensor, "m n ..."], Shaped[Tensor, "m n ..."]]:
    """n fresh pairs per member, each member from its own world and its own generator."""
    samples = [sample(m.scm, m.world, n, generator=g) for m, g in zip(members, generators, strict=True)]
    return torch.stack([s.image for s in samples]), torch.stack([s.text for s in samples])
