"""What a test may ask of a student's object, and what a candidate may ask of a test's object.

The sets are the whole policy; `stand_ins`, `tensor` and the two ends only look names up in them.
"""

from __future__ import annotations

from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _special(names: frozenset[str], prefix: str = "") -> frozenset[str]:
    return frozenset(f"__{prefix}{name}__" for name in names)


_ARITHMETIC = _words("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift")
_BINARY = _ARITHMETIC | {"divmod"}
_UNARY = _words("lt le gt ge neg pos invert abs complex round trunc floor ceil contains")

# Operators give verdicts (abs(x - y) < eps). The judge runs the operators of a class that the
# instructor gives. A student's object is asked only if, in the instructor's notebook, the student
# is to write a class of that name with that method.
OPERATORS = (
    _special(_BINARY) | _special(_BINARY, "r") | _special(_ARITHMETIC, "i") | _special(_UNARY)
)

# Protocols give values that the test then compares itself.
PROTOCOLS = _special(
    _words(
        "len iter next reversed getitem setitem delitem call enter exit float int index "
        "await aiter anext aenter aexit"
    )
)

DUNDERS = OPERATORS | PROTOCOLS

# What else a class says of its objects, and the judge has rules for.
STUDENTS_RULES = _special(_words("eq hash bool"))

# A student's subclass of these builtin classes has contents, which cross as a value. What the
# subclass doesn't define itself, the judge computes from the contents.
CONTENTS: dict[str, type] = {
    f"builtins:{cls.__name__}": cls
    for cls in (int, float, complex, str, bytes, tuple, frozenset, list, dict, set)
}
FIXED_CONTENTS = (int, float, complex, str, bytes, tuple, frozenset)
# The operators that are a verdict: a result says so if a student's own decided.
DECIDING = {"__eq__": "==", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">=",
            "__contains__": "in", "__bool__": "truth value", "__len__": "len"}  # fmt: skip

# A stream that a test passes is read and written there; its file stays out of reach.
OF_STREAMS = _words(
    "read read1 readline readlines readinto write writelines seek tell flush close closed getvalue "
    "truncate readable writable seekable isatty encoding errors newlines mode"
)

# Methods that answer yes or no, or give the number that is then compared.
VERDICTS = _words(
    "equal equals allclose isclose eq ne lt le gt ge less less_equal greater greater_equal "
    "sub subtract div divide dist all any item issubset issuperset isdisjoint startswith endswith"
)

# The special methods that a candidate may use: see `usable_by_candidates`.
CANDIDATE_DUNDERS = _special(_words("len getitem next iter call enter exit"))
CANDIDATE_OPERATORS = OPERATORS - _special(_ARITHMETIC, "i")

# If a student's object claims a class of these packages, isinstance and type in a test believe the
# claim, and the judge uses its own copy of that class. C code isn't told of a class that has a
# layout of its own.
LIBRARIES = _words(
    "torch torchvision numpy builtins collections types matplotlib PIL pathlib pandas scipy "
    "networkx sklearn statsmodels seaborn"
)
# Of containers of a library `in` is what a loop over their items finds, and the judge makes the
# loop. The truth of a library's object is its length, or it is true.
LISTED = _words("matplotlib networkx collections types torch builtins")

# What the judge knows of a wrapper tensor without asking.
KNOWN_TENSOR_ATTRIBUTES = _words(
    "shape dtype device ndim layout is_leaf is_sparse is_cuda requires_grad itemsize"
)
KNOWN_TENSOR_METHODS = _words(
    "size dim numel nelement __hash__ is_floating_point is_complex element_size __len__"
)

# Tensor methods whose result shares the tensor's memory, so they run where the memory is.
TENSOR_VIEWS = _words(
    "data detach view reshape __getitem__ t T mT transpose permute flatten unflatten squeeze "
    "unsqueeze select narrow view_as expand chunk split unbind diagonal"
)
TENSOR_ASKS = _words("__setitem__ backward retain_grad register_hook")

# Requests that can't change a student's tensor, so what a test has seen of it stays valid.
LOOKS = _words(
    "fetch tensor_state getattr name bound class_name isinstance issubclass repr str format dir "
    "iter contents read_file write_file sync names"
)
LOOKS_INTO = _special(_words("len getitem float int index"))


def usable_by_candidates(obj: Any) -> frozenset[str]:
    """Return the special methods of a test's object that a candidate may use.

    Of an object of a class that a test defines, the operators are among them.
    """
    is_tests = type(obj).__module__ == "__main__"
    return CANDIDATE_DUNDERS | CANDIDATE_OPERATORS if is_tests else CANDIDATE_DUNDERS


def changes_nothing(op: str, _target: object = None, name: str | None = None, *_: object) -> bool:
    """Return whether what a test has seen of the student's tensors stays valid."""
    if op == "special":
        return name in LOOKS_INTO
    return op in LOOKS or (op == "tensor_method" and name in TENSOR_VIEWS)


def keeps_lengths(op: str, target: object = None, name: str | None = None, *_: object) -> bool:
    """Return whether a request keeps the lengths of the student's containers."""
    return changes_nothing(op, target, name) or (op == "special" and name == "__next__")


# Library functions that act on a whole model; for a student's model they run in the candidate.
WITH_THE_MODEL = (("torch.func", "functional_call"),)

# Functions about dataclasses, which run where the student's class is; their results are values.
ABOUT_DATACLASSES = _words("is_dataclass fields asdict astuple replace")

# pyplot's current figure is the student's.
PYPLOT = _words(
    "gcf gca sca sci clf cla close figure subplots subplot axes get_fignums fignum_exists"
)

# What a text that a test runs as code, and that a student may have written, may call: see `texts`.
TEXT_COMPUTES = _words(
    "abs all any bool complex divmod float int len list max min pow print range round set sorted "
    "sum tuple"
)
# Functions of sympy's namespace that compute with what they are given; its classes do, too.
TEXT_SYMPY = _words(
    "sqrt cbrt root real_root diff integrate limit simplify expand factor cancel together apart "
    "trigsimp summation product solve Rational binomial prod"
)
# What a text in `query` or `eval` of pandas may ask a column for.
TEXT_PANDAS = _words(
    "str dt cat isin isna isnull notna notnull between mean median std var min max sum count abs "
    "round shift diff rank quantile astype eq ne lt le gt ge any all nunique mode fillna clip "
    "contains startswith endswith match fullmatch lower upper title strip lstrip rstrip len get "
    "slice isdigit isnumeric isalpha isupper islower year month day hour minute second date time "
    "dayofweek dayofyear weekday quarter days total_seconds index"
)

# Settings of a whole process. The judge makes the settings that the instructor's cells make at
# their top level, with the instructor's own names. It never makes those of a student's cell.
SETTINGS = _words(
    "set_default_dtype set_default_device set_default_tensor_type set_grad_enabled "
    "set_printoptions set_float32_matmul_precision use_deterministic_algorithms seterr set_option"
)

# Attributes of modules that a test may set, and that aren't patches of the student's code.
SET_ELSEWHERE = {
    "sys": _words(
        "stdout stderr displayhook excepthook unraisablehook ps1 ps2 modules path meta_path "
        "path_hooks last_type last_value last_traceback last_exc"
    ),
    "warnings": _words("filters showwarning _showwarnmsg_impl"),
}
