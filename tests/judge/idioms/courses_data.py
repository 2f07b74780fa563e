# ruff: noqa
# Idioms seen in public courses of data science: frames, databases, statistics, plots, graphs.

# %% given
import csv
import hashlib
import io
import json
import sqlite3
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import interpolate, optimize, stats

cnx = sqlite3.connect(":memory:")
cnx.executescript(
    "create table mon (id int, name text, kg real);"
    "insert into mon values (1, 'ivy', 3.5), (2, 'ash', 1.5), (3, 'oak', 1.0);"
)
people = pd.DataFrame({"name": ["Ann", "Bob", "Cy"], "age": [30, 41, 29], "town": ["x", "y", "x"]})

# %% solution
query = "select name, kg from mon where kg > 1.2"
towns = people.groupby("town")
ages = people.set_index("name")["age"]
oldest = people.loc[people.age.idxmax(), "name"]
mean_age = people.age.mean()
over = people["age"] > 29
path = "people.csv"
people.to_csv(path, index=False)
table = people.groupby("town", as_index=False).agg(mean=("age", "mean"), n=("age", "size"))
G = nx.Graph()
G.add_nodes_from([(1, {"layer": 0}), (2, {"layer": 1}), (3, {"layer": 1})])
G.add_weighted_edges_from([(1, 2, 1.5), (2, 3, 2.0)])


def by_town(df):
    return {town: part for town, part in df.groupby("town")}


def grown(df, years=1):
    df = df.copy()
    df["age"] += years
    return df


def t_test(a, b):
    return stats.ttest_ind(a, b)


def line(x, y):
    return stats.linregress(x, y)


def lowest(f, start):
    return optimize.minimize(f, start)


def bell(mean):
    return stats.norm(loc=mean)


def smooth(x, y):
    return interpolate.CubicSpline(x, y)


def draw(df):
    ax = df.plot.bar(x="name", y="age", color="red", legend=False)
    ax.set_ylabel("years")
    ax.set_title("Ages")
    return ax


def grid():
    fig, axes = plt.subplots(2, 2, figsize=(6, 4))
    for ax, f in zip(axes.flatten(), (np.sin, np.cos, np.tanh, np.exp)):
        ax.plot([0, 1], f([0, 1]), "g--", label=f.__name__)
        ax.set_title(f.__name__)
    fig.suptitle("Functions")
    return fig, axes


def scatter(ax, x, y):
    ax.scatter(x, y, s=9)
    ax.set_xlabel("x")
    ax.set_xticks([])
    ax.set_yscale("log")


def heat(m):
    plt.figure()
    plt.imshow(m, cmap="gray")
    plt.colorbar()
    plt.show()


def save_plot(name):
    plt.figure()
    plt.hist([1, 2, 2], bins=2)
    plt.savefig(name)


def fetch(url):
    import requests

    answer = requests.get(url, timeout=3)
    answer.raise_for_status()
    return pd.DataFrame(answer.json()["rows"])


def read(path):
    return pd.read_csv(path)


def clean(texts):
    return pd.Series(texts).str.strip().str.lower()


def parse(days):
    return pd.to_datetime(pd.Series(days))


def read_rows(file):
    return list(csv.reader(file))


def load(file):
    return json.load(file)


def lines(file):
    return [line.strip() for line in file], file.read()


def put(file):
    file.write("hello")
    print("!", file=file)


# %% test: a query by the connection of the notebook
got = pd.read_sql(query, cnx)
assert list(got.columns) == ["name", "kg"] and got.name.tolist() == ["ivy", "ash"]
assert len(pd.read_sql(query, cnx)) == 2

# %% test: the connection itself
rows = cnx.execute("select count(*) from mon").fetchall()
assert rows == [(3,)] and cnx.execute(query).fetchone()[0] == "ivy"
cursor = cnx.cursor()
cursor.execute(query)
assert [d[0] for d in cursor.description] == ["name", "kg"]

