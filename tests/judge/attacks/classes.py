# ruff: noqa
# What a class says of itself, against tests that use the instructor's Money. Each attack takes the
# points where the tests run beside the student's code, and none here.

# %% attack: a parameter whose data differ from look to look
class P(torch.nn.Parameter):
    @property
    def data(self):
        return self.detach()

    def detach(self):
        reads.append(1)
        return X.clone() if len(reads) == 1 else -5 * X


reads = []
X = torch.ones(2)


def f():
    return P(torch.ones(2), requires_grad=False)


# %% test
p = f()
assert (p.detach() - 1).abs().max() < 0.1
assert p.detach().sum() < 0


# %% attack: a parameter whose views differ from look to look
class P(torch.nn.Parameter):
    def view(self, *shape):
        reads.append(1)
        return torch.ones(2) if len(reads) == 1 else -torch.ones(2)


reads = []


def f():
    return P(torch.ones(2), requires_grad=False)


# %% test
p = f()
assert p.view(-1).sum() > 1
assert p.view(-1).sum() < -1


# %% attack: a parameter whose gradient differs from look to look
class P(torch.nn.Parameter):
    @property
    def grad(self):
        reads.append(1)
        return torch.ones(2) if len(reads) == 1 else -torch.ones(2)


reads = []


def f():
    return P(torch.ones(2))


# %% test
p = f()
assert p.grad.sum() > 1
assert p.grad.sum() < -1


# %% attack: a length without items
class L:
    def __len__(self):
        return 3

    def __iter__(self):
        return iter(())


def f():
    return L()


# %% test
got = f()
assert len(got) == 3
for g, w in zip(got, [1, 2, 3]):
    assert g == w


# %% attack: a list that hides its items
class L(list):
    def __iter__(self):
        return iter(())


def f():
    return L([7, 7, 7])


# %% test
got = f()
assert isinstance(got, list) and len(got) == 3
for g, w in zip(got, [1, 2, 3]):
    assert g == w


# %% attack: a generator with a length
class G:
    def __len__(self):
        return 3

    def __iter__(self):
        return self

    def __next__(self):
        raise StopIteration


def f():
    return G()


# %% test
got = f()
assert len(got) == 3
for g, w in zip(got, [1, 2, 3]):
    assert g == w


# %% attack: a length without items to index
class L:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise IndexError


def f():
    return L()


# %% test
got = f()
assert len(got) == 3
for g, w in zip(got, [1, 2, 3]):
    assert g == w


# %% attack: a length that follows the look
class L:
    asked = 0

    def __len__(self):
        self.asked += 1
        return 3 if self.asked == 1 else 0

    def __iter__(self):
        return iter(())


def f():
    return L()


# %% test
got = f()
assert len(got) == 3
for g, w in zip(got, [1, 2, 3]):
    assert g == w


# %% attack: the instructor's class by name
class Money:
    def __sub__(self, other):
        return 0.0


def f():
    return Money()


# %% test
assert abs(f() - 19) < 1e-9


# %% attack: the instructor's class by a name that was set
class Other:
    def __lt__(self, other):
        return True


Other.__qualname__ = "Money"


def f():
    return Other()


# %% test
assert f() < Money(0)


# %% attack: the instructor's class with another method
def f():
    Money.__lt__ = lambda self, other: True
    return Money(5)


# %% test
assert f() < Money(0)


# %% attack: the instructor's method with another helper
def f():
    Money.smaller = lambda self, other: True
    return Money(5)


# %% test
assert f() > Money(9)


# %% attack: a class derived from the instructor's
class More(Money):
    def __lt__(self, other):
        return True


def f():
    return More(5)


# %% test
assert f() < Money(0)


# %% attack: plain data where the notebook's class gives an object
class Vector:
    def __init__(self, x):
        self.x = x

    def __sub__(self, other):
        return 0.0


def f():
    return Vector(1)


# %% test
assert abs(f() - 19) < 1e-9


# %% attack: a hand-made == that poses as a dataclass's
class Pt:
    __dataclass_fields__ = {}

    def __init__(self, x, y=0):
        self.x, self.y = x, y

    def __eq__(self, other):
        return True


def f():
    return Pt(99)


# %% test
assert f() == Pt(7) and Pt(7) == f()


# %% attack: a dataclass whose == was replaced
import dataclasses


@dataclasses.dataclass
class Pt:
    x: int
    y: int = 0


Pt.__eq__ = lambda self, other: True
Pt.__dataclass_fields__ = {}


def f():
    return Pt(99)


# %% test
assert [f()] == [Pt(7)] and Pt(7) in [f()]


# %% attack: a dataclass whose order was replaced
import dataclasses


@dataclasses.dataclass(order=True)
class Pt:
    x: int
    y: int = 0


Pt.__lt__ = lambda self, other: True


def f():
    return Pt(99)


# %% test
assert f() < Pt(7)


# %% attack: a dataclass whose fields equal everything
class Yes(int):
    def __eq__(self, other):
        return True


class Pt:
    def __init__(self, x, y=0):
        self.x, self.y = Yes(99), Yes(99)

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)


def f():
    return Pt(1)


# %% test
assert f().x == 7 and f() == Pt(7)


# %% attack: a hash and an == that find everything
class Pt:
    def __init__(self, x, y=0):
        self.x, self.y = x, y

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


def f():
    return [Pt(n) for n in range(3)]


# %% test
assert Pt(7) in f()


# %% attack: a truth value where the notebook's class has none
class Vector:
    def __init__(self, x=0):
        self.x = x

    def __bool__(self):
        return False


def f():
    return Vector()


# %% test
assert not f()


# %% attack: contents that == doesn't compare
class List(list):
    def __eq__(self, other):
        return True

    def __contains__(self, item):
        return True


def f():
    return List([1])


# %% test
assert 9 in f()


# %% attack: a tuple whose order was replaced
class Pair(tuple):
    def __lt__(self, other):
        return True


def f():
    return Pair((9, 9))


# %% test
assert f() < (1, 1)
