"""Processes forked from a warm one that has imported torch."""

import json
import time

import pytest

from autograder.sandbox import shell
from autograder.sandbox.launch import WarmProcess
from autograder.sandbox.process import LaunchError
from tests.sandbox_probe import written
from tests.test_sandbox_attacks import ask

pytestmark = [
    pytest.mark.usefixtures("isolation"),
    pytest.mark.timeout(180),
]
MODULES = ["torch", "matplotlib.pyplot", shell.__name__, "tests.sandbox_probe"]


@pytest.fixture(scope="module")
def warm():
    with WarmProcess(MODULES) as process:
        yield process


def test_cells_run_in_isolation(warm, tmp_path):
    (tmp_path / "numbers.csv").write_text("3,4")
    cells = [
        "print(open('numbers.csv').read())",
        "!echo from a terminal",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import torch\ntorch.randn(200, 200).matmul(torch.randn(200, 200)).sum().backward",
        "x = torch.ones(3, requires_grad=True)\n(x ** 2).sum().backward()\nx.grad.tolist()",
        "1/0",
    ]
    code = f"""
        from autograder.sandbox.shell import Shell
        shell = Shell()
        answer = [shell.run_cell(cell) for cell in {cells!r}]
    """
    outputs = ask(warm, code, folder=tmp_path)
    assert outputs[0][0]["text"] == "3,4\n"
    assert outputs[1][0]["text"] == "from a terminal\r\n"
    assert len(outputs[2][0]["data"]["image/png"]) > 1000
    assert outputs[3][0]["output_type"] == "execute_result"
    assert outputs[4][0]["data"]["text/plain"] == "[2.0, 2.0, 2.0]"
    assert outputs[5][0]["ename"] == "ZeroDivisionError"


def test_a_loader_s_worker_processes_work_in_isolation(warm):
    code = """
        import torch
        from torch.utils.data import DataLoader, TensorDataset
        data = TensorDataset(torch.arange(64.0))
        answer = sum(batch[0].sum().item() for batch in DataLoader(data, 8, num_workers=2))
    """
    assert ask(warm, code) == sum(range(64))


def test_no_two_forks_draw_the_same_numbers(warm):
    code = """
        import random, numpy, torch
        answer = [random.random(), numpy.random.rand(), torch.rand(1).item()]
    """
    first, second = ask(warm, code), ask(warm, code)
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_a_launch_that_fails_says_why(warm):
    with pytest.raises(LaunchError, match="No module named 'no_such_module'"):
        WarmProcess(["no_such_module"], view=None).await_ready()
    with pytest.raises(LaunchError, match="has no attribute 'nothing'"):
        warm.launch("json:nothing")
    with WarmProcess(view=None) as plain:
        with pytest.raises(LaunchError, match="has no view"):
            plain.launch("os:getpid")
        plain._process.kill()
        plain._process.wait()
        with pytest.raises(LaunchError, match="warm process"):
            plain.launch("os:getpid", isolated=False)


def test_the_end_of_a_process_is_told_as_it_was(warm):
    with warm.launch("os:getpid") as fine, warm.launch("json:loads", {"s": "{"}) as failing:
        assert fine.wait(30) == 0
        assert failing.wait(30) == 1
        assert "JSONDecodeError" in failing.log()
    with warm.launch("os:_exit", {"status": 4}) as leaving:
        assert leaving.wait(30) == 4


def test_waiting_has_a_bound_and_an_interrupt_ends_it(warm):
    with warm.launch("signal:pause") as process:
        with pytest.raises(TimeoutError):
            process.wait(0.1)
        assert process.poll() is None
        process.interrupt()
        assert process.wait(30) == 1
        assert "KeyboardInterrupt" in process.log()


def test_a_trusted_process_works_in_the_folder_itself(warm, tmp_path):
    code = "open('made', 'w').write('x'); answer = __import__('os').getcwd()"
    assert ask(warm, code, folder=tmp_path, isolated=False) == str(tmp_path)
    assert (tmp_path / "made").read_text() == "x"


def test_large_arguments_and_the_environment_arrive(warm):
    text = "x" * 5_000_000
    code = f"import os; answer = [len({text!r}), os.environ['A']]"
    assert ask(warm, code, environment={"A": "b"}) == [5_000_000, "b"]


def test_a_pair_of_processes_talks_over_a_socket(warm):
    import socket

    left, right = socket.socketpair()
    server = "import socket\nwith socket.socket(fileno=out) as s: s.sendall(s.recv(100).upper())"
    client = (
        "import socket\ns = socket.socket(fileno=out)\ns.sendall(b'hello')\n"
        "open('got', 'wb').write(s.recv(100))\nout = 1"
    )
    launch = warm.launch
    with (
        launch("tests.sandbox_probe:run", {"code": client}, fds=[left.fileno()]) as candidate,
        launch("tests.sandbox_probe:run", {"code": server}, fds=[right.fileno()], isolated=False),
    ):
        left.close()
        right.close()
        candidate.wait(30)
        assert written(candidate, "got") == b"HELLO"


def test_a_fork_is_ready_in_a_fraction_of_an_import(warm):
    # A tripwire, with room for a busy machine; tools/bench_sandbox.py measures.
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        with warm.launch("os:getpid") as process:
            seconds.append(time.perf_counter() - started)
            process.wait(30)
    assert min(seconds) < 0.5, json.dumps(seconds)
