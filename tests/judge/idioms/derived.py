# ruff: noqa
# Classes of a test's own that derive from the student's.

# %% given
import abc

import pytest
import torch
from torch import nn

# %% solution
from abc import ABC, abstractmethod


class Shape(ABC):
    unit = "cm"

    def __init__(self, name="shape"):
        self.name = name

    @abstractmethod
    def area(self): ...

    def describe(self):
        return f"{self.name}: {self.area():.1f} {self.unit}"

    @property
    def doubled(self):
        return 2 * self.area()

    @classmethod
    def make(cls, *args):
        return cls(*args)

    def __len__(self):
        return 4


class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layer = nn.Linear(n, 1)

    def forward(self, x):
        return self.layer(x)


class Counter:
    def __init__(self):
        self.seen = []

    def run(self, items):
        for item in items:
            self.on_item(item)
        return self.seen

    def on_item(self, item):
        self.seen.append(item)


def total_area(shapes):
    return sum(s.area() for s in shapes)


# %% test: an abstract class to implement
class Square(Shape):
    def __init__(self, side):
        super().__init__("square")
        self.side = side

    def area(self):
        return self.side**2


square = Square(3)
assert square.area() == 9 and square.describe() == "square: 9.0 cm" and square.doubled == 18
assert square.name == "square" and square.side == 3 and len(square) == 4

# %% test: it is one of the student's
assert isinstance(square, Shape) and isinstance(square, Square) and issubclass(Square, Shape)
assert type(square) is Square and type(square).__name__ == "Square"

# %% test: passed to the student's code
assert total_area([Square(1), Square(2)]) == 5
assert Square.make(4).area() == 16


# %% test: an abstract class stays abstract
class Lazy(Shape):
    pass


with pytest.raises(TypeError):
    Lazy()
with pytest.raises(TypeError):
    Shape()


# %% test: a method that calls the student's
class Loud(Counter):
    def on_item(self, item):
        super().on_item(item * 10)
        self.last = item


loud = Loud()
assert loud.run([1, 2]) == [10, 20] and loud.last == 2 and loud.seen == [10, 20]

# %% test: the hooks of the student's class are called, with the test's own records
calls = []


class Spy(Counter):
    def on_item(self, item):
        calls.append(item)


assert Spy().run("ab") == [] and calls == ["a", "b"]


# %% test: derived twice, with a mixin
class Shout:
    def describe(self):
        return super().describe().upper()


class LoudSquare(Shout, Square):
    unit = "mm"


assert LoudSquare(2).describe() == "SQUARE: 4.0 MM"


# %% test: a student's module
class Twice(Net):
    def forward(self, x):
        return 2 * super().forward(x)


torch.manual_seed(0)
twice = Twice(3)
x = torch.ones(2, 3)
assert torch.allclose(twice(x), 2 * twice.layer(x)) and isinstance(twice, nn.Module)
assert sum(p.numel() for p in twice.parameters()) == 4


# %% test: a property and a class method of the test's
class Fixed(Shape):
    made = 0

    @property
    def side(self):
        return 5

    @classmethod
    def one(cls):
        return cls("one")

    @staticmethod
    def about():
        return "fixed"

    @classmethod
    def make(cls, *args):
        return super().make("made", *args)

    def area(self):
        return self.side


assert Fixed.make().describe() == "made: 5.0 cm"
assert Fixed.one().describe() == "one: 5.0 cm" and Fixed("x").about() == "fixed"


# %% test: an exception in a method of the test's
class Broken(Shape):
    def area(self):
        raise KeyError("area")


with pytest.raises(KeyError):
    Broken().describe()
assert square.describe() == "square: 9.0 cm"
