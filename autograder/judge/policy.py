"""What a test may ask of a student's object, and what a candidate may ask of a test's.

The sets are the whole policy; `remote`, `tensor` and the two peers only look names up in them.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _special(names: frozenset[str], prefix: str = "") -> frozenset[str]:
    return frozenset(f"__{prefix}{name}__" for name in names)


_ARITHMETIC = _words("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift")
_BINARY = _ARITHMETIC | {"divmod"}
_UNARY = _words("lt le gt ge neg pos invert abs complex round trunc floor ceil contains")

# Operators give verdicts (abs(x - y) < eps). Those of a class that the instructor gives are run by
# the judge; a student's object is asked only where a class of that name with that method is the
# student's to write, in the instructor's notebook.
OPERATORS = (
    _special(_BINARY) | _special(_BINARY, "r") | _special(_ARITHMETIC, "i") | _special(_UNARY)
)

# These yield values that the test then compares itself.
PROTOCOLS = _special(
    _words("len iter next reversed getitem setitem delitem call enter exit float int index")
)

DUNDERS = OPERATORS | PROTOCOLS

# Methods that answer yes or no, or give the number that is then compared.
VERDICTS = _words(
    "equal equals allclose isclose eq ne lt le gt ge less less_equal greater greater_equal "
    "sub subtract div divide dist all any item issubset issuperset isdisjoint startswith endswith"
)

# The only things that a candidate may do with what a test handed it, besides calling it.
CANDIDATE_DUNDERS = _special(_words("len getitem next iter call"))

# A class of these packages that a student's object claims is believed, for isinstance and type in
# a test: the judge uses its own copy of that class. C code isn't told of it where the class has a
# layout of its own.
LIBRARIES = _words(
    "torch torchvision numpy builtins collections types matplotlib PIL pathlib pandas"
)

# What of a wrapper tensor the judge knows without asking.
KNOWN_TENSOR_ATTRIBUTES = _words(
    "shape dtype device ndim layout is_leaf is_sparse is_cuda requires_grad itemsize"
)
KNOWN_TENSOR_METHODS = _words(
    "size dim numel nelement __hash__ is_floating_point is_complex element_size __len__"
)

# Tensor methods whose result shares the tensor's memory, so they happen where the memory is.
TENSOR_VIEWS = _words(
    "data detach view reshape __getitem__ t T mT transpose permute flatten unflatten squeeze "
    "unsqueeze select narrow view_as expand chunk split unbind diagonal"
)
TENSOR_ASKS = _words("__setitem__ backward retain_grad register_hook")

# What a test asks for that can't change a tensor of the student's: what it has looked at stays.
LOOKS = _words(
    "fetch tensor_state getattr name bound class_name isinstance issubclass repr str format dir "
    "iter read_file write_file sync"
)
LOOKS_INTO = _special(_words("len getitem float int index"))


def changes_nothing(op: str, _target: object = None, name: str | None = None, *_: object) -> bool:
    """Whether a request leaves what a test has seen of the student's tensors as it is."""
    if op == "special":
        return name in LOOKS_INTO
    return op in LOOKS or (op == "tensor_method" and name in TENSOR_VIEWS)


def keeps_lengths(op: str, target: object = None, name: str | None = None, *_: object) -> bool:
    """Whether a request leaves the lengths of the student's containers as they are."""
    return changes_nothing(op, target, name) or (op == "special" and name == "__next__")


# Library functions that act on a whole model: with a student's model they run beside it.
WITH_THE_MODEL = (("torch.func", "functional_call"),)

# pyplot's current figure is the student's.
PYPLOT = _words(
    "gcf gca sca sci clf cla close figure subplots subplot axes get_fignums fignum_exists"
)

# Settings of a whole process. The judge makes those that the instructor's cells make, at their top
# level and of the instructor's own names; never those of a student's cell.
SETTINGS = _words(
    "set_default_dtype set_default_device set_default_tensor_type set_grad_enabled "
    "set_printoptions set_float32_matmul_precision use_deterministic_algorithms seterr set_option"
)
