from collections.abc import Callable

import pytest
import torch


@pytest.fixture
def normal() -> Callable[..., torch.Tensor]:
    """normal(*shape, seed=0): standard normal draws in float64, the same for the same arguments."""

    def draw(*shape: int, seed: int = 0) -> torch.Tensor:
        return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    return draw
