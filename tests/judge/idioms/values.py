# ruff: noqa
# %% given
import collections
import datetime
import enum
import re
import uuid
import zoneinfo
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse
import sympy as sp


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


x = sp.Symbol("x")

# %% solution
import ipaddress
import statistics
from http import HTTPStatus

KINDS = {
    "whole": [1, 2, 3],
    "real": [0.5, np.nan, -1.0],
    "text": ["a", None, "ü€😀"],
    "object": pd.Series([1, "a", [2]], dtype=object),
    "plain text": pd.Series(["a", "b", "c"], dtype=object),
    "category": pd.Categorical(["u", "v", None], categories=["v", "u"], ordered=True),
    "day": pd.date_range("2024-03-30", periods=3),
    "zoned": pd.date_range("2024-03-30", periods=3, tz="Europe/Zurich"),
    "span": pd.to_timedelta([1, 2, None], unit="s"),
    "month": pd.period_range("2024-01", periods=3, freq="M"),
    "between": pd.interval_range(0, 3),
    "nullable": pd.array([1, None, 3], dtype="Int64"),
    "real nullable": pd.array([1.5, None, 3], dtype="Float64"),
    "flag": pd.array([True, None, False], dtype="boolean"),
    "string": pd.array(["a", None, ""], dtype="string"),
    "sparse": pd.arrays.SparseArray([0, 0, 1]),
    "bool": [True, False, True],
    "small": np.array([1, 2, 3], dtype="uint8"),
}


def frame(*names):
    return pd.DataFrame({name: KINDS[name] for name in names or KINDS})


def top(df):
    return df[df.v > 1].reset_index(drop=True)


def total(df):
    return df.groupby("k")["v"].sum()


def clean(df):
    df["w"] = df.v * 2
    df.pop("v")


def same(value):
    return value


def pivot(df):
    return df.pivot_table(index="k", columns="c", values="v", aggfunc="sum")


def structured():
    made = np.zeros(2, dtype=[("name", "U10"), ("age", "i4"), ("at", "f8", (2,))])
    made[0] = ("Ann", 30, (1, 2))
    return made


def add(a, b):
    return Fraction(a) + Fraction(b)


def price(text):
    return Decimal(text).quantize(Decimal("0.01"))


def due(day):
    return day + datetime.timedelta(days=14)


def local(moment):
    return moment.astimezone(zoneinfo.ZoneInfo("America/New_York"))


def result_file(folder):
    path = Path(folder) / "result.txt"
    path.write_text("42")
    return path


def favourite():
    return Color.BLUE


def rights():
    return Access.READ | Access.WRITE


def status():
    return HTTPStatus.NOT_FOUND


def year(text):
    return re.search(r"(?P<year>\d{4})-(\d\d)", text)


def pattern():
    return re.compile(r"^a+b", re.I)


def queue():
    return collections.deque([1, 2, 3], maxlen=3)


def push(q):
    q.append(9)
    q.popleft()


def deriv(e):
    return sp.diff(e, x)


def sparse(kind):
    return scipy.sparse.coo_array(([1.0, 2.0], ([0, 1], [1, 2])), shape=(2, 3)).asformat(kind)


def fill(a):
    a[0] = 7


# %% test: a filtered frame by assert_frame_equal
df = pd.DataFrame({"k": list("abc"), "v": [1, 2, 3]})
pd.testing.assert_frame_equal(top(df), pd.DataFrame({"k": list("bc"), "v": [2, 3]}))
assert len(df) == 3

# %% test: frames by equals
assert top(pd.DataFrame({"v": [1, 5]})).equals(pd.DataFrame({"v": [5]}))
assert not top(pd.DataFrame({"v": [1, 5]})).equals(pd.DataFrame({"v": [6]}))

# %% test: a column compared with a number
got = frame("whole")
assert (got.whole > 0).all() and got["whole"].dtype == "int64"
assert list(got.columns) == ["whole"] and got.shape == (3, 1)
assert isinstance(got, pd.DataFrame) and isinstance(got.whole, pd.Series)

