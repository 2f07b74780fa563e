# ruff: noqa
# %% given
import dataclasses
import enum
import functools
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np


@dataclass
class Given:
    x: int
    tags: list = field(default_factory=list)


class Shelf:
    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __eq__(self, other):
        return self.items == other.items


# %% solution
@dataclass
class Pt:
    x: int
    y: int = 0

    def moved(self, dx):
        return Pt(self.x + dx, self.y)


@dataclass(order=True, frozen=True)
class Version:
    major: int
    minor: int = 0
    note: str = field(default="", compare=False)


@dataclass
class Line:
    start: Pt
    end: Pt
    name: str = ""


class Vec:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vec(self.x + other.x, self.y + other.y)

    def __mul__(self, k):
        return Vec(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __neg__(self):
        return Vec(-self.x, -self.y)

    def __eq__(self, other):
        if not isinstance(other, Vec):
            return NotImplemented
        return (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __bool__(self):
        return bool(self.x or self.y)


@functools.total_ordering
class Card:
    def __init__(self, rank):
        self.rank = rank

    def __eq__(self, other):
        return self.rank == other.rank

    def __lt__(self, other):
        return self.rank < other.rank


class Node:
    def __init__(self, value, next=None):
        self.value, self.next = value, next


class LinkedList:
    def __init__(self, *values):
        self.head = None
        for value in reversed(values):
            self.head = Node(value, self.head)

    def find(self, value):
        node = self.head
        while node and node.value != value:
            node = node.next
        return node


class Stack(list):
    def push(self, item):
        self.append(item)

    def peek(self):
        return self[-1]


class Basket:
    def __init__(self, *items):
        self.items = list(items)

    def __len__(self):
        return len(self.items)

    def __contains__(self, item):
        return item in self.items


class Celsius(float):
    def fahrenheit(self):
        return self * 9 / 5 + 32


class Name(str):
    def initials(self):
        return "".join(part[0] for part in self.split())


class Counts(dict):
    def add(self, key):
        self[key] = self.get(key, 0) + 1


class Employee(NamedTuple):
    name: str
    pay: int = 0

    def raised(self):
        return self._replace(pay=self.pay + 1)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Suit(enum.Enum):
    HEARTS = "h"
    SPADES = "s"


class Bits(set):
    pass


class Natural(int):
    def successor(self):
        return Natural(self + 1)


def make(x):
    return Given(x)


def shelf(*items):
    return Shelf(list(items))


def visited():
    return {Vec(1, 2), Vec(1, 2), Vec(3, 4)}


def by_employee():
    return {Employee("Ann", 3): "A"}


def shift(p):
    p.x += 1


# %% test: a dataclass compared by ==
assert Pt(1) == Pt(1, 0) and Pt(1) != Pt(2) and not (Pt(1) == Pt(1, 1))
assert Pt(1).moved(2) == Pt(3) and Pt(1) != (1, 0)

# %% test: functions about a dataclass
assert dataclasses.is_dataclass(Pt) and dataclasses.asdict(Pt(1)) == {"x": 1, "y": 0}
assert [f.name for f in dataclasses.fields(Pt)] == ["x", "y"]
assert dataclasses.astuple(Pt(3, 4)) == (3, 4) and dataclasses.replace(Pt(1), y=5) == Pt(1, 5)

# %% test: the text of a dataclass
assert repr(Pt(1)) == "Pt(x=1, y=0)"

# %% test: dataclasses in dataclasses and in lists
assert Line(Pt(0), Pt(1)) == Line(Pt(0), Pt(1)) and Line(Pt(0), Pt(1)) != Line(Pt(0), Pt(2))
assert [Pt(1), Pt(2)] == [Pt(1), Pt(2)] and Pt(2) in [Pt(1), Pt(2)]
assert [Pt(1), Pt(2)].index(Pt(2)) == 1

# %% test: an ordered and frozen dataclass
assert (
    Version(1, 2) < Version(1, 3) <= Version(1, 3, "x") and max(Version(1), Version(2)).major == 2
)
assert sorted([Version(2), Version(1)])[0] == Version(1) and Version(1, 0, "a") == Version(1)
assert (
    len({Version(1), Version(1, 0), Version(2)}) == 2 and {Version(1): "one"}[Version(1)] == "one"
)
try:
    Version(1).major = 2
    assert False
except AttributeError:
    pass

# %% test: a dataclass that has no hash
try:
    {Pt(1)}
    assert False
except TypeError:
    pass

# %% test: a dataclass that a function changes
p = Pt(1)
shift(p)
assert p == Pt(2) and p.x == 2
p.y = 7
assert p == Pt(2, 7)

# %% test: a given dataclass
assert make(3) == Given(3) and Given(3) == make(3) and make(3) != Given(4)
assert make(3) == make(3) and [make(1)] == [Given(1)]

# %% test: an == of the student's own
assert Vec(1, 2) == Vec(1, 2) and Vec(1, 2) != Vec(2, 1) and Vec(1, 2) != 3
assert Vec(1, 2) + Vec(3, 4) == Vec(4, 6) and 2 * Vec(1, 2) == Vec(2, 4) == Vec(1, 2) * 2
assert -Vec(1, 2) == Vec(-1, -2) and Vec(1, 2) in [Vec(0, 0), Vec(1, 2)]

# %% test: a set of objects with an == of their own
assert len({Vec(1, 2), Vec(1, 2), Vec(2, 1)}) == 2 and len(visited()) == 2
assert Vec(3, 4) in visited() and Vec(9, 9) not in visited()

# %% test: a truth value of the student's own
assert Vec(1, 0) and not Vec(0, 0)
assert bool(Vec(0, 1)) is True

# %% test: a total ordering
assert Card(2) < Card(3) <= Card(3) and Card(4) >= Card(3) and max(Card(1), Card(9)).rank == 9
assert sorted([Card(3), Card(1)])[0].rank == 1 and Card(5) == Card(5)

# %% test: a walk over a linked list
node, values = LinkedList(1, 2, 3).head, []
while node:
    values.append(node.value)
    node = node.next
assert values == [1, 2, 3]

# %% test: an object or None
items = LinkedList(1, 2)
assert items.find(2) and not items.find(5)
if not items.find(1):
    assert False
assert (items.find(2) or items).value == 2

# %% test: truth by length
assert Basket("a") and not Basket() and "a" in Basket("a") and "b" not in Basket("a")

# %% test: truth and == of a given class
assert shelf(1) and not shelf() and shelf(1, 2) == Shelf([1, 2]) and shelf(1) != shelf(2)

# %% test: a subclass of list
s = Stack([1, 2])
assert s == [1, 2] and [1, 2] == s and s != [1] and s + [3] == [1, 2, 3] and [0] + s == [0, 1, 2]
s.push(3)
assert s == [1, 2, 3] and s.peek() == 3 and 3 in s and len(s) == 3 and s and not Stack()
assert isinstance(s, list) and s[0:2] == [1, 2] and s < [9] and s == Stack([1, 2, 3])
s += [4]
assert s == [1, 2, 3, 4] and sorted(s, reverse=True) == [4, 3, 2, 1]

# %% test: a subclass of float
t = Celsius(20)
assert t == 20 and t + 1 == 21 and 1 + t == 21 and t > 19.5 and abs(t - 20.0) < 1e-9
assert t.fahrenheit() == 68 and round(t) == 20 and -t == -20 and t and not Celsius(0)
assert {t: 1}[20.0] == 1 and sum([t, t]) == 40

# %% test: a subclass of str
n = Name("Ada Lovelace")
assert n == "Ada Lovelace" and "Ada Lovelace" == n and n + "!" == "Ada Lovelace!"
assert "Ms " + n == "Ms Ada Lovelace" and "Ada" in n and n.initials() == "AL" and len(n) == 12
assert n.upper() == "ADA LOVELACE" and n.startswith("Ada") and n < "B" and f"{n:>13}" == " " + n
assert {n: 1}["Ada Lovelace"] == 1

# %% test: a subclass of int
assert (
    Natural(3) == 3 and Natural(3).successor() == 4 and Natural(3) * 2 == 6 and 7 % Natural(4) == 3
)
assert [10, 20, 30][Natural(1)] == 20 and Natural(2) < 3 and list(range(Natural(2))) == [0, 1]

# %% test: a subclass of dict
c = Counts()
c.add("a")
c.add("a")
assert c == {"a": 2} and c["a"] == 2 and "a" in c and "b" not in c and sorted(c) == ["a"]
assert dict(c.items()) == {"a": 2} and c and not Counts()

# %% test: a subclass of set
assert (
    Bits([1, 2]) == {1, 2} and Bits([1]) | {2} == {1, 2} and Bits([1]) <= {1, 2} and 1 in Bits([1])
)
assert Bits([1]).issubset({1, 2})

# %% test: a NamedTuple with a method
e = Employee("Ann", 3)
assert (
    e == ("Ann", 3) and e.raised() == ("Ann", 4) and e == Employee("Ann", 3) and e.raised().pay == 4
)
name, pay = e
assert name == "Ann" and e[1] == 3 and len(e) == 2 and e < ("B", 0) and isinstance(e, tuple)
assert e._asdict() == {"name": "Ann", "pay": 3} and by_employee()[("Ann", 3)] == "A"

# %% test: an Enum that the student writes
assert Suit.HEARTS == Suit.HEARTS and Suit("s") is Suit.SPADES and Suit.HEARTS != Suit.SPADES
assert (
    Suit["HEARTS"].value == "h"
    and len(Suit) == 2
    and [s.name for s in Suit] == ["HEARTS", "SPADES"]
)

# %% test: an IntEnum that the student writes
assert Level.HIGH == 2 and Level.LOW < Level.HIGH and Level.HIGH + 1 == 3 and Level(1) == 1
