"""The rules of an assignment: which steps a student must write without a library.

    with own_work("pooling", "autograd"):
        y = max_pool2d(x, 2, 2)  # OwnWorkError if PyTorch does the pooling, under any name

The rules look at what runs, not at names in the student's code. An operation of PyTorch is seen
where PyTorch dispatches it, a function of a module where Python calls it, and autograd where its
engine runs.
"""

from __future__ import annotations

import contextlib
import random
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import _C
from torch.overrides import TorchFunctionMode
from torch.overrides import _get_current_function_mode as _last_function_mode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._python_dispatch import _get_current_dispatch_mode as _last_dispatch_mode

Rules = tuple[str, ...]


class _Step(NamedTuple):
    """What would do a step for the student: operations (a pattern of names) and modules."""

    operations: str
    modules: tuple[str, ...] = ()


AUTOGRAD, LOOPS = "autograd", "loops"
CHANCE, CHANCE_BUT_TORCH = "chance", "chance-but-torch"
_STEPS = {
    AUTOGRAD: _Step(
        # PyTorch calls `_has_same_storage_numel` when it makes a dual number, that is, in
        # forward-mode differentiation.
        r".*_backward(_.*)?|_has_same_storage_numel"
    ),
    "convolution": _Step(
        r".*conv(olution|[123]d|_(tbc|depthwise|transpose)).*", ("scipy.signal", "scipy.ndimage")
    ),
    "pooling": _Step(r".*pool.*", ("scipy.ndimage",)),
    "normalisation": _Step(r".*(batch|layer|group|instance|rms)_norm.*"),
    "cross-entropy": _Step(r"_?(nll_loss|cross_entropy|multi_margin).*"),
    "optimiser": _Step(r"_fused_(adam|sgd|adagrad).*", ("torch.optim",)),
    "loading": _Step("", ("torch.utils.data",)),
    "transforms": _Step("", ("torchvision.transforms", "PIL", "scipy.ndimage")),
    "finished networks": _Step(
        "", ("torchvision.models", "course_utils.architectures", "course_utils.arithmetic")
    ),
    LOOPS: _Step(""),
    CHANCE: _Step(""),
    CHANCE_BUT_TORCH: _Step(""),
}
MOST_OPERATIONS = 60
_active: list[Rules] = []
_told_elsewhere = False


class OwnWorkError(RuntimeError):
    """A library did a step that the student was asked to write."""


class own_work:  # noqa: N801 - used like a function
    """Inside this `with` block, no library may do the given steps.

    Args:
        steps: the names of the steps. "chance" forbids any change to the global random generators
            of Python, NumPy and PyTorch. "chance-but-torch" allows draws from PyTorch's global
            generator, but no seeding. "loops" allows at most 60 operations of PyTorch. A name
            with a dot is the name of a module, or of a function in a module.

    Raises:
        ValueError: a step has none of the known names.
        OwnWorkError: a library did a step. It is raised at the place where this happened; for
            "chance" and "chance-but-torch", at the end of the block.
    """

    def __init__(self, *steps: str) -> None:
        unknown = [name for name in steps if name not in _STEPS and "." not in name]
        if unknown:
            raise ValueError(f"no step is called {unknown[0]!r}: use {', '.join(_STEPS)}")
        self._steps = steps

    def __enter__(self) -> None:
        self._stack = contextlib.ExitStack()
        _active.append(self._steps)
        self._stack.callback(_active.pop)
        if not _told_elsewhere:
            self._stack.enter_context(enforced(self._steps))

    def __exit__(self, *error: Any) -> bool | None:
        return self._stack.__exit__(*error)


def active() -> Rules:
    """List the steps that the entered blocks forbid now, each once."""
    return tuple(dict.fromkeys(name for rules in _active for name in rules))


def tell_elsewhere() -> None:
    """Make `own_work` only note its steps in this process.

    The students' code runs in another process, which is told the steps and enforces them.
    """
    global _told_elsewhere
    _told_elsewhere = True