# %% test: pandas' read_sql_query
pd.testing.assert_frame_equal(
    pd.read_sql_query(query, cnx).sort_values("kg", ignore_index=True),
    pd.DataFrame({"name": ["ash", "ivy"], "kg": [1.5, 3.5]}),
)

# %% test: a grouping
assert isinstance(towns, pd.core.groupby.DataFrameGroupBy) and towns.ngroups == 2
assert towns.get_group("x").name.tolist() == ["Ann", "Cy"] and len(towns) == 2
assert towns["age"].mean()["y"] == 41 and towns.size().to_dict() == {"x": 2, "y": 1}
assert towns.age.max().loc["x"] == 30 and set(towns.groups) == {"x", "y"}

# %% test: the groups in a loop
assert {town: len(part) for town, part in towns} == {"x": 2, "y": 1}

# %% test: a dict of frames
got = by_town(people)
assert list(got) == ["x", "y"] and got["x"].shape == (2, 3) and got["y"].equals(people[1:2])

# %% test: the test by the type
checks = {
    pd.core.frame.DataFrame: pd.testing.assert_frame_equal,
    pd.core.series.Series: pd.testing.assert_series_equal,
    np.ndarray: np.testing.assert_array_equal,
}
for got, want in ((grown(people), people.assign(age=people.age + 1)), (ages, ages.copy())):
    kind = type(got)
    assert kind in checks.keys()
    checks[kind](got, want)
assert type(table) == pd.DataFrame and type(ages) is pd.Series

# %% test: check_like, any order of columns
pd.testing.assert_frame_equal(table, table[["n", "town", "mean"]], check_like=True)
pd.testing.assert_frame_equal(table, table.astype({"n": float}), check_dtype=False)
with pytest.raises(AssertionError):
    pd.testing.assert_frame_equal(table, table.assign(n=0))

# %% test: the frame as it was
before = people.copy()
grown(people, years=5)
assert before.equals(people) and (before == people).all().all()
assert grown(before.copy()).age.tolist() == [31, 42, 30]

# %% test: numbers of pandas
assert isinstance(mean_age, float) and abs(mean_age - 100 / 3) < 1e-9
assert isinstance(ages["Ann"], (int, np.integer)) and mean_age == pytest.approx(33.3, abs=0.1)
assert oldest == "Bob" and isinstance(oldest, str)

# %% test: a mask
assert over.dtype == bool and over.any() and not over.all() and over.sum() == 2
assert (over == (people.age > 29)).all() and people[over].shape[0] == 2
assert people[over & (people.town == "y")].name.item() == "Bob"

# %% test: an index of names
assert "Ann" in ages.index and ages.index.name == "name" and ages.name == "age"
assert ages.sort_values().index[0] == "Cy" and ages.idxmax() == "Bob" and ages.iloc[-1] == 29

# %% test: dtypes by name and by function
assert table["mean"].dtype == "float64" and table.dtypes["n"] in ("int64", int)
assert pd.api.types.is_numeric_dtype(table.n) and not pd.api.types.is_numeric_dtype(table.town)
assert people.select_dtypes("number").columns.tolist() == ["age"]
assert not people.isnull().values.any() and people.isna().sum().sum() == 0

# %% test: records and lists of a frame
assert table.to_dict("records")[0] == {"town": "x", "mean": 29.5, "n": 2}
assert people.values.tolist()[0] == ["Ann", 30, "x"] and people.columns.tolist()[0] == "name"
assert set(people["town"].unique()) == {"x", "y"} and people.town.nunique() == 2
assert people.town.value_counts().to_dict() == {"x": 2, "y": 1}

# %% test: a hash of a frame
want = pd.DataFrame({"name": ["Ann", "Bob", "Cy"], "age": [31, 42, 30], "town": ["x", "y", "x"]})
digest = lambda df: hashlib.sha256(pd.util.hash_pandas_object(df, index=True).values).hexdigest()
assert digest(grown(people)) == digest(want) != digest(people)
assert hashlib.md5(str(table.shape).encode()).hexdigest() == hashlib.md5(b"(2, 3)").hexdigest()
assert (
    hashlib.md5(grown(people).to_csv().encode()).digest()
    == hashlib.md5(want.to_csv().encode()).digest()
)

