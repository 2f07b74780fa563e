"""Replaces, in the judge's process, the library functions that don't work with stand-ins."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import functools
import importlib
import inspect
import os
import random
import sys
import types
import typing
import unittest.case
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.testing._comparison
from torch import nn

from autograder.judge.judge_end import JudgePeer
from autograder.judge.objects.stand_ins import Remote, believed_class, isinstance_of
from autograder.judge.objects.tensor import RemoteTensor
from autograder.judge.policy import ABOUT_DATACLASSES, PYPLOT, WITH_THE_MODEL
from autograder.judge.replaced.annotations import Annotations
from autograder.judge.replaced.sources import Sources
from course_utils import own_work

_BUILT_THERE: tuple[type, ...] = (
    nn.Module,
    torch.optim.Optimizer,
    torch.optim.lr_scheduler.LRScheduler,
    torch.utils.data.DataLoader,
    torch.utils.data.Dataset,
    torch.utils.data.Sampler,
)
_SEEDING: tuple[tuple[Any, str], ...] = (
    (torch, "manual_seed"),
    (torch.random, "manual_seed"),
    (torch, "set_rng_state"),
    (torch.random, "set_rng_state"),
    (np.random, "seed"),
    (np.random, "set_state"),
    (random, "seed"),
    (random, "setstate"),
)
# Modules whose Python code compares or describes values by their class. A stand-in's `__class__` is
# never a class whose layout C code reads. So only a replaced `isinstance` can tell these modules
# that a student's list subclass is a list.
_ASK_FOR_CLASSES = (
    inspect,
    unittest.case,
    torch.testing._comparison,
    importlib.import_module("numpy.testing._private.utils"),
)
_ONE_PASS = (types.GeneratorType, filter, map, zip)


def install(peer: JudgePeer, submission: list[str], source: list[str]) -> None:
    """Replace the library functions that don't work with stand-ins.

    Args:
        peer: the judge's end of the conversation with the candidate.
        submission: the student's cells, for `inspect.getsource`.
        source: the instructor's cells; pyplot is loaded only if they mention matplotlib.
    """
    _build_there(peer)
    for module, name in _SEEDING:
        _replace(module, name, functools.partial(_seeding, peer))
    for path, name in WITH_THE_MODEL:
        _replace(importlib.import_module(path), name, functools.partial(_with_the_model, peer))
    for name in sorted(ABOUT_DATACLASSES):
        _replace(dataclasses, name, functools.partial(_with_the_object, peer))
    peer.names.add_builtins(isinstance=isinstance_of)
    for module in _ASK_FOR_CLASSES:
        vars(module)["isinstance"] = isinstance_of
    sources = Sources(submission, Annotations(peer.names.known, peer.names.find))
    peer.annotations = sources.annotations
    own_work.tell_elsewhere()
    peer.rules = own_work.active
    _replace(inspect, "getsource", lambda plain: sources.for_remote(sources.text, plain))
    _replace(inspect, "signature", lambda plain: sources.for_remote(sources.signature, plain))
    for name in ("gather", "wait_for", "create_task"):
        _replace(asyncio, name, functools.partial(_ASYNC[name], peer))
    _replace(inspect, "getmembers", lambda plain: functools.partial(_members, plain))
    _replace(typing, "get_type_hints", lambda plain: sources.for_remote(sources.hints, plain))
    if any("matplotlib" in text for text in source):
        _pyplot(peer)


def type_of(obj: Any) -> Any:
    """Return what `type(x)` means in a test: the student's class, or the library's."""
    if type(obj) is RemoteTensor:
        return nn.Parameter if obj._is_param else torch.Tensor
    if not issubclass(type(obj), Remote):
        return type(obj)
    believed = type(obj)._beliefs_.find(type(obj)._kind_.names[0])
    if believed is not None and believed is believed_class(obj):
        return believed
    return obj._ask_("getattr", "__class__")


def class_of(obj: Any) -> Any:
    """Return what `x.__class__` means in a test."""
    return type_of(obj) if issubclass(type(obj), Remote | RemoteTensor) else obj.__class__


class TypeCalls(ast.NodeTransformer):
    """Rewrites `type(x)` and `x.__class__` in a test; other uses of `type` stay."""

    name, class_name = "__type_of__", "__class_of__"

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Replace the reading of `x.__class__` by a call of `class_of`."""
        self.generic_visit(node)
        if node.attr != "__class__" or not isinstance(node.ctx, ast.Load):
            return node
        name = ast.copy_location(ast.Name(self.class_name, ast.Load()), node)
        return ast.copy_location(ast.Call(name, [node.value], []), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Replace the name of the function called."""
        self.generic_visit(node)
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "type"
            and len(node.args) == 1
            and not node.keywords
        ):
            node.func = ast.copy_location(ast.Name(self.name, ast.Load()), node.func)
        return node


def has_remote(value: Any) -> bool:
    """Return whether a value is a stand-in, or a container that holds one."""
    if issubclass(type(value), Remote | RemoteTensor):
        return True
    if type(value) in (list, tuple):
        return any(map(has_remote, value))
    return isinstance(value, dict) and any(map(has_remote, value.values()))


def _replace(module: Any, name: str, make: Callable[[Any], Any]) -> None:
    plain = getattr(module, name)
    setattr(module, name, functools.wraps(plain)(make(plain)))


def _members(plain: Callable[..., Any], obj: Any, predicate: Any = None) -> Any:
    """Do as `inspect.getmembers`, which would list a stand-in's own methods."""
    if not issubclass(type(obj), Remote):
        return plain(obj, predicate)
    members = []
    for name in sorted(dir(obj)):
        try:
            value = obj._ask_("getattr", name)
        except (AttributeError, TypeError):  # a property that fails, a value that can't cross
            continue
        if predicate is None or predicate(value):
            members.append((name, value))
    return members


def _gather(peer: JudgePeer, plain: Callable[..., Any]) -> Callable[..., Any]:
    async def there(awaited: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return peer.request("gather", None, None, [list(awaited)], options)

    def gather(*awaited: Any, **options: Any) -> Any:
        if awaited and all(issubclass(type(part), Remote) for part in awaited):
            return there(awaited, options)
        return plain(*awaited, **options)

    return gather


def _wait_for(peer: JudgePeer, plain: Callable[..., Any]) -> Callable[..., Any]:
    async def wait_for(awaited: Any, timeout: float | None) -> Any:
        if issubclass(type(awaited), Remote):
            return peer.request("wait_for", awaited, None, [timeout])
        return await plain(awaited, timeout)

    return wait_for


def _create_task(_: JudgePeer, plain: Callable[..., Any]) -> Callable[..., Any]:
    def create_task(coroutine: Any, **options: Any) -> Any:
        if issubclass(type(coroutine), Remote):
            return asyncio.ensure_future(coroutine)
        return plain(coroutine, **options)

    return create_task


_ASYNC: dict[str, Callable[..., Any]] = {
    "gather": _gather,
    "wait_for": _wait_for,
    "create_task": _create_task,
}


def _seeding(peer: JudgePeer, plain: Callable[..., Any]) -> Callable[..., Any]:
    def seeding(*args: Any, **kwargs: Any) -> Any:
        peer.seeded()
        return plain(*args, **kwargs)

    return seeding


def _with_the_model(peer: JudgePeer, plain: Callable[..., Any]) -> Callable[..., Any]:
    name = next(iter(inspect.signature(plain).parameters))

    def call(*args: Any, **kwargs: Any) -> Any:
        if has_remote(args[0] if args else kwargs.get(name)):
            return peer.request("apply", None, None, [plain, list(args), kwargs])
        return plain(*args, **kwargs)

    return call


def _with_the_object(peer: JudgePeer, plain: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if args and issubclass(type(args[0]), Remote):
            return peer.request("apply", None, None, [call, list(args), kwargs])
        return plain(*args, **kwargs)

    return call


def _build_there(peer: JudgePeer) -> None:
    """Make a library object in the candidate if its arguments are there."""
    listed: dict[int, list[Any]] = {}  # items of generators that `new` used up, for __init__

    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        arguments = [list(arg) if isinstance(arg, _ONE_PASS) else arg for arg in args]
        if cls.__module__ != "__main__" and (has_remote(arguments) or has_remote(kwargs)):
            return peer.request("apply", None, None, [cls, arguments, kwargs])
        for arg, items in zip(args, arguments, strict=True):
            if arg is not items:
                listed[id(arg)] = items
        return object.__new__(cls)

    for cls in _BUILT_THERE:
        cls.__new__ = staticmethod(new)  # type: ignore[assignment]
    init = torch.optim.Optimizer.__init__

    def init_optimizer(self: Any, params: Any, *args: Any, **kwargs: Any) -> None:
        init(self, listed.pop(id(params), params), *args, **kwargs)

    torch.optim.Optimizer.__init__ = init_optimizer  # type: ignore[method-assign]
    init_sequential = nn.ModuleList.__init__

    def init_list(self: Any, modules: Any = None) -> None:
        init_sequential(self, listed.pop(id(modules), modules))

    nn.ModuleList.__init__ = init_list  # type: ignore[method-assign]


def _pyplot(peer: JudgePeer) -> None:
    os.environ["MPLBACKEND"] = "Agg"
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = "Agg"
    plt = importlib.import_module("matplotlib.pyplot")
    for name in PYPLOT:
        setattr(plt, name, _pyplot_function(peer, name))


def _pyplot_function(peer: JudgePeer, name: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return peer.request("pyplot", None, name, args, kwargs)

    return function
