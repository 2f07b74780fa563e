"""What the judge doesn't do is named by reading the notebook, and refused when it runs."""

import pytest

from autograder.judge.notebook.unsupported import unsupported
from tests.judge.cells import earned
from tests.judge.pair import notebook, solution_region

SOLUTION = """
import pickle
import torch
from torch import nn
import torch.nn.functional as F
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(2, 1)
    def forward(self, x):
        return self.l(x)
def pool(x):
    return F.max_pool2d(x, 2)
def square(x):
    return x * x
def save():
    pickle.dump(3, open("x.pkl", "wb"))
"""

# Test cell, what is named, a piece of the rewrite, a piece of what the judge says when it is run.
CASES = {
    "shell": (
        "out = !echo 3\nassert out == ['3']",
        "runs a command of the shell",
        "os.listdir()",
        "!echo 3 can't be used in a test",
    ),
    "process": (
        "import multiprocessing\np = multiprocessing.Process(target=square, args=(2,))\n"
        "p.start(); p.join(); assert p.exitcode == 0",
        "starts a process (Process)",
        "ThreadPoolExecutor",
        "a test can't start a process",
    ),
    "process whose refusal is swallowed": (
        "import multiprocessing\ntry:\n    with multiprocessing.Pool(1) as pool:\n        pass\n"
        "except Exception:\n    pass",
        "starts a process (Pool)",
        "signal.alarm",
        "a test can't start a process",
    ),
    "trace": (
        "import sys\nseen = []\nsys.settrace(lambda frame, *_: seen.append(frame.f_code.co_name))\n"
        "square(2)\nassert 'square' in seen",
        "uses sys.settrace",
        "wraps=f",
        "doesn't see the student's code",
    ),
    "numpy's error mode call": (
        "import numpy as np\nwith np.errstate(divide='call'):\n    assert square(2) == 4",
        "sets numpy's error mode 'call'",
        "'raise'",
        "don't reach the student's code",
    ),
    "vmap": (
        "assert torch.vmap(Net())(torch.ones(3, 2)).shape == (3, 1)",
        "uses vmap",
        "stack the results",
        None,
    ),
    "second derivatives": (
        "x = torch.ones(2, requires_grad=True)\n"
        "(g,) = torch.autograd.grad(square(x).sum(), x, create_graph=True)\ng.sum().backward()\n"
        "assert x.grad.tolist() == [2, 2]",
        "asks for second derivatives",
        "first derivatives",
        None,
    ),
    "unpickle": (
        "import pickle\nsave()\nassert pickle.load(open('x.pkl', 'rb')) == 3",
        "unpickles",
        "JSON",
        "doesn't unpickle",
    ),
}


UNPICKLES = {
    "pandas": "import pandas as pd\nassert pd.read_pickle('x')",
    "joblib": "import joblib\njoblib.load('x')",
    "from": "from pickle import loads as read\nread(b'')",
    "alias": "import _pickle as p\np.load(open('x', 'rb'))",
    "the class": "import pickle\nclass U(pickle._Unpickler):\n    pass",
    "shelve": "import shelve\nshelve.open('x')",
    "cloudpickle": "import cloudpickle\ncloudpickle.loads(b'')",
    "numpy": "import numpy as np\nnp.load('x.npy', allow_pickle=True)",
    "torch": "torch.load('x.pt', weights_only=False)",
}


@pytest.mark.parametrize("name", UNPICKLES)
def test_every_way_to_unpickle_is_named(name):
    (finding,) = unsupported(made(UNPICKLES[name]))
    assert finding.what == "unpickles"


def test_loading_plain_data_is_supported():
    loads = "import json\nimport numpy as np\njson.loads('1')\nnp.load('x.npy')\ntorch.load('x')"
    assert not unsupported(made(loads))


def made(test, *tags):
    return notebook(
        ("given", "import pickle, torch\nfrom torch import nn"),
        ("solution", solution_region(SOLUTION)),
        ("test", test, *tags),
    )


@pytest.mark.parametrize("name", CASES)
def test_named_with_its_rewrite(name):
    test, what, rewrite, _ = CASES[name]
    (finding,) = unsupported(made(test))
    assert what in finding.what
    assert rewrite in finding.rewrite
    assert finding.grade_id == "test2"


@pytest.mark.parametrize("name", CASES)
def test_earns_nothing_by_itself_and_full_points_in_kernel(pair, name):
    test, _, _, message = CASES[name]
    judged = pair.judge(made(test))[-1]
    assert earned(judged) == 0
    if message:
        assert message in judged["reason"]
    tagged = pair.judge(made(test, "in-kernel"))[-1]
    assert (tagged["score"], tagged["kind"]) == (2, "in-kernel")
    assert not unsupported(made(test, "in-kernel"))


def test_supported_notebook_has_no_findings():
    assert not unsupported(made("assert square(2) == 4 and Value(1).d == 1"))


def test_every_idiom_is_supported():
    from tests.judge.test_conformance import GROUPS

    for cells in GROUPS.values():
        made_cells = [
            (role, solution_region(source) if role == "solution" else source)
            for role, _, source in cells
        ]
        assert not unsupported(notebook(*made_cells))
