"""Row and column log-sum-exp of a matrix of pairwise scores, exact, in memory linear in the batch."""

import torch
from jaxtyping import Float
from torch import Tensor

TILE_SCORES = {"cpu": 2**18, "cuda": 2**26}  # scores held at a time: what stays in a core's cache; 256 MiB
NOTHING = -70.0  # exp of it is 4e-31, far below the rounding of a sum of order 1 and far above denormals


def pairwise_logsumexp(
    a: Float[Tensor, "*m n d"],
    b: Float[Tensor, "*m p d"],
    row: Float[Tensor, "*m n"],
    col: Float[Tensor, "*m p"],
) -> tuple[Float[Tensor, "*m n"], Float[Tensor, "*m p"], Float[Tensor, "*m q"]]:
    """log sum_j exp S_ij, log sum_i exp S_ij and S_ii for S_ij = a_i . b_j + row_i + col_j; q = min(n, p).

    The diagonal is the very number that entered the sums, so that what rounds off in large scores cancels in their
    difference.

    Exact, not sampled: tiles of rows are scored one after the other, forward and again backward, so that memory grows
    with n + p and not with n p. Cosine, scaled dot product and negative squared distance are all of this form.
    First derivatives only.
    """
    one_a, one_b = torch.ones_like(row), torch.ones_like(col)
    # S as one product: the sums over rows and columns that the gradient needs come out of its products as well
    wide_a = torch.cat((a, row[..., None], one_a[..., None]), -1)
    wide_b = torch.cat((b, one_b[..., None], col[..., None]), -1)
    return _PairwiseLogSumExp.apply(wide_a, wide_b)


def _tiles(a: Tensor, b: Tensor) -> list[slice]:
    budget = TILE_SCORES.get(a.device.type, TILE_SCORES["cpu"])
    rows = max(1, budget // (a.shape[:-2].numel() * b.shape[-2]))
    return [slice(start, start + rows) for start in range(0, a.shape[-2], rows)]


def _exp(log_weight: Tensor) -> Tensor:
    """exp, in place, of values <= 0 among which 0 or a sum to 1 occurs: what lies 70 nats below adds nothing to it, but
    would turn into denormal numbers, on which CPUs are many times slower."""
    return log_weight.clamp_min_(NOTHING).exp_()


def _logsumexp(scores: Tensor, dim: int) -> Tensor:
    top = scores.amax(dim, keepdim=True)
    return _exp(scores - top).sum(dim).log_() + top.squeeze(dim)


class _PairwiseLogSumExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # results in place: small ones kept between the tiles would pin the heap, and memory would grow with n p
        lse_row, lse_col = a.new_empty(a.shape[:-1]), b.new_full(b.shape[:-1], -torch.inf)
        diagonal = a.new_empty(*a.shape[:-2], min(a.shape[-2], b.shape[-2]))
        for tile in _tiles(a, b):
            scores = a[..., tile, :] @ b.mT
            lse_row[..., tile] = _logsumexp(scores, -1)
            torch.logaddexp(lse_col, _logsumexp(scores, -2), out=lse_col)
            diagonal[..., tile] = _own(scores, tile)
        ctx.save_for_backward(a, b, lse_row, lse_col)
        return lse_row, lse_col, diagonal

    @staticmethod
    def backward(ctx, grad_row: Tensor, grad_col: Tensor, grad_diagonal: Tensor) -> tuple[Tensor, Tensor]:
        if torch.is_grad_enabled():  # once_differentiable would not notice: the sums' own gradients may be constants
            raise RuntimeError("`pairwise_logsumexp` has first derivatives only; got `create_graph` = True.")
        a, b, lse_row, lse_col = ctx.saved_tensors
        grad_a, grad_b = torch.empty_like(a), torch.zeros_like(b)
        for tile in _tiles(a, b):
            scores = a[..., tile, :] @ b.mT
            # d lse_row_i / d S_ij = exp(S_ij - lse_row_i), and the same for columns
            weight = _exp(scores - lse_row[..., tile, None]).mul_(grad_row[..., tile, None])
            weight += _exp(scores.sub_(lse_col[..., None, :])).mul_(grad_col[..., None, :])
            _own(weight, tile).add_(grad_diagonal[..., tile])
            grad_a[..., tile, :] = weight @ b
            grad_b += weight.mT @ a[..., tile, :]
        return grad_a, grad_b


def _own(scores: Tensor, tile: slice) -> Tensor:
    """A view of the entries of a tile of rows that lie on the diagonal of the whole matrix."""
    return scores.diagonal(tile.start, -2, -1)
