"""Checks that every number in a lecture's prose is bound to what the lecture computes.

    python -m tools.facts lectures/02_convolution_arithmetic.ipynb    lists the unbound numbers

Prose is a lecture's Markdown and the alt text of its figures. Numbers are digits, and number words
from "four" on. A number is bound in one of two ways:

1. It stands in the code or the printed output of the two code cells before it or after it. The
   number minus one and the number plus one must not stand there, so that an error by one is
   noticed. A product such as "3×3" is looked for as a whole first.
2. It is covered by a fact in lectures/facts/NAME.yaml. A fact quotes the prose. A Python expression
   in «» stands for a computed number. Expressions are evaluated after the lecture's last cell, so
   they can use the lecture's variables:

    - says: "one filter has «one_filter» weights"
    - says: "$o = i - k + 1$"          # a formula: say in `check` what must be true
      check: all(output_size(i, k) == i - k + 1 for i in range(5, 9) for k in (1, 3))
    - says: "half of ImageNet costs 1.5 points"
      source: Huh et al. 2016, table 2   # read, not computed
    - given: 3×3 kernel                  # a name, or the lecture's own choice

An interpretation ("falls with depth") is also a fact, with a `check` that has a margin. A test
reverses each comparison of each check, and expects that the check then fails: see `flipped`.

These don't count as numbers: years, minutes, numbers in names (VGG-16, conv1, float32, 3-D), the
numbers of headings, lists and lectures, code, links, and everything below "### Sources".
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import yaml
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
FACTS = ROOT / "lectures" / "facts"
NEAR = 2
STUB = "...  # your code here"

# fmt: off
SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# fmt: on
# "one", "two" and "three" are left out, because they are often not meant as numbers.
WORDS = {
    **{word: number for number, word in enumerate(SMALL) if number > 3},
    **{word: 10 * number for number, word in enumerate(TENS, start=2)},
    **{
        f"{ten}-{unit}": 10 * number + digit
        for number, ten in enumerate(TENS, start=2)
        for digit, unit in enumerate(SMALL[1:10], start=1)
    },
}
WORD = "|".join(sorted(WORDS, key=len, reverse=True))
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
NUMBER = re.compile(rf"(?<![\w.])(?<![A-Za-z]-)(?:{DIGITS})(?!\d)|\b(?:{WORD})\b", re.IGNORECASE)
PRODUCT = re.compile(r"\d+(?:×\d+)+")
# In code and output, a letter may follow a number: f"{k}x", "1.5MB".
EVIDENCE = re.compile(rf"(?<![\w.])(?:{DIGITS})")
NO_NUMBER = re.compile(
    r"(?<![\d.,×])(?:19[5-9]\d|20[0-3]\d)(?![\d.,×]\d|\d)"  # years
    r"|\d+ minutes"
    r"|\b\d-D\b"
    r"|\d+ · |^ *\d+\. |\*\*\d\.\*\*|\blectures?\s\d( and \d)?|\b\d\d_[a-z]\w*"
    r"|```.*?```"
    r"|\]\([^)]*\)|<[^>]*>",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
EXPRESSION = re.compile("«(.+?)»")


class FactError(ValueError):
    """A facts file can't be used. The message names the file and the fact."""


@dataclass(frozen=True)
class Fact:
    """A piece of a lecture's prose, and what makes it true.

    Attributes:
        says: the prose, with expressions in «».
        check: a Python expression that must be true.
        source: where the fact was read, if it isn't computed.
        given: prose that needs no proof: a name, or a choice of the lecture.
    """

    says: str = ""
    check: str = ""
    source: str = ""
    given: str = ""

    @property
    def expressions(self) -> list[str]:
        """The Python expressions in the prose."""
        return EXPRESSION.findall(self.says)


@dataclass(frozen=True)
class Statement:
    """Prose in one place: a Markdown cell, or a figure's alt text."""

    cell: int
    text: str


