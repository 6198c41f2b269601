import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
settings.register_profile("reproducible", deadline=None, derandomize=True, database=None, max_examples=25)
settings.load_profile("reproducible")

Refuses = Callable[..., AbstractContextManager[None]]


@pytest.fixture(scope="session")
def refuses() -> Refuses:
    """refuses(*parts, error=ValueError): the body raises it, in one sentence that holds every part."""

    @contextmanager
    def check(*parts: object, error: type[Exception] = ValueError) -> Iterator[None]:
        with pytest.raises(error) as caught:
            yield
        message = str(caught.value)
        assert message.endswith(".")
        assert "\n" not in message
        assert not re.search(r"\.\s+[A-Z]", message)
        for part in parts:
            assert str(part) in message

    return check
