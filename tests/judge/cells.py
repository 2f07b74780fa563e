"""Reads the files of idioms and attacks: cells in percent format, one idea a cell.

`# %% given`, `# %% solution` and `# %% test: name` start a cell; `# literally: %time f()` is a
line that isn't Python, or that a formatter would change.
"""

import re
from pathlib import Path

from autograder.judge.result import Ended

HERE = Path(__file__).parent


def read_cells(path):
    """The cells of a file: [(role, name, source)]."""
    parts = re.split(r"^# %% ([\w-]+)(?:: (.*))?$", path.read_text(encoding="utf-8"), flags=re.M)
    cells = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return [
        (role, name, re.sub(r"^# literally: ", "", source, flags=re.M).strip())
        for role, name, source in cells
    ]


def earned(result):
    """The points of a test; none while a person must look because the judge refused its idiom."""
    return 0 if result["ended"] == Ended.REFUSED else result["score"]
