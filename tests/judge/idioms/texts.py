# ruff: noqa
# Texts that a library or the test itself runs as code, and that only compute.

# %% given
import numpy as np
import pandas as pd
import sympy as sp
import pytest
import timeit

x, y = sp.symbols("x y")
df = pd.DataFrame({"age": [1, 40], "name": ["Ann", "Bob"]})

# %% solution
n = 4


def square(t):
    return t * t


def formula():
    return x**2 + sp.sin(x) * sp.sqrt(y)


def text():
    return "x**2 + 2*x*y + sqrt(y)/3"


def rule():
    return "age > 30 and name.str.startswith('B')"


# %% test: lambdify of several kinds
for m in ("numpy", "math", "sympy", "mpmath", "scipy"):
    f = sp.lambdify([x, y], formula(), m)
    assert abs(float(f(2, 4)) - 4 - 2 * np.sin(2)) < 1e-9, m
g = sp.lambdify(x, sp.Piecewise((x, x > 0), (0, True)), "numpy")
assert g(np.array([-1.0, 2])).tolist() == [0, 2]
m = sp.lambdify((x, y), sp.Matrix([[x, y], [0, sp.Sum(sp.Symbol("k"), (sp.Symbol("k"), 1, 3))]]))
assert m(1, 2).tolist() == [[1, 2], [0, 6]]
assert sp.lambdify(x, sp.Max(x, 1) + sp.Abs(x) + sp.erf(x) + sp.pi, "scipy")(0.0) > 4
assert sp.lambdify((x, y), [x, [y, x * y]], cse=True)(2, 3) == [2, [3, 6]]
assert sp.lambdify(sp.Symbol("a_{1}"), sp.Symbol("a_{1}") + 1)(1) == 2
assert sp.lambdify(x, sp.gamma(x) + sp.factorial(x), "scipy")(3.0) > 7

# %% test: sympify of texts
assert sp.sympify(text()) == x**2 + 2 * x * y + sp.sqrt(y) / 3
assert sp.simplify(sp.sympify("sin(x)**2 + cos(x)**2")) == 1
assert sp.parse_expr("2*x + pi", evaluate=False).subs(x, 1) == 2 + sp.pi
assert sp.sympify("Matrix([[1, x]])") == sp.Matrix([[1, x]]) and sp.sympify("x > 1") == (x > 1)
assert sp.sympify("f(x)") == sp.Function("f")(x) and sp.S("1/3") == sp.Rational(1, 3)
assert x.equals("x") and sp.sympify("diff(x**2, x)") == 2 * x and sp.sympify("E**I + oo")
from sympy.parsing.sympy_parser import (
    parse_expr,
    standard_transformations,
    implicit_multiplication_application,
)

assert (
    parse_expr(
        "2x y", transformations=standard_transformations + (implicit_multiplication_application,)
    )
    == 2 * x * y
)

# %% test: query
assert df.query(rule()).name.tolist() == ["Bob"] and df.query("age < @n").shape == (1, 2)
assert df.eval("age * 2").tolist() == [2, 80] and df.query("name == 'Ann'").age.item() == 1
assert df.query("name in ['Ann'] or age.between(30, 50)").shape == (2, 2)
assert df.eval("b = age + 1").b.tolist() == [2, 41]

# %% test: eval of what a test puts together
for k in (2, 3):
    assert eval(f"square({k})") == k * k and eval("n") == 4
    exec(f"r{k} = square({k}) + n")
assert r2 == 8 and r3 == 13
assert timeit.timeit("np.sum([1])", globals=globals(), number=1) >= 0
assert timeit.timeit(f"square({k})", globals=globals(), number=1) >= 0
assert eval("np.square(3)") == 9
from collections import namedtuple

P = namedtuple("P", "a b")
from dataclasses import dataclass


@dataclass
class Q:
    a: int = 1


assert P(1, 2).b == 2 and Q().a == 1