# %% test: a file that the student's cell wrote
assert Path(path).exists() and pd.read_csv(path).equals(people)
assert pd.read_csv("people.csv").shape == (3, 3)

# %% test: a file that the test writes for the student
pd.DataFrame({"a": [1, 2]}).to_csv("given.csv", index=False)
assert read("given.csv").a.tolist() == [1, 2]
from io import StringIO

assert read(StringIO("a,b\n1,2\n")).b.tolist() == [2]

# %% test: texts and days
pd.testing.assert_series_equal(clean([" A ", "b"]), pd.Series(["a", "b"]))
days = parse(["2024-02-29", "2024-03-01"])
assert days.dt.month.tolist() == [2, 3] and pd.api.types.is_datetime64_any_dtype(days)
assert (days[1] - days[0]).days == 1 and days.max() == pd.Timestamp("2024-03-01")

# %% test: the result of a t test
a, b = [1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 6.0]
res = t_test(a, b)
want = stats.ttest_ind(a, b)
assert res.pvalue == want.pvalue and np.isclose(res.statistic, want[0]) and res[1] == want[1]
t, p = t_test(a, b)
assert np.allclose([t, p], want) and 0 < p < 1

# %% test: the result of a regression
res = line([0, 1, 2], [1, 3, 5])
assert np.isclose(res.slope, 2) and np.isclose(res.intercept, 1) and res.rvalue > 0.99
assert np.isclose(res[0], 2) and len(res) == 5

# %% test: the result of an optimiser
res = lowest(lambda x: (x[0] - 3) ** 2 + 1, [0.0])
assert res.success and np.allclose(res.x, 3, atol=1e-3) and abs(res.fun - 1) < 1e-6
assert res["x"].shape == (1,) and "nfev" in res and isinstance(res, optimize.OptimizeResult)

# %% test: a distribution
rv = bell(2)
assert rv.mean() == 2 and np.isclose(rv.cdf(2), 0.5) and rv.std() == 1
assert np.allclose(rv.pdf([1, 3]), stats.norm.pdf([1, 3], loc=2))

# %% test: a spline
s = smooth([0, 1, 2, 3], [0, 1, 8, 27])
assert (
    np.isclose(s(1.5), 1.5**3) and np.allclose(s([0, 1]), [0, 1]) and s(2, 1) == pytest.approx(12)
)
assert callable(s) and isinstance(s, interpolate.CubicSpline)

# %% test: a graph
assert G.number_of_nodes() == 3 and G.number_of_edges() == 2 and G.has_edge(1, 2)
assert [n for n, d in G.nodes(data=True) if d.get("layer") == 1] == [2, 3]
assert list(G.nodes) == [1, 2, 3] and set(G.edges()) == {(1, 2), (2, 3)}
assert G[1][2]["weight"] == 1.5 and dict(G.degree()) == {1: 1, 2: 2, 3: 1}

# %% test: what networkx says of a graph
assert isinstance(G, nx.Graph) and nx.is_connected(G) and nx.is_tree(G)
assert nx.shortest_path(G, 1, 3) == [1, 2, 3]
assert nx.shortest_path_length(G, 1, 3, weight="weight") == 3.5
assert nx.is_isomorphic(G, nx.path_graph(3)) and nx.density(G) > 0.6

# %% test: an axes of a bar chart
plt.close("all")
ax = draw(people)
assert isinstance(ax, matplotlib.axes.Axes) and ax.get_title() == "Ages"
assert [p.get_height() for p in ax.patches] == [30, 41, 29] and ax.get_ylabel() == "years"
assert matplotlib.colors.to_hex(ax.patches[0].get_facecolor()) == "#ff0000"
assert [t.get_text() for t in ax.get_xticklabels()] == ["Ann", "Bob", "Cy"]
assert ax.get_legend() is None and ax.figure is plt.gcf()

