"""What all SCMs share: the record of a sample, worlds as named tensors, and solving equations under do()."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

World = dict[str, Tensor]
"""The fixed parameters drawn once: tensors under dotted names such as 'f.0.rotation'."""

Noise = dict[str, Tensor]
"""The exogenous noise of n pairs: tensors of first dimension n under names such as 'u_dp_img'."""

Latents = dict[str, Tensor]
Intervention = Mapping[str, Tensor | Callable[[Latents], Tensor]]
"""do=: latent name -> value (broadcast over the pairs), or a function of the latents solved so far, in which the
latent's own name holds the value that its structural equation would have given; it must not change them in place."""


@dataclass(frozen=True, eq=False)
class Sample:
    """n pairs: latents by name, image (n, d), text (n, d) or (n, tokens, d) or integer tokens (n, tokens)."""

    latents: Latents
    image: Float[Tensor, "n d"]
    text: Shaped[Tensor, "n ..."]


def part(world: World, name: str) -> World:
    """The tensors under `name.`, with that prefix removed."""
    prefix = name + "."
    return {key[len(prefix) :]: value for key, value in world.items() if key.startswith(prefix)}


def named(name: str, tensors: World) -> World:
    """The inverse of `part`: the same tensors with `name.` in front."""
    return {f"{name}.{key}": value for key, value in tensors.items()}


def cast(world: World, dtype: torch.dtype) -> World:
    """The world with its floating-point tensors in `dtype`; also for noise."""
    return {key: value.to(dtype) if value.is_floating_point() else value for key, value in world.items()}


def solve(
    equations: Mapping[str, Callable[[Latents], Tensor]],
    do: Intervention,
    levels: Mapping[str, tuple[int, ...]] | None = None,
) -> Latents:
    """Solve the structural equations in their order, each replaced where `do` names its latent.

    An equation sees the latents before it, intervened ones included. levels: for each discrete latent, how many values
    each of its columns has. Errors: an unknown name in `do`; a value whose shape cannot be broadcast to the latent's,
    or that a discrete latent does not have.
    """
    if unknown := sorted(set(do) - set(equations)):
        raise ValueError(f"`do` must name latents of {', '.join(equations)}; got {', '.join(unknown)}.")
    latents: Latents = {}
    for name, equation in equations.items():
        natural = latents[name] = equation(latents)
        if name in do:
            action = do[name]
            try:
                value = action(dict(latents)) if callable(action) else action
            except KeyError as error:
                solved = ", ".join(latents)
                raise ValueError(
                    f"`do[{name!r}]` must read latents of {solved}, solved by then; got {error}."
                ) from None
            latents[name] = _replaced(name, natural, value, (levels or {}).get(name))
    return latents


def _replaced(name: str, natural: Tensor, value: object, levels: tuple[int, ...] | None) -> Tensor:
    try:
        value = torch.as_tensor(value, device=natural.device)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"`do[{name!r}]` must be numbers or a function that returns them; got {value!r}.") from None
    try:
        given = value.expand_as(natural)
    except RuntimeError:
        shape, got = tuple(natural.shape), tuple(value.shape)
        raise ValueError(f"`do[{name!r}]` must have a shape that broadcasts to {shape}; got {got}.") from None
    if levels is not None:
        top = torch.tensor(levels if natural.ndim > 1 else levels[0], device=natural.device)
        wrong = ~((given >= 0) & (given < top) & (given == given.floor()))
        if wrong.any():
            raise ValueError(
                f"`do[{name!r}]` must be whole numbers from 0 to below {', '.join(map(str, levels))}, since {name} is "
                f"discrete; got {given[wrong][0].item()}."
            )
    return given.to(natural.dtype)


def check_dims(spec: object, names: tuple[str, ...], least: int) -> None:
    """Raise unless every named integer field of `spec` is at least `least`."""
    for name in names:
        if not is_count(value := getattr(spec, name), least):
            raise ValueError(f"`{name}` must be an integer >= {least}; got {value}.")


def is_count(value: object, least: int) -> bool:
    """Whether the value is an integer, not a bool, of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def check_choice(spec: object, name: str, choices: tuple[str, ...]) -> None:
    """Raise unless the field is one of `choices`."""
    if getattr(spec, name) not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(choices)}; got {getattr(spec, name)!r}.")
