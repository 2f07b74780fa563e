"""Gradients that flow from one process into the other and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from autograder.judge.wire.gone import Numbered

# A function that asks the other side for gradients; its arguments are the number of a history and
# the gradients of the results.
Ask = Callable[[int, list[torch.Tensor | None]], list[torch.Tensor | None]]


class Graphs:
    """Histories of results sent to the other side, and the keys of histories received from it."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
        self._last = 0
        self._tokens: dict[int, Numbered] = {}
        self._gone: list[Numbered] = []

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, outputs: list[torch.Tensor], leaves: list[torch.Tensor]) -> int:
        """Keep results and the leaves they were computed from; return the key for `backward`."""
        self._last += 1
        self._kept[self._last] = (outputs, leaves)
        return self._last

    def release(self, token: int) -> None:
        """Forget a history that the other side can't ask for any longer."""
        self._kept.pop(token, None)

    def watch(self, token: Token) -> None:
        """Watch a token: when it is gone, the other side may forget the history of its number."""
        self._tokens[token.number] = Numbered(token, self._gone, token.number)

    def take_released(self) -> list[int]:
        """Return, once, the histories that the other side may forget, as negative numbers."""
        released = []
        while self._gone:
            number = self._gone.pop(0).number
            self._tokens.pop(number, None)  # a candidate may have sent it twice
            released.append(-number)
        return released

    def backward(self, token: int, grads: list[torch.Tensor | None]) -> list[torch.Tensor | None]:
        """Return the leaves' gradients; parameters accumulate theirs as in one process."""
        outputs, leaves = self._kept[token]
        before = [leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.grad = None
        pairs = [(out, grad) for out, grad in zip(outputs, grads, strict=True) if grad is not None]
        try:
            torch.autograd.backward(
                [out for out, _ in pairs], [grad for _, grad in pairs], retain_graph=True
            )
            # A tensor that was passed twice has one gradient, which goes to the last position.
            last = {id(leaf): position for position, leaf in enumerate(leaves)}
            return [
                leaf.grad if last[id(leaf)] == position else None
                for position, leaf in enumerate(leaves)
            ]
        finally:
            for leaf, grad in zip(leaves, before, strict=True):
                leaf.grad = grad


class Token:
    """The key of a history on the other side; all results that need the history keep the key."""

    def __init__(self, graphs: Graphs, number: int) -> None:
        self.number = number
        graphs.watch(self)


class _Bridge(torch.autograd.Function):
    """The other side's results as a function of the tensors that were passed to it."""

    @staticmethod
    def forward(
        ctx: Any, ask: Ask, token: Token, values: list[torch.Tensor], _: Any, *inputs: Any
    ) -> Any:
        ctx.ask, ctx.token, ctx.count = ask, token, len(inputs)
        return tuple(values)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Any) -> Any:
        answer = list(ctx.ask(ctx.token.number, list(grads)))[: ctx.count]
        return None, None, None, None, *answer, *[None] * (ctx.count - len(answer))


def attach(
    ask: Ask,
    graphs: Graphs,
    token: Any,
    inputs: list[torch.Tensor],
    values: list[torch.Tensor],
) -> list[torch.Tensor]:
    """Return the results with their history, which is on the other side.

    Args:
        ask: the function that asks the other side for gradients.
        graphs: the table that notes when nothing needs the history any longer.
        token: the other side's key of the history.
        inputs: the tensors that were passed and require gradients.
        values: the results.
    """
    if type(token) is not int or any(not value.is_floating_point() for value in values):
        raise ValueError("only floating-point results have gradients")
    anchor = torch.zeros((), requires_grad=True)  # parameters there may be the only inputs
    with torch.enable_grad():
        return list(_Bridge.apply(ask, Token(graphs, token), values, anchor, *inputs))
