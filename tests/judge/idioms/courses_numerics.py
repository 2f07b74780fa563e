# ruff: noqa
# Idioms seen in public courses of numerics: functions that go in and out, chance, sympy.

# %% given
import functools
import itertools
import math

import numpy as np
import pytest
import scipy.linalg
import sympy as sp
from numpy.testing import assert_allclose
from scipy import integrate, optimize

x = sp.Symbol("x")


# %% solution
def power_iter(A, v, eps=1e-10):
    old = 0.0
    for k in range(1000):
        v = A @ v
        v = v / np.linalg.norm(v)
        lam = v @ A @ v
        if abs(lam - old) < eps:
            break
        old = lam
    return lam, v, k


def newton(f, df, x0, eps=1e-12):
    for n in range(100):
        step = f(x0) / df(x0)
        x0 = x0 - step
        if abs(step) < eps:
            return x0, n
    raise RuntimeError("no convergence")


def bisect(f, a, b, n=40):
    fa = f(a)
    if fa * f(b) > 0:
        raise ValueError("no change of sign")
    for _ in range(n):
        m = (a + b) / 2
        fm = f(m)
        if fa * fm <= 0:
            b = m
        else:
            a, fa = m, fm
    return (a + b) / 2


def fit(xs, ys, m):
    return np.polynomial.Polynomial.fit(xs, ys, m - 1).convert()


class Lagrange:
    def __init__(self, xs, ys):
        self.xs, self.ys = np.asarray(xs, float), np.asarray(ys, float)

    def __call__(self, t):
        out = 0
        for i, xi in enumerate(self.xs):
            rest = np.delete(self.xs, i)
            out = out + self.ys[i] * np.prod([(t - r) / (xi - r) for r in rest], axis=0)
        return out


def householder(v):
    v = np.asarray(v, float)
    u = v.copy()
    u[0] += np.copysign(np.linalg.norm(v), v[0])
    h = np.eye(len(v)) - 2 * np.outer(u, u) / (u @ u)
    return h @ v, h


def seidel(m, b, x0, steps=200):
    z = x0.copy()
    for _ in range(steps):
        for i in range(len(b)):
            z[i] = (b[i] - m[i] @ z + m[i, i] * z[i]) / m[i, i]
    return z


def lhs(n):
    return 4 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)


def sample(rng, n):
    return rng.normal(size=n)


def walk(seed, n):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.choice([-1, 1], size=n))


def shuffled(items, rng):
    items = list(items)
    rng.shuffle(items)
    return items


def pi_mc(n):
    p = np.random.rand(n, 2)
    return 4 * np.mean((p**2).sum(axis=1) < 1)


def rhs(t, y):
    return -2 * y


def gauss(t):
    return np.exp(-(t**2))


def scalar_sign(t):
    return 1 if t > 0 else 0


def horner(coefs, t):
    out = 0
    for c in coefs:
        out = out * t + c
    return out


def add(a, b):
    return a + b


def euler(f, y0, ts):
    ys = [y0]
    for a, b in zip(ts, ts[1:]):
        ys.append(ys[-1] + (b - a) * f(a, ys[-1]))
    return np.array(ys)


def taylor(expr, n):
    return sp.series(expr, x, 0, n).removeO()


def as_function(expr):
    return sp.lambdify(x, expr, "numpy")


def divide(a, b):
    return np.divide(a, b)


def lu(a):
    return scipy.linalg.lu(a)


def ordered(items):
    return sorted(items)


def primes():
    found = []
    for n in itertools.count(2):
        if all(n % p for p in found):
            found.append(n)
            yield n


# %% test: three results, one residual
A = np.asarray([[4, 1], [2, 3]])
np.random.seed(1)
lam, v, k = power_iter(A, np.random.random(size=2))
assert_allclose(A @ v, lam * v, atol=1e-6)
assert np.isclose(lam, 5) and isinstance(k, int) and k > 1

# %% test: functions of the test's go in
root, n = newton(lambda t: t**2 - 2, lambda t: 2 * t, x0=1.0)
assert abs(root - math.sqrt(2)) < 1e-12 and n < 10
with pytest.raises(RuntimeError):
    newton(lambda t: t**2 + 1, lambda t: 2 * t, 0.5)
assert_allclose(newton(np.sin, np.cos, 3.0)[0], np.pi)

# %% test: how often the function is called
calls = 0


def counted(t):
    global calls
    calls += 1
    return t**3 - 1


assert abs(bisect(counted, 0, 3, n=30) - 1) < 1e-6 and calls <= 35
seen = []
bisect(lambda t: seen.append(t) or t - 1, 0, 4, n=3)
assert seen[0] == 0 and len(seen) == 5

