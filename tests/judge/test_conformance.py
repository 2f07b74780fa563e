"""Each idiom once as stock nbgrader runs it, and once under the judge: the same points.

The idioms of `idioms/courses_*.py` are those that hidden tests of public courses use. They run with
a wrong solution, too.
"""

import ast
import functools

import pytest

from tests.judge.cells import HERE, earned, read_cells
from tests.judge.pair import notebook, solution_region

GROUPS = {path.stem: read_cells(path) for path in sorted((HERE / "idioms").glob("*.py"))}
IDIOMS = [(g, name) for g, cells in GROUPS.items() for role, name, _ in cells if role == "test"]

# Every other idiom earns its two points.
POINTS = {
    "no credit": 0,
    "wrong answer": 0,
    "raises": 0,
    "name error": 0,
    "partial credit": 1.5,
    "partial credit by numpy, whole": 1,
}


@pytest.fixture(scope="module")
def results(pair):
    @functools.cache
    def run(group):
        cells = notebook(
            *[
                (role, solution_region(source) if role == "solution" else source)
                for role, _, source in GROUPS[group]
            ]
        )
        names = [name for role, name, _ in GROUPS[group] if role == "test"]
        return {
            how: dict(zip(names, graded(getattr(pair, how)(cells)), strict=True))
            for how in ("stock", "judge")
        }

    return run


def graded(results):
    return [result for result in results if result["score"] is not None]


def why(result):
    errors = [o for o in result["outputs"] if o["output_type"] == "error"]
    return "\n".join(errors[0]["traceback"][-25:]) if errors else str(result.get("reason"))


@pytest.mark.parametrize(("group", "name"), IDIOMS)
def test_scores_as_stock_nbgrader_does(results, group, name):
    stock, judged = results(group)["stock"][name], results(group)["judge"][name]
    assert stock["score"] == POINTS.get(name, 2), why(stock)
    assert judged["score"] == stock["score"], why(judged)


class Blank(ast.NodeTransformer):
    """Lets every function of a solution return None, as one does whose student forgot `return`."""

    def visit_Return(self, node):
        return ast.copy_location(ast.Return(ast.Constant(None)), node)


@pytest.mark.parametrize("group", [group for group in GROUPS if group.startswith("courses_")])
def test_wrong_work_scores_as_stock_nbgrader_does(pair, group):
    def made(change):
        return notebook(
            *[
                (role, solution_region(change(source)) if role == "solution" else source)
                for role, _, source in GROUPS[group]
            ]
        )

    source = made(str)
    wrong = made(lambda text: ast.unparse(Blank().visit(ast.parse(text))))
    names = [name for role, name, _ in GROUPS[group] if role == "test"]
    stock, judged = (
        {name: earned(result) or 0 for name, result in zip(names, of_tests(results), strict=True)}
        for results in (pair.stock(source, wrong), pair.judge(source, wrong))
    )
    assert judged == stock
    assert list(stock.values()).count(0) > len(names) / 3


def of_tests(results):
    return [{"ended": None, **r} for r in results if (r["grade_id"] or "").startswith("test")]
