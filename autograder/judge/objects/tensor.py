"""The judge's stand-in for a student's parameter or live tensor, whose data is in the candidate.

Views and changes in place happen where the memory is. Everything else, every comparison included,
works on the values. What a test has seen stays valid until the test asks for something that may
change it. So values are fetched once, the values of a view are taken from those of its tensor, and
shape, dtype and flags are read again after a change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch

from autograder.judge.policy import (
    KNOWN_TENSOR_ATTRIBUTES,
    KNOWN_TENSOR_METHODS,
    TENSOR_ASKS,
    TENSOR_VIEWS,
)

_KNOWN = {getattr(torch.Tensor, name).__get__ for name in KNOWN_TENSOR_ATTRIBUTES} | {
    getattr(torch.Tensor, name) for name in KNOWN_TENSOR_METHODS
}
_KNOWN |= {torch.is_floating_point, torch.is_complex, torch.numel}
_ASKED_ATTRIBUTES = frozenset({"grad", "data", "T", "mT", "grad_fn"})
_VIEW_ATTRIBUTES = frozenset({"data", "T", "mT"})


class RemoteTensor(torch.Tensor):
    """A tensor that lives in the candidate.

    Attributes:
        _peer_: the judge's end of the conversation.
        _handle_: the candidate's handle of the tensor.
        _is_param: the flag that makes `isinstance(x, nn.Parameter)` true.
        _epoch: the peer's epoch in which shape, dtype, flags and `_seen` were read.
        _seen: what the test has seen in this epoch: the values, the gradient.
        _view: how this tensor is a view of another tensor, for the epoch in which it was made.
    """

    _peer_: Any
    _handle_: int
    _is_param: bool
    _epoch: int
    _seen: dict[str, Any]
    _view: _View | None

    @staticmethod
    def make(
        peer: Any,
        handle: int,
        shape: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
        flags: tuple[bool, bool],
    ) -> RemoteTensor:
        """Make a stand-in; `flags` are requires_grad and whether it is a parameter."""
        requires_grad, is_parameter = flags
        tensor = torch.Tensor._make_wrapper_subclass(
            RemoteTensor, shape, dtype=dtype, device=device, requires_grad=requires_grad
        )
        tensor._peer_ = peer
        tensor._handle_ = handle
        tensor._is_param = is_parameter
        tensor._epoch = peer.epoch
        tensor._seen = {}
        tensor._view = None
        return tensor

    def update(self, shape: Any, dtype: torch.dtype, device: Any, *, requires_grad: bool) -> None:
        """Take over the candidate's present description, and forget what the test has seen."""
        with torch._C.DisableTorchFunctionSubclass():
            if (tuple(self.shape), self.dtype, self.device) != (tuple(shape), dtype, device):
                self.requires_grad = False
                self.data = torch.Tensor._make_wrapper_subclass(
                    RemoteTensor, tuple(shape), dtype=dtype, device=device
                )
            self.requires_grad = requires_grad
        self._epoch = self._peer_.epoch
        self._seen = {}
        self._view = None

    def refresh(self) -> None:
        """Read shape, dtype and flags again if something may have changed them."""
        if self._epoch != self._peer_.epoch:
            self._peer_.describe(self)

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.autograd.grad:
            return _grad(*args, **kwargs)
        with torch._C.DisableTorchFunctionSubclass():
            if func in _KNOWN:
                if isinstance(args[0], RemoteTensor) and func is not torch.Tensor.__hash__:
                    args[0].refresh()
                return func(*args, **kwargs)
            name, setting = _name(func)
            if args and isinstance(args[0], RemoteTensor):
                if setting:
                    return _set(args[0], name, args[1])
                if name in _ASKED_ATTRIBUTES and getattr(func, "__name__", "") == "__get__":
                    return _attribute(args[0], name)
                if name in TENSOR_VIEWS and hasattr(torch.Tensor, name):
                    result = args[0]._ask_("tensor_method", name, *args[1:], **kwargs)
                    return _as_view(args[0], _View(args[0], name, args[1:], kwargs), result)
                if _happens_there(name) and hasattr(torch.Tensor, name):
                    return args[0]._ask_("tensor_method", name, *args[1:], **kwargs)
            # What changes is the first argument. A test's own tensors are changed here, whatever
            # they are changed by: the student's process must not say what the test expects.
            if _in_place(name) and (peer := _peer_of(list(args[:1] or kwargs.values()))):
                return peer.request("apply", None, None, [func, list(args), kwargs])
            return func(*_values(args, name), **_values(kwargs, name))

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        raise NotImplementedError(
            f"{func} on a tensor of the student's model: use its value, x.detach().clone()"
        )

    def _ask_(self, op: str, name: str, /, *args: Any, **kwargs: Any) -> Any:
        return self._peer_.request(op, self, name, args, kwargs)

    def value(self, *, history: bool = True) -> torch.Tensor:
        """Return the data as an ordinary tensor, whose gradients reach the student's tensor."""
        data = self.snapshot().clone()
        wants = torch.Tensor.requires_grad.__get__(self)  # type: ignore[attr-defined]
        if not history:
            return data.requires_grad_(wants)
        if wants and torch.is_grad_enabled():
            data = _Fetched.apply(self, torch.zeros((), requires_grad=True), data)
        return data

    def snapshot(self) -> torch.Tensor:
        """Return the values that the test sees in this epoch; callers must not change them."""
        self.refresh()
        if "value" not in self._seen:
            data = self._peer_.fetch(self) if self._view is None else self._view.values()
            self._peer_.check(self, data)
            self._seen["value"] = data.detach().clone()
        seen: torch.Tensor = self._seen["value"]
        return seen


