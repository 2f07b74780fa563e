"""What the other side may write into the parts of a test's own objects.

A test's model that a student's function trains is the same model on both sides, so parameters,
buffers and even layers may be replaced. But the test calls the model. So no student's function may
become a part of it, as a hook or as a layer, because that function could answer for the model. A
layer of a class of torch is computed by the judge, from the layer's values.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from autograder.judge.errors import RefusedError
from autograder.judge.objects.stand_ins import Remote

_PARTS = frozenset(vars(nn.Module()))
_TENSORS = ("_parameters", "_buffers")


def is_internal(obj: Any, name: str) -> bool:
    """Return whether an attribute is a library's internal part of an object, not its data."""
    return (isinstance(obj, nn.Module) and name in _PARTS) or _holds_hooks(name)


def is_guarded(obj: Any, name: str, value: Any) -> bool:
    """Return whether a container in an object is filled by the rules below."""
    return isinstance(value, dict | list | set) and (
        isinstance(obj, nn.Module) or is_internal(obj, name)
    )


def fill_internal(own: dict[str, Any], name: str, value: Any) -> None:
    """Give an internal attribute another value; of a container, only the contents change."""
    before = own.get(name)
    if isinstance(before, dict) and isinstance(value, dict):
        fill_dict(name, before, list(value.items()))
    elif isinstance(before, set) and isinstance(value, set):
        fill_items(name, before, list(value))
    elif name == "training" and type(value) is bool:
        own[name] = value


def fill_dict(name: str, own: dict[Any, Any], pairs: list[tuple[Any, Any]]) -> None:
    """Replace a dict's contents with those of the message that may be in it.

    Args:
        name: the attribute that holds the dict.
        own: the judge's dict.
        pairs: the dict's new contents.
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
    """Do as `fill_dict` for a list or a set."""
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
    for item in new:  # a loop can be stopped if hashes collide; a C call can't
        own.add(item)


def guarded(value: Any) -> Any:
    """Return the value, or for a student's layer a stand-in whose calls the judge computes.

    The judge computes only layers of torch's own classes, and refuses to call any other layer.
    """
    if not issubclass(type(value), Remote) or not callable(value):
        return value
    kind = type(value)
    if not issubclass(kind, _Uncalled):
        lookups = kind._kind_.dunders & {"__iter__", "__getitem__"}
        parts = {name: _part_of(kind, name) for name in lookups}
        kind = type("Remote", (_Uncalled, kind), {"__slots__": ("_first",), **parts})
    layer = kind(value._peer_, value._handle_)
    object.__setattr__(layer, "_first", value)  # keeps the handle until both are gone
    return value._peer_.remember(value._handle_, layer)


class _Uncalled(Remote):
    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _built(self)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Guard the layer's parts as the layer is; its methods but forward aren't guarded."""
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
    beliefs = type(layer)._beliefs_
    return beliefs.find(type(layer)._kind_.names[0]) if beliefs is not None else None


def _built(layer: Any) -> nn.Module:
    """Build the judge's own layer of the torch class that a student's layer claims."""
    kind = type(layer)
    cls: Any = _claimed(layer) if issubclass(kind, Remote) else None
    if cls is None or not cls.__module__.startswith("torch.nn.modules."):
        raise RefusedError(
            f"a student's {kind._kind_.names[0].rpartition(':')[2]} in a model of the test's own "
            "would let it answer for the model: have the student's code make the whole model"
        )
    built: nn.Module = cls.__new__(cls)
    nn.Module.__init__(built)
    for name, value in dict(layer._ask_("getattr", "__dict__")).items():
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