# %% test: every dtype of pandas
got = frame()
assert [str(d) for d in got.dtypes] == [
    "int64",
    "float64",
    str(pd.Series(["a"]).dtype),
    "object",
    "object",
    "category",
    str(pd.date_range("2024-03-30", periods=3).dtype),
    str(pd.date_range("2024-03-30", periods=3, tz="Europe/Zurich").dtype),
    str(pd.to_timedelta([1, 2, None], unit="s").dtype),
    "period[M]",
    "interval[int64, right]",
    "Int64",
    "Float64",
    "boolean",
    "string",
    "Sparse[int64, 0]",
    "bool",
    "uint8",
]
assert got["text"].tolist()[2] == "ü€😀" and got["text"].isna().sum() == 1
assert got["object"][2] == [2] and got["category"].cat.ordered and got["category"].isna()[2]
assert str(got["zoned"][2]) == "2024-04-01 00:00:00+02:00"
assert got["nullable"][1] is pd.NA and got["nullable"].sum() == 4

# %% test: a frame that goes there and comes back
df = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["p", "q"], name="row"))
df.attrs["unit"] = "kg"
assert same(df) is df
pd.testing.assert_frame_equal(same(df.copy()), df)

# %% test: a frame changed in place by the student's function
df = pd.DataFrame({"v": [1, 2]})
clean(df)
assert list(df.columns) == ["w"] and df.w.tolist() == [2, 4]

# %% test: a frame changed by the test between two calls
df = pd.DataFrame({"v": [1, 2]})
assert top(df).v.tolist() == [2]
df.loc[0, "v"] = 9
df["z"] = ["a", "b"]
assert top(df).v.tolist() == [9, 2] and top(df).z.tolist() == ["a", "b"]

# %% test: a series with names, by group
df = pd.DataFrame({"k": list("aab"), "v": [1, 2, 3]})
want = pd.Series([3, 3], index=pd.Index(["a", "b"], name="k"), name="v")
pd.testing.assert_series_equal(total(df), want)
assert total(df).equals(want) and total(df)["a"] == 3 and total(df).idxmax() == "a"

# %% test: a pivot table and a multi-index
df = pd.DataFrame({"k": list("aab"), "c": list("xyx"), "v": [1, 2, 3]})
got = pivot(df)
assert got.loc["a", "y"] == 2 and np.isnan(got.loc["b", "y"]) and got.columns.name == "c"
two = same(df.groupby(["k", "c"]).v.agg(["sum", "mean"]))
assert two.index.names == ["k", "c"] and two.loc[("b", "x"), "sum"] == 3
pd.testing.assert_frame_equal(two, df.groupby(["k", "c"]).v.agg(["sum", "mean"]))

# %% test: indices
for index in (
    pd.RangeIndex(2, 8, 2, name="r"),
    pd.date_range("2024", periods=4, freq="D", tz="UTC"),
    pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["p", None]),
    pd.CategoricalIndex(["a", "b", "a"]),
    pd.period_range("2024", periods=2, freq="Q"),
    pd.interval_range(0.0, 2.0, closed="left"),
    pd.timedelta_range("1h", periods=3),
    pd.Index([1.5, "a", None], dtype=object),
):
    got = same(index)
    pd.testing.assert_index_equal(got, index)
    assert type(got) is type(index) and got.equals(index)

# %% test: scalars of pandas
assert same(pd.Timestamp("2024-02-29 12:00", tz="Europe/Zurich")) == pd.Timestamp(
    "2024-02-29 11:00", tz="UTC"
)
assert same(pd.Timedelta("1h")) * 2 == pd.Timedelta("2h") and same(pd.NaT) is pd.NaT
assert same(pd.NA) is pd.NA and same(pd.Period("2024-03", "M")) + 1 == pd.Period("2024-04", "M")
assert 0.5 in same(pd.Interval(0, 1)) and same(pd.CategoricalDtype(["a"], True)).ordered

# %% test: an empty frame
got = frame("whole", "text").iloc[:0]
assert got.empty and list(got.columns) == ["whole", "text"]
assert same(pd.DataFrame()).shape == (0, 0) and same(pd.Series(dtype=float)).size == 0