@dataclass(frozen=True)
class _View:
    """How a view was made of another tensor: the method, its arguments, which of the results."""

    of: RemoteTensor
    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    index: int | None = None

    def values(self) -> Any:
        """Return the same view of the values that the test sees of the other tensor."""
        base = self.of.snapshot()
        if self.name in _VIEW_ATTRIBUTES:
            view = getattr(base, self.name)
        else:
            args, kwargs = _values(self.args, self.name), _values(self.kwargs, self.name)
            with torch.no_grad():
                view = getattr(torch.Tensor, self.name)(base, *args, **kwargs)
        return view if self.index is None else view[self.index]

    def is_all(self) -> bool:
        """Return whether the view is the tensor itself: the same elements in the same places."""
        base, view = self.of.snapshot(), self.values()
        places = [(x.data_ptr(), x.shape, x.stride()) for x in (base, view)]
        return places[0] == places[1]


class _Fetched(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, remote: RemoteTensor, _: Any, data: torch.Tensor) -> torch.Tensor:
        ctx.remote = remote
        return data.view_as(data)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> Any:
        ctx.remote._ask_("tensor_backward", "", grad)
        return None, None, None


def _name(func: Any) -> tuple[str, bool]:
    """Return a function's name (for a getter or setter the attribute's), and whether it sets."""
    name = getattr(func, "__name__", "")
    if name in ("__get__", "__set__"):
        return func.__self__.__name__, name == "__set__"
    return name, False


def _attribute(tensor: RemoteTensor, name: str) -> Any:
    """Return the gradient, which stays valid for the epoch, or a view."""
    if name in _VIEW_ATTRIBUTES:
        return _as_view(tensor, _View(tensor, name), tensor._ask_("getattr", name))
    tensor.refresh()
    if name not in tensor._seen:
        tensor._seen[name] = tensor._ask_("getattr", name)
    return tensor._seen[name]


def _as_view(tensor: RemoteTensor, view: _View, made: Any) -> Any:
    """Return a view that the candidate made; its values come from the tensor that is viewed."""
    if type(made) in (tuple, list):
        count = len(view.values())
        if len(made) != count:
            raise tensor._peer_.unreadable(ValueError(f"{view.name} gave another number of views"))
        return type(made)(
            _as_view(tensor, replace(view, index=index), item) for index, item in enumerate(made)
        )
    if made is tensor:  # flatten() of one dimension, for example
        if not view.is_all():
            raise tensor._peer_.unreadable(ValueError(f"{view.name} gave the tensor itself"))
        return made
    if type(made) is not RemoteTensor:
        return view.values()
    if made._view is not None or made._seen:
        raise tensor._peer_.unreadable(ValueError(f"{view.name} gave a tensor that isn't new"))
    made._view = view
    return made


def _in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


def _happens_there(name: str) -> bool:
    is_augmented = name.startswith("__i") and name not in ("__int__", "__index__", "__invert__")
    return _in_place(name) or is_augmented or name in TENSOR_ASKS or name in TENSOR_VIEWS


def _set(tensor: RemoteTensor, name: str, value: Any) -> None:
    tensor._ask_("setattr", name, value)


def _peer_of(values: list[Any]) -> Any:
    """Return the peer of these values, one of which is a remote tensor."""
    for value in values:
        if isinstance(value, RemoteTensor):
            return value._peer_
        if isinstance(value, list | tuple) and (peer := _peer_of(list(value))):
            return peer
    return None


def _values(arg: Any, name: str) -> Any:
    """Return the same arguments with every remote tensor replaced by its value."""
    if isinstance(arg, RemoteTensor):
        return arg.value(history=name != "__deepcopy__")
    if type(arg) in (list, tuple):
        return type(arg)(_values(item, name) for item in arg)
    if type(arg) is dict:
        return {key: _values(item, name) for key, item in arg.items()}
    return arg


def _grad(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: Any = None, **options: Any
) -> tuple[torch.Tensor | None, ...]:
    """Do torch.autograd.grad for inputs in the candidate: run backward, then restore .grad."""
    if options.get("create_graph"):
        raise NotImplementedError("second derivatives don't cross between test and student")
    wanted = [inputs] if isinstance(inputs, torch.Tensor) else list(inputs)
    before = [None if tensor.grad is None else tensor.grad.detach().clone() for tensor in wanted]
    for tensor in wanted:
        tensor.grad = None
    torch.autograd.backward(outputs, grad_outputs, retain_graph)
    grads = tuple(None if x.grad is None else x.grad.detach().clone() for x in wanted)
    for tensor, grad in zip(wanted, before, strict=True):
        tensor.grad = grad
    if any(grad is None for grad in grads) and not options.get("allow_unused"):
        raise RuntimeError("One of the differentiated Tensors appears to not have been used")
    return grads
