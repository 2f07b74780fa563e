"""Each idiom once as stock nbgrader runs it, and once under the judge: the same points."""

import functools

import pytest

from tests.judge.cells import HERE, read_cells
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
