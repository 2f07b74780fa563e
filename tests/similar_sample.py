"""A small assignment, five independent solutions of it, and a disguised copy of one of them."""

from __future__ import annotations

from textwrap import dedent

NAME = "series"

TEXT = dedent('''\
    # %% [markdown] given="intro"
    # # Series

    # %% given="imports"
    import math

    # %% given="example"
    def spread(values):
        """Largest minus smallest, as an example of a loop."""
        smallest, largest = math.inf, -math.inf
        for value in values:
            if value < smallest:
                smallest = value
            if value > largest:
                largest = value
        return largest - smallest

    # %% solution="smooth"
    def smooth(values, width):
        """The mean of each window of `width` neighbours, from the first full window on."""
        ### BEGIN SOLUTION
        return [sum(values[i : i + width]) / width for i in range(len(values) - width + 1)]
        ### END SOLUTION

    # %% test="test_smooth" points=1
    assert smooth([1, 2, 3], 2) == [1.5, 2.5]

    # %% solution="runs"
    def runs(values):
        """Pairs of a value and how often it follows itself, in order."""
        ### BEGIN SOLUTION
        from itertools import groupby

        return [(value, len(list(group))) for value, group in groupby(values)]
        ### END SOLUTION

    # %% test="test_runs" points=1
    assert runs("aab") == [("a", 2), ("b", 1)]

    # %% solution="peaks"
    def peaks(values):
        """The places of values that are larger than both neighbours."""
        ### BEGIN SOLUTION
        middle = range(1, len(values) - 1)
        return [i for i in middle if values[i - 1] < values[i] > values[i + 1]]
        ### END SOLUTION

    # %% test="test_peaks" points=1
    assert peaks([1, 3, 2]) == [1]
    ''')

INDEPENDENT: dict[str, dict[str, str]] = {
    "ada": {
        "smooth": """\
def smooth(values, width):
    out = []
    total = 0
    for i, value in enumerate(values):
        total += value
        if i >= width:
            total -= values[i - width]
        if i >= width - 1:
            out.append(total / width)
    return out""",
        "runs": """\
def runs(values):
    result = []
    for value in values:
        if result and result[-1][0] == value:
            result[-1] = (value, result[-1][1] + 1)
        else:
            result.append((value, 1))
    return result""",
        "peaks": """\
def peaks(values):
    places = []
    for i in range(1, len(values) - 1):
        left, here, right = values[i - 1 : i + 2]
        if here > left and here > right:
            places.append(i)
    return places""",
    },
    "emmy": {
        "smooth": """\
def smooth(values, width):
    # all windows side by side
    windows = zip(*(values[start:] for start in range(width)))
    return [sum(window) / width for window in windows]""",
        "runs": """\
def runs(values):
    from itertools import groupby
    return [(key, sum(1 for _ in same)) for key, same in groupby(values)]""",
        "peaks": """\
def peaks(values):
    triples = zip(values, values[1:], values[2:])
    return [at + 1 for at, (a, b, c) in enumerate(triples) if a < b > c]""",
    },
    "grace": {
        "smooth": """\
def smooth(values, width):
    import numpy as np
    kernel = np.ones(width) / width
    return np.convolve(values, kernel, mode="valid").tolist()""",
        "runs": """\
def runs(values):
    if not len(values):
        return []
    found, before, count = [], values[0], 0
    for one in values:
        if one != before:
            found.append((before, count))
            before, count = one, 0
        count += 1
    found.append((before, count))
    return found""",
        "peaks": """\
def peaks(values):
    import numpy as np
    rises = np.diff(values)
    return [int(k) + 1 for k in np.flatnonzero((rises[:-1] > 0) & (rises[1:] < 0))]""",
    },
    "kay": {
        "smooth": """\
def smooth(values, width):
    sums = [0]
    for v in values:
        sums.append(sums[-1] + v)
    return [(sums[j] - sums[j - width]) / width for j in range(width, len(sums))]""",
        "runs": """\
def runs(values):
    answer = []
    start = 0
    while start < len(values):
        end = start
        while end < len(values) and values[end] == values[start]:
            end += 1
        answer.append((values[start], end - start))
        start = end
    return answer""",
        "peaks": """\
def peaks(values):
    def is_peak(k):
        return values[k] > max(values[k - 1], values[k + 1])

    return list(filter(is_peak, range(1, len(values) - 1)))""",
    },
    "tove": {
        "smooth": """\
def smooth(values, width):
    n = len(values) - width + 1
    means = [0.0] * n
    for k in range(n):
        for j in range(width):
            means[k] += values[k + j]
        means[k] /= width
    return means""",
        "runs": """\
def runs(values):
    lengths = []
    last = object()
    for item in values:
        if item == last:
            lengths[-1] += 1
        else:
            lengths.append(1)
        last = item
    heads = [x for k, x in enumerate(values) if k == 0 or values[k - 1] != x]
    return list(zip(heads, lengths))""",
        "peaks": """\
def peaks(values):
    k, tops = 1, []
    while k + 1 < len(values):
        if values[k] > values[k - 1]:
            if values[k] > values[k + 1]:
                tops.append(k)
        k += 1
    return tops""",
    },
}

# All of kay's, with other names, comments, line breaks and literals, and two functions in the cell
# of another; nothing is left in the cell that they came from.
COPY: dict[str, str] = {
    "smooth": '''\
# my own idea: look at neighbours first
def peaks(series):
    def larger(position):
        return series[position] > max(
            series[position - 1],
            series[position + 1])

    return list(filter(larger, range(1, len(series) - 1)))

def smooth(series, size):
    """Uses cumulative sums."""
    cumulative = [0.0]  # starts empty
    for element in series:
        cumulative.append(cumulative[-1] + element)
    return [
        (cumulative[m] - cumulative[m - size]) / size for m in range(size, len(cumulative))
    ]''',
    "runs": """\
def runs(series):
    collected = []
    first = int("0")
    while first < len(series):
        # go on as long as it is the same
        stop = first
        while stop < len(series) and series[stop] == series[first]:
            stop += 1
        collected.append((series[first], stop - first))
        first = stop
    return collected""",
    "peaks": "# see above",
}