# %% test: np.testing's assert_raises
np.testing.assert_raises(ValueError, bisect, lambda t: t**2 + 1, -1, 1)
with np.testing.assert_raises(ValueError):
    bisect(np.cosh, -1, 1)
np.testing.assert_almost_equal(bisect(np.sin, 3, 4), np.pi, decimal=6)
np.testing.assert_array_less(0, bisect(np.sin, 3, 4))

# %% test: a polynomial that is called
xs = np.linspace(0, 1, 5)
p = fit(xs, 1 + 2 * xs, m=2)
assert_allclose(p(xs), 1 + 2 * xs)
assert_allclose(p.coef, [1, 2], atol=1e-12)
assert (
    p.degree() == 1 and p.deriv()(0) == pytest.approx(2) and isinstance(p, np.polynomial.Polynomial)
)
other = np.polynomial.Polynomial(p.coef + 0.1)
assert ((p(xs) - 1 - 2 * xs) ** 2).sum() < ((other(xs) - 1 - 2 * xs) ** 2).sum()

# %% test: an object that is called in a loop and on an array
lagr = Lagrange([0, 1, 2], [1, 2, 5])
assert_allclose([lagr(t) for t in (0, 1, 2)], [1, 2, 5])
assert_allclose(lagr(np.array([0.5, 1.5])), [1.25, 3.25])
assert_allclose(np.vectorize(lagr)(np.array([3.0])), [10])

# %% test: a reflection
v = np.array([1.0, 2, 2])
w, h = householder(v)
assert_allclose(h @ v, w, atol=1e-14)
assert_allclose(w[1:], 0, atol=1e-14)
assert_allclose(h @ h.T, np.eye(3), atol=1e-14)

# %% test: the rest of the matrix is zero
m = lhs(5)
assert_allclose(np.diag(m), 4)
assert_allclose(np.diagonal(m, 1), -1)
np.fill_diagonal(m, 0)
np.fill_diagonal(m[1:], 0)
np.fill_diagonal(m[:, 1:], 0)
assert_allclose(m, 0)

# %% test: the library's function is taken away
m, b = lhs(6), np.arange(6.0)
want = np.linalg.solve(m, b)
kept = np.linalg.solve, np.linalg.inv
try:
    np.linalg.solve = None
    np.linalg.inv = None
except Exception:
    pass
assert_allclose(seidel(m, b, np.ones(6)), want, atol=1e-8)

# %% test: it is still away in the next test
assert np.linalg.solve is None
np.linalg.solve, np.linalg.inv = kept
assert_allclose(np.linalg.solve(m, b), want)

# %% test: an old generator of random numbers goes in
rng = np.random.RandomState(1234)
a = sample(rng, 4)
assert_allclose(a, np.random.RandomState(1234).normal(size=4))
import random

assert shuffled("abcd", random.Random(3)) == shuffled("abcd", random.Random(3))
mine = list("abcd")
random.Random(3).shuffle(mine)
assert shuffled("abcd", random.Random(3)) == mine

# %% test: two calls with the same generator of random numbers
rng = np.random.default_rng(7)
a, b = sample(rng, 3), sample(rng, 3)
assert_allclose(np.concatenate([a, b]), np.random.default_rng(7).normal(size=6))
draw, same = random.Random(2), random.Random(2)
for _ in range(3):
    mine = list("abcdefgh")
    same.shuffle(mine)
    assert shuffled("abcdefgh", draw) == mine

# %% test: a generator of random numbers of the test before
import gc

gc.collect()
assert_allclose(sample(rng, 2), np.random.default_rng(7).normal(size=8)[6:])

# %% test: a generator of random numbers as an object's attribute, and in a list
box = [np.random.default_rng(1), np.random.default_rng(2)]
assert_allclose(sample(box[0], 2), np.random.default_rng(1).normal(size=2))
assert_allclose(sample(box[1], 2), np.random.default_rng(2).normal(size=2))
assert_allclose(sample(box[0], 2), np.random.default_rng(1).normal(size=4)[2:])

# %% test: a seed as an argument
assert (walk(3, 50) == walk(3, 50)).all() and not (walk(3, 50) == walk(4, 50)).all()
assert set(np.abs(np.diff(walk(1, 20)))) == {1}

# %% test: a number by chance
np.random.seed(0)
first = pi_mc(2000)
assert abs(first - np.pi) < 0.2
np.random.seed(0)
assert pi_mc(2000) == first

# %% test: the state of numpy's generator
np.random.seed(5)
state = np.random.get_state()
a = pi_mc(10)
np.random.set_state(state)
assert pi_mc(10) == a