# %% test: a frame in a list and in a dict
a, b = same([pd.DataFrame({"a": [1]}), {"s": pd.Series([2.0])}])
assert a.a[0] == 1 and b["s"].mean() == 2

# %% test: statistics of a frame
got = frame("whole", "real").describe()
assert got.loc["mean", "whole"] == 2 and got.loc["count", "real"] == 2

# %% test: an array of objects
got = same(np.array(["a", None, [1]], dtype=object))
assert got[0] == "a" and got[1] is None and got[2] == [1] and got.dtype == object
np.testing.assert_array_equal(got[:2], np.array(["a", None], dtype=object))

# %% test: an array of objects filled in place
want = np.array([None, 2], dtype=object)
fill(want)
assert want[0] == 7

# %% test: an array of records
got = structured()
assert got["age"][0] == 30 and got[0]["name"] == "Ann" and got.dtype.names == ("name", "age", "at")
assert got["at"].tolist() == [[1, 2], [0, 0]]
assert same(got[0])["age"] == 30
fill(got["age"])

# %% test: a record array by attribute
got = same(np.rec.array([(1, "a"), (2, "b")], dtype=[("n", int), ("t", "U1")]))
assert got.n.sum() == 3 and got[1].t == "b" and isinstance(got, np.recarray)

# %% test: a masked array and a matrix
got = same(np.ma.masked_array([1.0, 2.0, 3.0], mask=[0, 1, 0]))
assert got.sum() == 4 and got.mask.tolist() == [False, True, False]
assert (same(np.matrix([[1, 2], [3, 4]])) * np.matrix([[1], [1]])).tolist() == [[3], [7]]

# %% test: dates, texts and complex numbers in arrays
assert same(np.array(["2024-01-02"], dtype="datetime64[D]"))[0] == np.datetime64("2024-01-02")
assert same(np.array(["ab", "c"])).tolist() == ["ab", "c"] and same(np.array([b"x"]))[0] == b"x"
assert same(np.timedelta64(3, "h")) == np.timedelta64(180, "m")
assert same(np.array([1 + 2j])).conj()[0] == 1 - 2j and same(np.dtype("f4")) == np.float32

# %% test: an array that may not be changed
frozen = np.array([1, 2])
frozen.flags.writeable = False
try:
    fill(frozen)
    assert False, "the input was changed"
except ValueError:
    assert frozen[0] == 1

# %% test: an array in Fortran's order
got = same(np.asfortranarray(np.arange(6).reshape(2, 3)) + 0)
assert got.tolist() == [[0, 1, 2], [3, 4, 5]]

# %% test: polynomials
assert same(np.polynomial.Polynomial([1, 2]))(3) == 7 and same(np.poly1d([1, 0]))(5) == 5

# %% test: fractions
assert add("1/3", "1/6") == Fraction(1, 2) == add("1/4", "1/4")
assert add(1, 2) - 3 == 0 and add("1/2", 0) < 1 and {add(1, 1): "two"}[2] == "two"

# %% test: decimals
assert price("2.345") == Decimal("2.34") and price("1") + price("2") == 3
assert str(price("7")) == "7.00"

# %% test: dates and times
assert due(datetime.date(2024, 2, 20)) == datetime.date(2024, 3, 5)
noon = datetime.datetime(2024, 7, 1, 12, tzinfo=datetime.timezone.utc)
got = local(noon)
assert got == noon and got.hour == 8 and got.tzinfo.key == "America/New_York"
assert same(datetime.timezone(datetime.timedelta(hours=2), "X")).tzname(None) == "X"
assert same(datetime.time(1, 2)) < datetime.time(2) and same(datetime.timedelta(1)) * 2 > due(
    datetime.timedelta(0)
) - datetime.timedelta(13)

# %% test: paths
got = result_file(".")
assert got == Path("result.txt") and got.name == "result.txt" and got.suffix == ".txt"
assert isinstance(got, Path) and got.exists() and got.read_text() == "42"
assert got.parent / "other" == Path("other") and str(got.with_suffix(".md")) == "result.md"
assert got in [Path("result.txt")] and same(Path("a/b")).parts == ("a", "b")

