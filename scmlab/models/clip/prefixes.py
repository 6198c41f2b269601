"""Embeddings of many captions, where a prefix of tokens that captions share is computed once."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn.functional import normalize

from scmlab.models.clip.record import Clip
from scmlab.models.clip.tokens import Tokens

CPU_PACKS = 16
"""Packs in the tower at once on the CPU: 8, 16 or 32 take as long, and fewer take less memory."""

Span = tuple[int, int, int]
"""Of a caption: its pack, the place there of its first new token, and how many tokens before that are shared."""


def embed_texts_shared(clip: Clip, tokens: Tokens) -> Float[Tensor, "n d"]:
    """Directions of captions as `embed_texts` gives them, up to rounding, for less where captions begin alike.

    With h_j(x) the state of caption x at its place j, in any layer: attention is causal and a token knows no other
    place than j, so h_j(x) = f(x_1 ... x_j), and x_1 ... x_j = y_1 ... y_j makes h_j(x) = h_j(y). Prefixes are the
    nodes of a tree. A pack is one sequence of nodes, of several captions and at most as long as the context: each at
    the position that is its depth, attending to the nodes above it and itself. A prefix in two packs is computed twice.
    Errors: an `attention_mask` that leaves out a token up to the end.
    """
    device, ids, ends = tokens.ids.device, tokens.ids.cpu(), tokens.end.cpu().tolist()
    captions = [row[: end + 1] for row, end in zip(ids.tolist(), ends, strict=True)]
    inside = torch.arange(ids.shape[1]) <= torch.tensor(ends)[:, None]
    if not tokens.attention_mask.cpu()[inside].all():
        raise ValueError("`tokens` must be attended to up to their end; got an `attention_mask` that leaves some out.")
    order = torch.tensor(sorted(range(len(captions)), key=captions.__getitem__))
    ids, inside = ids[order], inside[order]
    alike = (ids[1:] == ids[:-1]) & inside[1:] & inside[:-1]
    shared, sizes = [0, *alike.cumprod(1).sum(1).tolist()], inside.sum(1).tolist()
    widths = range(max(sizes), max(*sizes, clip.context) + 1)
    _, width, spans = min(_fill(sizes, shared, width) for width in widths)

    packed, depth, sees, last = _lay_out(ids, sizes, spans, width)
    hidden = torch.finfo(clip.model.dtype).min
    mask = torch.zeros(sees.shape, dtype=clip.model.dtype).masked_fill(~sees, hidden)[:, None]
    step = CPU_PACKS if device.type == "cpu" else len(packed)
    parts = zip(*(whole.to(device).split(step) for whole in (packed, mask, depth)), strict=True)
    states = [clip.model.text_model(some, sight, places).last_hidden_state for some, sight, places in parts]
    pooled = torch.cat(states).flatten(0, 1)[last[order.argsort()].to(device)]
    return normalize(clip.model.text_projection(pooled), dim=-1)


def _fill(sizes: Sequence[int], shared: Sequence[int], width: int) -> tuple[int, int, list[Span]]:
    """Places computed, length of the longest pack, spans: each pack takes sorted captions while `width` holds them.

    shared   tokens at the beginning of a caption that the one before has too
    """
    spans: list[Span] = []
    pack, used, longest = -1, width, 0
    for size, known in zip(sizes, shared, strict=True):
        if used + size - known > width:
            pack, used, known = pack + 1, 0, 0
        spans.append((pack, used, known))
        used += size - known
        longest = max(longest, used)
    return (pack + 1) * longest, longest, spans


def _lay_out(
    ids: Int64[Tensor, "n t"], sizes: Sequence[int], spans: Sequence[Span], width: int
) -> tuple[Int64[Tensor, "p w"], Int64[Tensor, "p w"], Bool[Tensor, "p w w"], Int64[Tensor, " n"]]:
    """Ids, depth and what each place sees, in p packs; and where each caption ends, counted through all packs.

    A place that is left over sees itself alone and is seen by none.
    """
    packs = spans[-1][0] + 1
    packed, depth = torch.zeros(2, packs, width, dtype=torch.int64)
    sees = torch.eye(width, dtype=torch.bool).repeat(packs, 1, 1)
    causal, path, last = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool).tril(), torch.arange(0), []
    for row, size, (pack, first, known) in zip(ids, sizes, spans, strict=True):
        new = torch.arange(first, first + size - known)
        path = torch.cat([path[:known], new])
        packed[pack, new], depth[pack, new] = row[known:size], torch.arange(known, size)
        sees[pack, new[:, None], path] = causal[known:size, :size]
        last.append(pack * width + int(path[-1]))
    return packed, depth, sees, torch.tensor(last)
