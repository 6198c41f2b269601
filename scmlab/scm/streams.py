"""Named random streams: independent generators derived from one seed."""

import hashlib

import torch


def stream(seed: int, *names: str | int, device: str | torch.device = "cpu") -> torch.Generator:
    """The generator of the stream `names` under `seed`.

    Streams of different names or seeds are independent for all practical purposes, so a draw added to one never
    moves another: stream(0, "world"), stream(0, "train", 3). The same seed, names and kind of device give the
    same numbers bit for bit; CPU and CUDA generators are different algorithms and differ.
    """
    if seed < 0:
        raise ValueError(f"`seed` must be a non-negative integer; got {seed}.")
    # a name's own slashes are escaped, so that ("a/b",) and ("a", "b") are two streams
    path = "/".join(str(part).replace("%", "%25").replace("/", "%2F") for part in (seed, *names))
    digest = hashlib.sha256(path.encode()).digest()
    generator = torch.Generator(device=device)
    generator.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return generator


def normal(*shape: int, generator: torch.Generator) -> torch.Tensor:
    """Standard normal draws of `shape` on the generator's device, float32."""
    return torch.randn(*shape, generator=generator, device=generator.device)


def uniform(*shape: int, generator: torch.Generator) -> torch.Tensor:
    """Uniform draws on [0, 1) of `shape` on the generator's device, float32."""
    return torch.rand(*shape, generator=generator, device=generator.device)
