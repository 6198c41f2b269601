"""The device a user asks for."""

import torch


def resolve(device: str) -> str:
    """'auto' as 'cuda' where there is one, else 'cpu'; any other device checked. Errors: unknown or not there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()) or (kind == "cpu" and index):
        raise ValueError(f"`device` must be auto, cpu, cuda or cuda:N; got {device!r}.")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise ValueError(f"`device` must exist here; got {device!r} with {torch.cuda.device_count()} CUDA devices.")
    return device
