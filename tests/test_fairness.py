"""A submission's processes take neither another's time nor more than their own."""

import signal

import pytest

from autograder.sandbox.limits import Limits
from tests.test_sandbox_attacks import Probe, ask, warm  # noqa: F401 - warm is a fixture

pytestmark = [pytest.mark.usefixtures("isolation"), pytest.mark.timeout(300)]

SPINNING = """
    import os, time
    for _ in range(COUNT):
        if os.fork() == 0:
            START
            while True: pass
    time.sleep(60)
"""
STARTS = {
    "children": "pass",
    "sessions": "os.setsid()",
    "grandchildren": "os.fork()",
}


@pytest.mark.parametrize("name", STARTS)
def test_the_time_of_all_processes_together_is_bounded(warm, name):  # noqa: F811
    code = SPINNING.replace("COUNT", "6").replace("START", STARTS[name])
    probe = Probe(warm, code, limits=Limits(cpu_seconds=2))
    with probe.process as process:
        assert probe.end(100).returncode == -signal.SIGKILL
        assert process.reason == "computed for more than 2 s"


def test_the_same_time_of_one_process_is_allowed(warm):  # noqa: F811
    code = "import time\nwhile time.process_time() < 1: pass\nanswer = True"
    assert ask(warm, code, limits=Limits(cpu_seconds=2))