# %% test: the student's function goes into scipy
assert integrate.quad(gauss, -np.inf, np.inf)[0] == pytest.approx(np.sqrt(np.pi))
sol = integrate.solve_ivp(rhs, (0, 1), [1.0], rtol=1e-8)
assert_allclose(sol.y[0, -1], np.exp(-2), rtol=1e-5)
assert optimize.brentq(lambda t: gauss(t) - 0.5, 0, 2) == pytest.approx(np.sqrt(np.log(2)))
assert optimize.minimize_scalar(lambda t: -gauss(t)).x == pytest.approx(0, abs=1e-6)

# %% test: the student's function goes into numpy
assert np.vectorize(scalar_sign)(np.array([-1, 2])).tolist() == [0, 1]
assert np.apply_along_axis(np.sum, 0, gauss(np.zeros((2, 2)))).tolist() == [2, 2]
assert np.fromfunction(add, (2, 2)).tolist() == [[0, 1], [1, 2]]
assert functools.reduce(add, [1, 2, 3]) == 6 and list(itertools.accumulate([1, 2], add)) == [1, 3]
assert list(map(scalar_sign, [-1, 1])) == [0, 1] and functools.partial(add, 1)(2) == 3

# %% test: the order of a method
errors = []
for n in (10, 20, 40):
    ts = np.linspace(0, 1, n + 1)
    errors.append(abs(euler(rhs, 1.0, ts)[-1] - np.exp(-2)))
rates = np.log2(np.array(errors[:-1]) / errors[1:])
assert np.all(np.abs(rates - 1) < 0.2)

# %% test: a system goes in
ys = euler(lambda t, y: np.array([y[1], -y[0]]), np.array([1.0, 0.0]), np.linspace(0, 1, 101))
assert ys.shape == (101, 2) and abs(ys[-1, 0] - np.cos(1)) < 0.02

# %% test: a polynomial of other types
from fractions import Fraction

assert horner([1, 0, -2], Fraction(1, 2)) == Fraction(-7, 4) and horner([1, 2], 1j) == 2 + 1j
assert_allclose(horner([1, 0, 0], np.arange(3)), [0, 1, 4])
assert sp.expand(horner([1, 2, 1], x)) == x**2 + 2 * x + 1


# %% test: a number of the test's own class goes in
class Dual:
    def __init__(self, value, slope=0.0):
        self.value, self.slope = value, slope

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)

    __radd__ = __add__
    __rmul__ = __mul__


got = horner([1.0, 0.0, 3.0], Dual(2.0, 1.0))
assert got.value == 7 and got.slope == 4

# %% test: series and lambdify
assert taylor(sp.exp(x), 3) == 1 + x + x**2 / 2
f = as_function(sp.sin(x) + x)
assert_allclose(f(np.array([0, 1.0])), [0, np.sin(1) + 1])

# %% test: an answer as a text of sympy
assert sp.simplify(sp.sympify(str(taylor(sp.cos(x), 4))) - (1 - x**2 / 2)) == 0

# %% test: a runtime warning
with pytest.warns(RuntimeWarning):
    divide(np.array([1.0]), np.array([0.0]))
with np.errstate(divide="ignore"):
    assert np.isinf(divide(np.array([1.0]), 0.0)).all()

# %% test: three factors
a = np.array([[2.0, 1], [4, 3]])
P, L, U = lu(a)
assert_allclose(P @ L @ U, a)
assert np.allclose(L, np.tril(L)) and np.allclose(np.diag(L), 1) and np.allclose(U, np.triu(U))
assert False not in [np.allclose(r, s) for r, s in zip(P.T @ a, L @ U)]

# %% test: no end
assert list(itertools.islice(primes(), 5)) == [2, 3, 5, 7, 11]
assert next(p for p in primes() if p > 20) == 23
assert list(itertools.takewhile(lambda p: p < 8, primes())) == [2, 3, 5, 7]

# %% test: types of numbers
lam = power_iter(np.eye(2), np.ones(2))[0]
assert isinstance(lam, (float, np.floating)) and np.isscalar(lam) and np.ndim(lam) == 0
assert lhs(3).dtype == float and lhs(3).dtype == np.float64 and lhs(2).flags["C_CONTIGUOUS"]
assert walk(1, 3).dtype.kind == "i" and np.issubdtype(walk(1, 3).dtype, np.integer)


# %% test: comparisons of the test's own are counted
class Counted:
    less = 0

    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        Counted.less += 1
        return self.value < other.value


assert [c.value for c in ordered([Counted(2), Counted(1)])] == [1, 2] and Counted.less == 1