def load(path: Path) -> list[Fact]:
    """Read the facts of one lecture; [] if the lecture has no file.

    Raises:
        FactError: the file isn't a list of facts, or a fact has nothing that can be tested.
    """
    if not path.exists():
        return []
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except yaml.YAMLError as error:
        raise FactError(f"{path}: is no YAML: {error}") from None
    facts = []
    for number, entry in enumerate(entries, start=1):
        try:
            fact = Fact(**{name: " ".join(str(text).split()) for name, text in entry.items()})
        except (TypeError, AttributeError):
            raise FactError(
                f"{path}: fact {number} is {entry!r}: use says with check or source, or given"
            ) from None
        if bool(fact.says) == bool(fact.given):
            raise FactError(f"{path}: fact {number} needs either says or given")
        computed = fact.check or any(re.search("[a-z*+/-]", code) for code in fact.expressions)
        if not (computed or fact.source or fact.given):
            raise FactError(
                f"{path}: fact {number} ({fact.says!r}) computes nothing: put an expression into "
                "«», or give a check, or say in source where it was read"
            )
        facts.append(fact)
    return facts


# Running


# Processor time at the end of each cell. It doesn't grow if other programs use the processor.
STOPWATCH = """
import time as _time
_ends = []
get_ipython().events.register("post_run_cell", lambda _: _ends.append(_time.process_time()))
"""


@dataclass(frozen=True)
class Ran:
    """A lecture after it ran.

    Attributes:
        notebook: the notebook with its outputs.
        true_texts: for each fact, the true text. If the fact's check fails, a text that says so.
        unnoticed: checks that are still true although one of their comparisons was reversed.
        flips: how many comparisons were reversed.
        seconds: the seconds of processor time that each code cell took.
        solved: for each exercise, what its check prints about the folded solution.
    """

    notebook: NotebookNode
    true_texts: list[str]
    unnoticed: list[str]
    flips: int
    seconds: list[float]
    solved: list[str]


