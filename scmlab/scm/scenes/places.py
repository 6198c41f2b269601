"""From the unordered pair of objects to their places in the caption, and back."""

import torch
from torch import Tensor

from scmlab.scm.equations import Latents
from scmlab.scm.scenes.record import OBJECT, SUBJECT, THIRD, Scenes, latents
from scmlab.scm.scenes.spec import SceneSpec


def in_places(shapes: Tensor, colours: Tensor, attribute: Tensor, subject: Tensor) -> tuple[Tensor, Tensor]:
    """Shape and colour of SUBJECT, OBJECT, THIRD. The pair's first object is that of the lower kind."""
    held = colours[:, :THIRD].gather(1, torch.stack((attribute, 1 - attribute), 1))
    same = (shapes[:, 0] == shapes[:, 1])[:, None]
    held = torch.where(same, held.sort(1).values, held)
    order = torch.stack((subject, 1 - subject), 1)
    shape, colour = shapes[:, :THIRD].gather(1, order), held.gather(1, order)
    return torch.cat((shape, shapes[:, THIRD:]), 1), torch.cat((colour, colours[:, THIRD:]), 1)


def structural(spec: SceneSpec, scenes: Scenes) -> Latents:
    """The latents of `push_scenes` from the scenes: do of them returns the scenes. Where both objects have the same
    shape, or the same colour, what is not determined is chosen as 0."""
    shapes, colours = scenes.shape.clone(), scenes.colour.clone()
    shapes[:, :THIRD], colours[:, :THIRD] = shapes[:, :THIRD].sort(1).values, colours[:, :THIRD].sort(1).values
    same_shape = scenes.shape[:, SUBJECT] == scenes.shape[:, OBJECT]
    subject = torch.where(
        same_shape,
        scenes.colour[:, SUBJECT] > scenes.colour[:, OBJECT],
        scenes.shape[:, SUBJECT] > scenes.shape[:, OBJECT],
    ).long()
    first = scenes.colour.gather(1, subject[:, None])[:, 0]
    attribute = (first != colours[:, 0]).long()
    rest = {name: value + 0 for name, value in latents(scenes).items() if name not in ("shape", "colour")}
    return {"shapes": shapes, "colours": colours, "attribute": attribute, "subject": subject} | rest
