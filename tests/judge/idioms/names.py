# ruff: noqa
# Names that a test and a later cell of the student's both bind.

# %% given
import math


# %% solution
def twice(x):
    return 2 * x


# %% test: a name that the student binds later
result = twice(4)
assert result == 8

# %% solution
result = 99


def helper(x):
    return x + 1


# %% test: from there on the student's is meant
assert result == 99 and helper(1) == 2

# %% test: a test binds it once more
result = 5
helper = lambda x: x
assert result == 5 and helper(1) == 1

# %% test: and the next test sees that
assert result == 5 and helper(1) == 1


# %% solution
def helper(x):
    return x + result


# %% test: the last cell that binds a name decides
assert helper(1) == 6


# %% test: a helper of the test's own stays
def close(a, b):
    return abs(a - b) < 1e-9


assert close(twice(0.1), 0.2)

# %% solution
total = twice(3)

# %% test: it is there in the next test
assert close(total, 6)