@contextlib.contextmanager
def enforced(steps: Sequence[str]) -> Iterator[None]:
    """Enforce the rules in this thread, and in those that it starts.

    Args:
        steps: the names of the steps, as for `own_work`.

    Raises:
        OwnWorkError: a library did a step. It is raised again at the end of the block, because
            the code in the block may have caught it.
    """
    rules = [(name, _STEPS.get(name, _Step("", (name,)))) for name in steps]
    operations = {name: step.operations for name, step in rules if step.operations}
    modules = {module: name for name, step in rules for module in step.modules}
    broken: list[OwnWorkError] = []
    patterns = _Patterns(operations, broken, MOST_OPERATIONS if LOOPS in steps else None)

    @contextlib.contextmanager
    def in_this_thread() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            if modules:
                stack.enter_context(_watched(_Modules(modules, broken)))
            if operations or LOOPS in steps:
                stack.enter_context(_Functions(patterns))
                stack.enter_context(_Operations(patterns))
            yield

    with contextlib.ExitStack() as stack:
        if CHANCE in steps or CHANCE_BUT_TORCH in steps:
            stack.enter_context(_chance_left_alone(torch_too=CHANCE in steps))
        stack.enter_context(_in_new_threads(in_this_thread))
        stack.enter_context(in_this_thread())
        yield
    if broken:
        raise broken[0]


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Enforce nothing in this thread for a while, because the code in it is not a solution."""
    with contextlib.ExitStack() as back, _profile_kept():
        if isinstance(sys.getprofile(), _Modules):
            sys.setprofile(None)
        # If the student entered a mode on top of ours, that mode and all modes below it stay.
        while isinstance(_last_dispatch_mode(), _Operations):
            back.callback(_C._push_on_torch_dispatch_stack, _C._pop_torch_dispatch_stack(None))
        while isinstance(_last_function_mode(), _Functions):
            back.callback(_C._push_on_torch_function_stack, _C._pop_torch_function_stack())
        yield


@contextlib.contextmanager
def _in_new_threads(
    rules: Callable[[], contextlib.AbstractContextManager[None]],
) -> Iterator[None]:
    """Enforce rules in threads that are started meanwhile: each has modes and a profile function.

    A thread that ran before isn't seen.
    """
    begin = threading.Thread._bootstrap  # type: ignore[attr-defined]

    def begin_with_rules(thread: threading.Thread) -> None:
        with rules():
            begin(thread)

    threading.Thread._bootstrap = begin_with_rules  # type: ignore[attr-defined]
    try:
        yield
    finally:
        threading.Thread._bootstrap = begin  # type: ignore[attr-defined]


class _Patterns:
    """For each step, the pattern of the names of refused operations, and how many there were."""

    def __init__(
        self, patterns: dict[str, str], broken: list[OwnWorkError], most: int | None
    ) -> None:
        self.most, self.count = most, 0
        self.steps = {name: re.compile(pattern) for name, pattern in patterns.items()}
        self.broken = broken
        self._known: dict[str, str | None] = {}

    def check(self, called: Any) -> None:
        """Refuse a function or an operation of PyTorch if its name fits a pattern."""
        name = getattr(called, "__name__", "").partition(".")[0]
        if name not in self._known:
            steps = (step for step, pattern in self.steps.items() if pattern.fullmatch(name))
            self._known[name] = next(steps, None)
        if (step := self._known[name]) is not None:
            _refuse(self.broken, f"PyTorch's {name}", step)

    def count_one(self) -> None:
        """Refuse an operation that is one too many."""
        self.count += 1
        if self.most is not None and self.count > self.most:
            _break(
                self.broken,
                f"more than {self.most} operations in one call: let PyTorch look at all elements "
                "at once, without a loop in Python",
            )


class _Functions(TorchFunctionMode):
    """Sees each function of PyTorch that is composed of others, before it is taken apart."""

    def __init__(self, patterns: _Patterns) -> None:
        super().__init__()
        self._patterns = patterns

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        self._patterns.check(func)
        return func(*args, **(kwargs or {}))


class _Operations(TorchDispatchMode):
    """Sees each operation that PyTorch dispatches in this thread."""

    def __init__(self, patterns: _Patterns) -> None:
        super().__init__()
        self._patterns = patterns

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # With True, PyTorch would import its compiler at the first operation (0.8 s), and ask it
        # at each operation.
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        self._patterns.check(func)
        self._patterns.count_one()
        if AUTOGRAD in self._patterns.steps and _C._current_autograd_node() is not None:
            _refuse(self._patterns.broken, "PyTorch's automatic differentiation", AUTOGRAD)
        return func(*args, **(kwargs or {}))


class _Modules:
    """Sees each function that Python calls in this thread, and refuses those of some modules.

    Watching makes every call slower. It therefore begins when the first of these modules is
    loaded.
    """

    def __init__(self, modules: dict[str, str], broken: list[OwnWorkError]) -> None:
        self._modules = modules
        self._broken = broken
        self._known: dict[str, str | None] = {}

    def watch_if_loaded(self) -> None:
        """Watch from now on, if one of the modules is loaded."""
        if any(map(_is_loaded, self._modules)):
            sys.setprofile(self)

    def find_spec(self, name: str, *_: Any) -> None:
        """Begin to watch when a module is imported.

        Python asks every finder in `sys.meta_path` at each import. This finder finds nothing, so
        Python goes on to the next.
        """
        holds_some = any(rule.startswith(f"{name}.") for rule in self._modules)
        if holds_some or self._within(name) is not None:
            sys.setprofile(self)

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        name = frame.f_code.co_name
        called = f"{frame.f_globals.get('__name__')}.{name}"
        if called not in self._known:
            self._known[called] = self._within(called)
        if (within := self._known[called]) is not None:
            refused = within if within == called or name == "<module>" else f"{within}'s {name}"
            _refuse(self._broken, refused, self._modules[within])

    def _within(self, called: str) -> str | None:
        inside = (name for name in self._modules if f"{called}.".startswith(f"{name}."))
        return next(inside, None)


def _is_loaded(name: str) -> bool:
    """Whether a module, or a function of a module, is loaded."""
    module, _, function = name.rpartition(".")
    return name in sys.modules or function in getattr(sys.modules.get(module), "__dict__", {})


def _refuse(broken: list[OwnWorkError], refused: str, step: str) -> None:
    _break(
        broken,
        f"{refused} is not available in this task, because it does a step of yours ({step}): "
        "write that step yourself",
    )


def _break(broken: list[OwnWorkError], message: str) -> None:
    broken.append(OwnWorkError(message))
    raise broken[-1]


@contextlib.contextmanager
def _watched(modules: _Modules) -> Iterator[None]:
    with _profile_kept():
        sys.meta_path.insert(0, modules)
        modules.watch_if_loaded()
        try:
            yield
        finally:
            sys.meta_path.remove(modules)


@contextlib.contextmanager
def _profile_kept() -> Iterator[None]:
    before = sys.getprofile()
    try:
        yield
    finally:
        sys.setprofile(before)


@contextlib.contextmanager
def _chance_left_alone(*, torch_too: bool) -> Iterator[None]:
    before = _random_states(torch_too)
    yield
    for library, state in _random_states(torch_too).items():
        if state != before[library]:
            raise OwnWorkError(
                f"{library}'s global random generator was seeded or used, and everybody else's "
                "numbers change with it: draw from a generator of your own"
            )


def _random_states(torch_too: bool) -> dict[str, Any]:
    state: Any = np.random.get_state()
    others = {"numpy": (state[1].tobytes(), *state[2:]), "Python": random.getstate()}
    # A draw changes PyTorch's state but not its initial seed.
    drawn = torch.get_rng_state().numpy().tobytes() if torch_too else torch.initial_seed()
    return others | {"PyTorch": drawn}
