"""What the other side may write into the parts that a test's own objects are made of.

A test's model that a student's function trains is the same model on both sides, so parameters,
buffers and even layers may be replaced. But the model is called by the test: no function of the
student's comes to stand in it, as a hook or as a layer, because it could answer for the model. A
layer that is torch's own is computed by the judge, from its values.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from autograder.judge.errors import RefusedError
from autograder.judge.stand_ins import Remote

_PARTS = frozenset(vars(nn.Module()))
_TENSORS = ("_parameters", "_buffers")


def is_internal(obj: Any, name: str) -> bool:
    """Whether an attribute is part of how a library's object works, and no data of its own."""
    return (isinstance(obj, nn.Module) and name in _PARTS) or _holds_hooks(name)


def is_guarded(obj: Any, name: str, value: Any) -> bool:
    """Whether a container in an object is filled by the rules below."""
    return isinstance(value, dict | list | set) and (
        isinstance(obj, nn.Module) or is_internal(obj, name)
    )


def fill_internal(own: dict[str, Any], name: str, value: Any) -> None:
    """Another value for an internal attribute: only the contents of a container count."""
    before = own.get(name)
    if isinstance(before, dict) and isinstance(value, dict):
        fill_dict(name, before, list(value.items()))
    elif isinstance(before, set) and isinstance(value, set):
        fill_items(name, before, list(value))
    elif name == "training" and type(value) is bool:
        own[name] = value


def fill_dict(name: str, own: dict[Any, Any], pairs: list[tuple[Any, Any]]) -> None:
    """Make a dict's contents those of the message, as far as they belong there.

    Args:
        name: The attribute that holds the dict.
        own: The judge's dict.
        pairs: Its new contents.
    """
    if _holds_hooks(name):
        return
    before = dict(own)
    own.clear()
    for key, value in pairs:
        if key in before and before[key] is value:
            own[key] = value
        elif _belongs(name, key, value):
            own[key] = guarded(value)
        elif key in before:
            own[key] = before[key]


def fill_items(name: str, own: list[Any] | set[Any], items: list[Any]) -> None:
    """The same for a list or a set."""
    if _holds_hooks(name) or (
        name == "_non_persistent_buffers_set" and any(type(item) is not str for item in items)
    ):
        return
    before = {id(item) for item in own}
    new = [item if id(item) in before else guarded(item) for item in items]
    own.clear()
    if isinstance(own, list):
        own.extend(new)
        return
    for item in new:  # one by one: hashes that collide can't outlast the clock
        own.add(item)


def guarded(value: Any) -> Any:
    """The value; in place of a student's layer, one that computes here if it is torch's own."""
    if not issubclass(type(value), Remote) or not callable(value):
        return value
    kind = type(value)
    if not issubclass(kind, _Uncalled):
        looks = kind._kind.dunders & {"__iter__", "__getitem__"}
        parts = {name: _part_of(kind, name) for name in looks}
        kind = type("Remote", (_Uncalled, kind), {"__slots__": ("_first",), **parts})
    made = kind(value._peer, value._handle)
    object.__setattr__(made, "_first", value)  # the handle is let go of when both are gone
    return value._peer.remember(value._handle, made)


class _Uncalled(Remote):
    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _built(self)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """What a layer holds is guarded as the layer is; its methods but forward are its own."""
        if name == "forward":
            return self.__call__
        value = super().__getattr__(name)
        return value if hasattr(_claimed(self) or nn.Module, name) else guarded(value)


def _part_of(kind: type[Remote], name: str) -> Any:
    plain = getattr(kind, name)
    if name == "__iter__":
        return lambda self: map(guarded, plain(self))
    return lambda self, key: guarded(plain(self, key))


def _claimed(layer: Remote) -> type | None:
    beliefs = type(layer)._beliefs
    return beliefs.find(type(layer)._kind.names[0]) if beliefs is not None else None


def _built(layer: Any) -> nn.Module:
    """The judge's own layer of torch's class that a student's one claims, with its values."""
    kind = type(layer)
    cls: Any = _claimed(layer) if issubclass(kind, Remote) else None
    if cls is None or not cls.__module__.startswith("torch.nn.modules."):
        raise RefusedError(
            f"a student's {kind._kind.names[0].rpartition(':')[2]} in a model of the test's own "
            "would let it answer for the model: have the student's code make the whole model"
        )
    built: nn.Module = cls.__new__(cls)
    nn.Module.__init__(built)
    for name, value in dict(layer._ask("getattr", "__dict__")).items():
        if name in _TENSORS:
            tensors = {str(k): v for k, v in value.items() if _belongs(name, str(k), v)}
            vars(built)[name] = tensors
        elif name == "_modules":
            vars(built)[name] = {
                str(key): part if part is None else _built(part) for key, part in value.items()
            }
        elif _is_plain(value) and (name == "training" or name not in _PARTS):
            vars(built)[str(name)] = value
    return built


def _is_plain(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_plain, value))
    return type(value) in (type(None), bool, int, float, str)


def _holds_hooks(name: str) -> bool:
    return name.startswith("_") and "hook" in name


def _belongs(name: str, key: Any, value: Any) -> bool:
    if name in _TENSORS:
        return type(key) is str and (value is None or isinstance(value, torch.Tensor))
    if name == "_modules":
        return type(key) is str and (value is None or isinstance(value, nn.Module))
    return True