# %% test: a figure with several axes
fig, axes = grid()
assert axes.shape == (2, 2) and axes[0, 1].get_title() == "cos" and len(axes.flatten()) == 4
assert len(fig.get_axes()) == 4 and tuple(fig.get_size_inches()) == (6, 4)
for ax in axes.flatten():
    assert len(ax.get_lines()) > 0 and ax.get_title() != ""
assert axes[1, 0].lines[0].get_color() == "g" and axes[0][0].lines[0].get_linestyle() == "--"
assert fig._suptitle.get_text() == "Functions" and isinstance(fig, plt.Figure)

# %% test: the student draws into the test's axes
figure, ax = plt.subplots()
scatter(ax, [1, 2], [3, 4])
assert ax.get_xlabel() == "x" and len(ax.collections) == 1 and ax.get_yscale() == "log"
assert ax.collections[0].get_offsets().tolist() == [[1, 3], [2, 4]]
np.testing.assert_array_equal(ax.get_xticks(), [])
plt.close(figure)

# %% test: show and imshow
from unittest.mock import patch

with patch("matplotlib.pyplot.show") as show:
    heat(np.eye(2))
show.assert_called_once()
image = plt.gca().images[0] if plt.gca().images else plt.gcf().axes[0].images[0]
assert image.get_array().tolist() == [[1, 0], [0, 1]] and image.get_cmap().name == "gray"
assert len(plt.gcf().axes) == 2

# %% test: the calls of plot
with patch("matplotlib.pyplot.hist") as hist, patch("matplotlib.pyplot.savefig") as saved:
    save_plot("h.png")
assert list(hist.call_args[0][0]) == [1, 2, 2] and hist.call_args.kwargs["bins"] == 2
saved.assert_called_once_with("h.png")

# %% test: a picture in a file
save_plot("h.png")
assert Path("h.png").exists() and plt.imread("h.png").ndim == 3
from PIL import Image

assert Image.open("h.png").size[0] > 100 and Path("h.png").stat().st_size > 1000

# %% test: a page that isn't fetched
from unittest.mock import MagicMock

answer = MagicMock()
answer.json.return_value = {"rows": [{"a": 1}, {"a": 2}]}
with patch("requests.get", return_value=answer) as get:
    assert fetch("https://example.org/x").a.tolist() == [1, 2]
get.assert_called_once_with("https://example.org/x", timeout=3)
answer.raise_for_status.assert_called_once()


# %% test: a page by classes of the test's own
class Page:
    status_code = 200

    def raise_for_status(self):
        pass

    def json(self):
        return {"rows": [{"b": 5}]}


with patch("requests.get", lambda url, **_: Page()):
    assert fetch("x").b.tolist() == [5]

# %% test: loop over rows
for row in table.itertuples():
    assert row.n >= 1 and row.town in "xy"
assert [r["town"] for _, r in table.iterrows()] == ["x", "y"]
assert table.set_index("town").loc["x", "mean"] == 29.5 and table.iloc[0]["n"] == 2

# %% test: streams of the test's go in
assert read_rows(io.StringIO("a,b\n1,2\n")) == [["a", "b"], ["1", "2"]]
assert load(io.StringIO("[1]")) == [1] and lines(io.StringIO("a\nb\n")) == (["a", "b"], "")
assert lines(io.BytesIO(b"a\nb\n")) == ([b"a", b"b"], b"")
out = io.StringIO()
put(out)
assert out.getvalue() == "hello!\n"

# %% test: an open file of the test's goes in
with open("x.csv", "w") as f:
    f.write("a,b\n1,2\n")
with open("x.csv") as f:
    assert read_rows(f)[1] == ["1", "2"]
with open("x.csv") as f:
    assert read(f).b.tolist() == [2]

# %% test: nodes in a graph
assert 1 in G and 7 not in G
