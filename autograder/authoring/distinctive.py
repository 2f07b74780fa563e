"""Which lines of a solution or a hidden test would tell a reader something.

A single line such as `return sum(x) / len(x)` is in a thousand programs: that a student sees it in
a helper file gives nothing away. A line tells something if it has rare words, that is, words that
are neither Python's nor those which every program of the field uses. Several lines of a solution
together tell something, too.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Sequence

# A shorter line ("return images", "else:") gives nothing away, and may well occur in other places.
MIN_LENGTH = 16
RARE_WORDS = 3  # this many make a line distinctive, in a long line one less
LONG = 8  # words
# As many lines in a row are distinctive together if they have at least this many rare words.
TOGETHER = {3: RARE_WORDS, 4: 1, 5: 0}
# These lines give nothing away: a line that opens a bracket or a block (its content is in the lines
# after it), an import, the number of an option, and the markers of regions.
SAYS_NOTHING = re.compile(
    r".*[(\[{]|@.*|(async |class|def|if|elif|for|while|with|try|except|match|case)\b.*:|"
    r"(from [\w.]+ )?import .*|answer: [\[\d, \]]+|### (BEGIN|END) .*"
)
_TOKEN = re.compile(r"[^\W\d]\w*|\d[\w.]*")
_STRING = re.compile(r"'[^']*'|\"[^\"]*\"")
# What programs of the field have in common, besides Python's own words.
_COMMON = {
    *keyword.kwlist, *keyword.softkwlist, *dir(builtins), *dir(str), *dir(list),
    # names of arguments, variables and attributes
    "self", "cls", "args", "kwargs", "name", "value", "values", "item", "items", "data", "index",
    "text", "line", "lines", "path", "file", "key", "keys", "result", "results", "total", "number",
    "main",
    # libraries and their usual functions
    "np", "pd", "plt", "torch", "nn", "df", "ax", "fig", "array", "zeros", "ones", "arange", "mean",
    "std", "sqrt", "dim", "axis", "dtype", "float32", "astype", "numpy", "tensor", "detach",
    "device", "read_csv", "head", "show", "plot", "figure", "Module", "Linear",
    # a training
    "model", "network", "net", "layer", "loss", "loss_fn", "criterion", "optimizer", "zero_grad",
    "backward", "no_grad", "requires_grad_", "train", "forward", "parameters", "Dropout",
    "manual_seed", "Generator", "generator", "seed", "default_rng", "rng", "epoch", "batch",
    "kind", "got",
    # methods of dicts, sets and files
    "add", "get", "update", "read", "write", "close", "readlines",
    # English
    "the", "and", "with", "that", "this", "from", "its", "are", "of",
}  # fmt: skip


def distinctive(text: str, *, hidden_test: bool = False) -> Iterator[str]:
    """The parts of a secret text that tell something, each as a single line.

    Args:
        text: a region of a cell, a whole cell, or a file.
        hidden_test: whether it is a hidden test. Each of its assertions is a secret, also one that
            has common words only.

    Yields:
        Distinctive lines; then lines that are distinctive together.
    """
    lines = [line for raw in text.splitlines() if (line := one_line(raw))]
    lines = [line for line in lines if not line.startswith("### ")]
    for line in lines:
        if len(line) >= MIN_LENGTH and not SAYS_NOTHING.fullmatch(line):
            asserts = hidden_test and line.startswith("assert ")
            if asserts or _rareness(line) >= RARE_WORDS:
                yield line
    yield from _together(lines)


def one_line(text: str) -> str:
    """The text with a single space for each white space, line breaks included."""
    return " ".join(text.split())


def _together(lines: Sequence[str]) -> Iterator[str]:
    """Lines in a row of which none is distinctive, but all together are; the shortest such group.

    A group of lines that begins where a shorter group begins is left out.
    """
    for first in range(len(lines)):
        for count, least in TOGETHER.items():
            group = lines[first : first + count]
            if len(group) < count or any(_rareness(line) >= RARE_WORDS for line in group):
                break
            if _rareness(" ".join(group)) >= least:
                yield " ".join(group)
                break


def _rareness(line: str) -> int:
    """How many words of a line are rare; a long number or a sentence counts as several."""
    words = {word for word in _TOKEN.findall(line) if word not in _COMMON}
    sentences = sum(len(string.split()) >= 3 for string in _STRING.findall(line))
    rare = sentences + sum(map(_weight, words))
    return rare + (rare > 1 and len(_TOKEN.findall(line)) >= LONG)


def _weight(word: str) -> int:
    if word[0].isdigit():
        digits = len(word.replace(".", "").strip("0"))
        return 0 if digits < 3 else 1 if digits < 6 else RARE_WORDS
    if len(word) == 1 or word.startswith("__"):
        return 0
    return 1 if len(word) < 12 else 2 if len(word) < 20 else RARE_WORDS