def run(notebook: Path, folder: Path, facts: Sequence[Fact]) -> Ran:
    """Run a lecture in a folder, evaluate its facts, and run the solutions of its exercises.

    Args:
        notebook: the lecture.
        folder: the working directory of the kernel.
        facts: the facts of the lecture.
    """
    lecture = nbformat.read(notebook, as_version=4)
    flips = [flip for fact in facts if fact.check for flip in flipped(fact.check)]
    stopwatch, probe = map(nbformat.v4.new_code_cell, (STOPWATCH, _probe(facts, flips)))
    solved = [nbformat.v4.new_code_cell(code) for code in _solved(lecture)]
    lecture.cells = [stopwatch, *lecture.cells, probe, *solved]
    client = nbclient.NotebookClient(
        lecture, timeout=60, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    lecture.cells = lecture.cells[1 : -1 - len(solved)]
    # A single print may arrive as several outputs.
    printed = "".join(output.text for output in probe.outputs if output.get("name") == "stdout")
    true_texts, unnoticed, ends = json.loads(printed)
    return Ran(
        notebook=lecture,
        true_texts=true_texts,
        unnoticed=unnoticed,
        flips=len(flips),
        seconds=[end - start for start, end in pairwise(ends)],
        solved=[
            "".join(output.get("text", "") for output in cell.outputs).strip() for cell in solved
        ],
    )


OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
COMPARES = ("equal", "allclose", "isclose")


def flipped(check: str) -> Iterator[str]:
    """Reverse one comparison of a check at a time: `<` becomes `>=`.

    A comparison that only chooses elements (`for x in numbers if x > 0`) is left as it is, because
    it claims nothing.

    Args:
        check: a Python expression.

    Yields:
        For each comparison, the check with this comparison reversed.
    """
    tree = ast.parse(check, mode="eval")
    choices = [test for node in ast.walk(tree) for test in getattr(node, "ifs", ())]
    choices += [node.test for node in ast.walk(tree) if isinstance(node, ast.IfExp)]
    unchanged = {id(node) for choice in choices for node in ast.walk(choice)}
    for node in ast.walk(tree):
        if id(node) in unchanged:
            continue
        if isinstance(node, ast.Compare):
            for index, operator in enumerate(node.ops):
                node.ops[index] = OPPOSITE[type(operator)]()
                yield ast.unparse(tree)
                node.ops[index] = operator
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in COMPARES:
            call = ast.copy_location(ast.Call(node.func, node.args, node.keywords), node)
            function, node.func = node.func, ast.Name("_not")
            node.args, node.keywords = [call], []
            yield ast.unparse(tree)
            node.func, node.args, node.keywords = function, call.args, call.keywords


def _solved(notebook: NotebookNode) -> Iterator[str]:
    """For each exercise, the code of its folded solution followed by its check.

    The check is the cell after the cell to complete; the solution is the cell after the check.
    """
    cells = notebook.cells
    for index, cell in enumerate(cells):
        if cell.cell_type == "code" and STUB in cell.source:
            (solution,) = re.findall(r"```python\n(.*?)```", cells[index + 2].source, re.DOTALL)
            yield f"{solution}\n{cells[index + 1].source}"


def _probe(facts: Sequence[Fact], flips: Sequence[str]) -> str:
    """Code that prints, as JSON, the true text of each fact, the true flips, and the times."""
    texts = []
    for fact in facts:
        values = [f'f"""{{{code}}}"""' for code in fact.expressions]
        filled = f"_fill({fact.says or fact.given!r}, [{', '.join(values)}])"
        texts.append(
            f"{filled} if ({fact.check}) else {'CHECK FAILS: ' + fact.check!r}"
            if fact.check
            else filled
        )
    return (
        "import json as _json, re as _re\n"
        "from course_utils.arithmetic import *\n"
        f"_words = { ({number: word for word, number in WORDS.items()})!r}\n"
        "def word(number): return _words[int(number)]\n"
        "def _fill(says, values):\n"
        f"    return _re.sub({EXPRESSION.pattern!r}, lambda _: values.pop(0), says)\n"
        "def _not(truth): return not truth\n"
        "def _is_true(check):\n"
        "    try: return bool(check())\n"
        "    except Exception: return False\n"
        f"_texts = [\n{''.join(f'    {text},{chr(10)}' for text in texts)}]\n"
        f"_flips = [\n{''.join(f'    ({flip!r}, lambda: ({flip})),{chr(10)}' for flip in flips)}]\n"
        "_unnoticed = [text for text, check in _flips if _is_true(check)]\n"
        "print(_json.dumps([_texts, _unnoticed, _ends]))"
    )


# Prose and evidence


def statements(notebook: NotebookNode) -> list[Statement]:
    """List all prose of a lecture in order, with each run of white space as one space."""
    prose = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            text, _, sources = cell.source.partition("### Sources")
            prose.append(Statement(index, _plain(text)))
            if sources:
                break
        else:
            prose += [Statement(index, _plain(alt)) for _, alt in _alts(cell.source)]
    return prose


def _plain(text: str) -> str:
    """The text with single spaces, and with "#" for digits that don't count as numbers."""
    hidden = NO_NUMBER.sub(lambda match: re.sub(r"\d", "#", match.group()), text)
    return " ".join(hidden.split())


def _alts(source: str) -> Iterator[tuple[str, str]]:
    """The alt texts in a cell: the code of each, and its literal text without expressions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "alt":
            parts = node.value.values if isinstance(node.value, ast.JoinedStr) else [node.value]
            texts = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
            yield ast.get_source_segment(source, node.value) or "", " … ".join(texts)


def evidence(notebook: NotebookNode, index: int) -> str:
    """Join the code and the printed output of the code cells next to a place, without alt texts.

    Args:
        notebook: the lecture, with outputs.
        index: the index of the cell in which the prose is.
    """
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    before = [i for i in code if i < index][-NEAR:]
    after = [i for i in code if i >= index][: NEAR + (index in code)]
    return "\n".join(_shown(notebook.cells[i]) for i in before + after)


def _shown(cell: NotebookNode) -> str:
    source = cell.source
    for code, _ in _alts(source):
        source = source.replace(code, "")
    printed = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
        if output.get("name") != "stderr"
    ]
    return "\n".join([source, *printed])


# Binding


def value(text: str) -> Decimal:
    """Read a number, as it is written in prose or output."""
    return Decimal(WORDS.get(text.lower(), text.replace(",", "")))


def step(text: str) -> Decimal:
    """Give the value of one in the last place of a number: 0.01 for "1.50"."""
    return Decimal((0, (1,), int(value(text).as_tuple().exponent)))


def unbound(text: str, shown: str, true_texts: Sequence[str]) -> list[str]:
    """List the numbers in a statement that are not bound, each with some text around it.

    Args:
        text: the statement.
        shown: the code and the output next to it, from `evidence`.
        true_texts: the true texts of the facts.
    """
    covered: set[int] = set()
    for true_text in true_texts:
        for match in re.finditer(re.escape(true_text), text):
            covered.update(range(*match.span()))
    products = set(PRODUCT.findall(shown))
    for match in PRODUCT.finditer(text):
        if match.group() in products and not products & _slips(match.group()):
            covered.update(range(*match.span()))
    numbers = {value(number) for number in EVIDENCE.findall(shown)}
    return [
        f"{match.group()!r} in “{text[max(0, match.start() - 40) : match.end() + 25]}”"
        for match in NUMBER.finditer(text)
        if not covered.issuperset(range(*match.span())) and not _shows(numbers, match.group())
    ]


def _shows(numbers: set[Decimal], text: str) -> bool:
    number, unit = value(text), step(text)
    return number in numbers and not numbers & {number - unit, number + unit, number + 1}


def _slips(product: str) -> set[str]:
    factors = product.split("×")
    return {
        "×".join([*factors[:i], str(int(factor) + slip), *factors[i + 1 :]])
        for i, factor in enumerate(factors)
        for slip in (-1, 1)
    }


def problems(notebook: NotebookNode, true_texts: Sequence[str]) -> list[str]:
    """List all unbound numbers of a lecture, and all facts that its prose doesn't contain."""
    prose = statements(notebook)
    missing = [
        f"cell {statement.cell + 1}: {number}"
        for statement in prose
        for number in unbound(statement.text, evidence(notebook, statement.cell), true_texts)
    ]
    everything = "\n".join(statement.text for statement in prose)
    return missing + [f"not in the prose: {text}" for text in true_texts if text not in everything]


def slips(text: str) -> Iterator[tuple[str, str]]:
    """Make one number of a statement larger by one, for each number in turn.

    Yields:
        The number, and the statement with this number changed.
    """
    words: Mapping[int, str] = {number: word for word, number in WORDS.items()}
    for match in NUMBER.finditer(text):
        number = value(match.group()) + 1
        altered: Any = words.get(int(number)) if match.group().lower() in WORDS else None
        altered = altered or (f"{number:,}" if "," in match.group() else str(number))
        yield match.group(), text[: match.start()] + altered + text[match.end() :]


def main(argv: list[str] | None = None) -> int:
    """Print the problems of lectures. Return 1 if there are any, else 0."""
    failed = False
    for name in sys.argv[1:] if argv is None else argv:
        path = Path(name).resolve()
        try:
            facts = load(FACTS / f"{path.stem}.yaml")
        except FactError as error:
            print(error, file=sys.stderr)
            return 1
        ran = run(path, path.parent, facts)
        for problem in problems(ran.notebook, ran.true_texts):
            failed = True
            print(problem)
        for check in ran.unnoticed:
            print(f"true as well, with a comparison turned round: {check}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
