"""Between a model before and after fine-tuning."""

import copy
import dataclasses

import torch

from scmlab.models.clip import Clip


def interpolate(start: Clip, tuned: Clip, alpha: float) -> Clip:
    """The model with the weights (1 - alpha) start + alpha tuned, the logit scale too, in the types of `start`.

    alpha   in [0, 1]: 0 is `start`, 1 is `tuned`, both exactly
    A new model with the tokenizer and preprocessing of `start`; the two given ones stay as they are.
    Source: Wortsman et al. 2022 (arXiv 2109.01903), WiSE-FT.
    Errors: alpha out of range; another architecture, whose first difference is named.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"`alpha` must be in [0, 1]; got {alpha}.")
    wanted, found = _architecture(start), _architecture(tuned)
    for name, value in wanted.items():
        if found.get(name) != value:
            raise ValueError(f"`tuned` must have the architecture of `start`, {name} = {value}; got {found.get(name)}.")
    before, after = dict(start.model.named_parameters()), dict(tuned.model.named_parameters())
    mixed = dataclasses.replace(
        start, model=copy.deepcopy(start.model), source=f"{1 - alpha:g} {start.source} + {alpha:g} {tuned.source}"
    )
    with torch.no_grad():
        for name, parameter in mixed.model.named_parameters():
            parameter.copy_(
                (1 - alpha) * before[name].to(torch.float64)
                + alpha * after[name].to(before[name].device, torch.float64)
            )
    return mixed


def _architecture(clip: Clip) -> dict[str, object]:
    """Name -> value of all that decides what the weights do; heads and epsilons do not show in the weights' shapes."""
    image, text = clip.model.config.vision_config, clip.model.config.text_config
    found: dict[str, object] = {"activation": clip.activation}
    for side, part in (("image", image), ("text", text)):
        found |= {f"{side}_width": part.hidden_size, f"{side}_layers": part.num_hidden_layers}
        found |= {f"{side}_heads": part.num_attention_heads, f"{side}_epsilon": part.layer_norm_eps}
    found |= {"image_size": image.image_size, "patch_size": image.patch_size, "context": clip.context}
    return found | {f"shape of {name}": tuple(p.shape) for name, p in clip.model.named_parameters()}