# %% test: members of an Enum
assert favourite() is Color.BLUE and favourite() == Color.BLUE and favourite().value == 2
assert favourite() in {Color.BLUE} and same([Color.RED]) == [Color.RED]
assert rights() == Access.READ | Access.WRITE and status() == 404
assert status().phrase == "Not Found"

# %% test: matches and patterns
got = year("on 2024-05")
assert got and got.group(1) == "2024" and got["year"] == "2024" and got.span() == (3, 10)
assert year("none") is None and pattern() == re.compile(r"^a+b", re.I)
assert pattern().match("AAB").end() == 3

# %% test: a bounded queue, changed in place
q = queue()
assert q == collections.deque([1, 2, 3]) and q.maxlen == 3
push(q)
assert list(q) == [3, 9]
q.append(5)
push(q)
assert list(q) == [5, 9]

# %% test: more of the standard library
assert same(uuid.UUID(int=5)) == uuid.UUID(int=5) and same(range(3)) == range(3)
assert same(1 + 2j) * 1j == -2 + 1j and same(slice(1, None)) == slice(1, None)
import ipaddress, statistics

assert same(ipaddress.ip_address("10.0.0.1")) + 1 == ipaddress.ip_address("10.0.0.2")
assert same(statistics.NormalDist(1, 2)).mean == 1

# %% test: a derivative by sympy
assert deriv(x**2) == 2 * x and sp.simplify(deriv(x**2) - 2 * x) == 0
assert deriv(sp.sin(x)).equals(sp.cos(x)) and deriv(x**3).subs(x, 2) == 12
assert deriv(sp.exp(2 * x)).has(sp.exp) and deriv(sp.log(x)).free_symbols == {x}

# %% test: expressions of sympy
y, f = sp.Symbol("y", positive=True), sp.Function("f")
for e in (
    sp.Integral(sp.sin(x) ** 2, (x, 0, sp.pi)),
    sp.Eq(x, y),
    sp.Rational(2, 3) * sp.sqrt(y),
    sp.Piecewise((x, x > 0), (0, True)),
    f(x).diff(x),
    sp.Float("1.5", 30) + sp.I,
    sp.oo,
    sp.FiniteSet(1, x),
    sp.Interval(0, sp.oo),
    sp.Matrix([[1, x], [0, y]]),
    sp.true,
    sp.Add(x, x, evaluate=False),
    sp.Tuple(x, 1),
    sp.Lambda(x, x + 1),
    sp.Sum(x, (x, 1, 3)),
    sp.ImmutableMatrix([1, x]),
    sp.And(x > 0, y < 2),
    sp.factorial(y),
    sp.Poly(x**2 + 1, x),
    sp.Poly(x**2 + 1, x, domain="QQ"),
    sp.Poly(x**2 + 3, x, modulus=5),
    sp.SparseMatrix(2, 2, {(0, 1): y}),
    sp.solveset(x**2 - 1, x),
    sp.Max(x, y),
    sp.Abs(x),
    sp.E ** (sp.I * sp.pi * x),
):
    assert same(e) == e and str(same(e)) == str(e), e

# %% test: solutions of an equation
assert same(sp.solve(x**2 - 4, x)) == [-2, 2]
assert same({x: sp.Rational(1, 2)})[x] == sp.Rational(1, 2)

# %% test: sparse matrices
dense = np.array([[0, 1.0, 0], [0, 0, 2.0]])
for kind in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr"):
    got = sparse(kind)
    assert scipy.sparse.issparse(got) and got.format == kind and got.nnz == 2
    np.testing.assert_array_equal(got.toarray(), dense)
assert (same(scipy.sparse.csr_matrix(dense)) != scipy.sparse.csr_matrix(dense)).nnz == 0

# %% test: values of a library inside containers
got = same({"when": datetime.date(2024, 1, 1), "parts": (Fraction(1, 2), [Decimal("1.5")])})
assert got == {"when": datetime.date(2024, 1, 1), "parts": (Fraction(1, 2), [Decimal("1.5")])}

# %% test: wrong answer
assert add(1, 1) == Fraction(5, 2)
