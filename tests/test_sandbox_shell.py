"""A shell without a server gives the outputs that a cold ipykernel gives through nbclient."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent

# Every cell runs once in each, in this order; a later one may use what an earlier one bound.
CELLS = [
    # results and prints
    "1 + 1",
    "import sys\nprint('a'); print('b', file=sys.stderr); print('c')",
    "print('é ∑ 🙂', end='')",
    "print('\\r1\\r2\\n', flush=True); print('e', file=sys.stderr, flush=True); print(3)",
    "x = 5\nx",
    "x;",
    "None",
    "x\n'only the last line shows'",
    "_, __name__, len(In), Out[1]",
    "",
    "   \n# a comment",
    "print('long' * 5000)\n'a' * 3000",
    "list(range(2000))",
    "lambda: 0",
    # below Python
    # (ipykernel's thread may be late to read what didn't come through Python: hence the waits)
    "import os, subprocess, time\nprint(1); os.system('echo two'); time.sleep(0.5); print(3)",
    "subprocess.run(['sh', '-c', 'echo out; echo err >&2'])\ntime.sleep(0.5)",
    "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.puts(b'from C'); libc.fflush(None)\n"
    "time.sleep(0.5)",
    "os.fork() or (print('child', flush=True), os._exit(0)); os.wait(); None",
    # shell and magics
    "!echo hi",
    "files = !echo a b\nfiles",
    "!ls /nonexistent",
    "%%bash\necho bash\necho err >&2",
    "%%capture captured\nprint('captured')",
    "captured.stdout",
    "%%time\nprint(sum(range(10)))",
    "%timeit -n1 -r1 1",
    "%who",
    "?print",
    "%no_such_magic",
    "%load_ext no_such_extension",
    "%precision 3\n3.14159265",
    "%history -n 1-2",
    # errors
    "1/0",
    "def f(:\n",
    "  bad = indent",
    "def g():\n    raise ValueError('x')\ng()",
    "try:\n    g()\nexcept ValueError as e:\n    raise RuntimeError('second') from e",
    "assert 1 == 2, 'no'",
    "no_such_name",
    "import no_such_module",
    "raise ExceptionGroup('group', [ValueError(1), TypeError(2)])",
    "def rec(n): return 1 / n + rec(n - 1)\nrec(5)",
    "class Mine(Exception): pass\nraise Mine('mine')",
    "raise SystemExit(1)",
    "input('a')",
    "import getpass\ngetpass.getpass()",
    "import warnings\nwarnings.warn('careful')",
    "import logging\nlogging.warning('log')",
    "import traceback\ntry:\n    1/0\nexcept ZeroDivisionError:\n    traceback.print_exc()",
    # asynchronous cells and threads
    "import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')",
    "async def c():\n    return 3\nawait c()",
    "loop = asyncio.get_running_loop()\nloop.is_running()",
    "coroutine = asyncio.sleep(0)\n"
    "try:\n    asyncio.run(coroutine)\nfinally:\n    coroutine.close()",
    "import threading\nt = threading.Thread(target=lambda: print('thread'))\nt.start(); t.join()",
    # displays
    "from IPython.display import HTML, JSON, clear_output, display\nHTML('<b>x</b>')",
    "JSON({'a': 1})",
    "handle = display('first', display_id='fixed')\nprint('q')\ndisplay('second')",
    "handle.update('changed later')",
    "print(1)\nclear_output(wait=True)\nprint(2)",
    "print(1)\ndisplay(3)\nclear_output()",
    "display({'text/plain': 'p', 'text/html': '<i>h</i>'}, raw=True, metadata={'a': 1})",
    "class Rich:\n    def _repr_html_(self): return '<b>x</b>'\nRich()",
    "class Bad:\n    def __repr__(self): raise ValueError('bad repr')\nBad()",
    "from contextlib import redirect_stdout\nimport io\nwith redirect_stdout(io.StringIO()) as b:\n"
    "    print('r')\nb.getvalue()",
    "get_ipython().__class__",
    # figures
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nimport numpy as np",
    "plt.plot([1, 2]);",
    "plt.plot([3]); print('before'); plt.show(); print('after')",
    "fig, ax = plt.subplots(figsize=(2, 1))\nfig",
    "plt.imshow(np.zeros((2, 2)))\nplt.title('t')",
    "plt.rcParams['figure.dpi'], plt.get_backend()",
    # widgets
    "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print('in'); display('d')\nout",
    "out.outputs",
    "slider = ipywidgets.IntSlider(value=3)\nslider",
    "@ipywidgets.interact(n=(0, 3))\ndef square(n=2):\n    print(n * n)",
]

IN_SHELL = """
    import json, sys
    from autograder.sandbox.shell import Shell

    cells, shell = json.load(sys.stdin), Shell()
    returned = [shell.run_cell(cell) for cell in cells]
    with open(sys.argv.pop(), "w") as file:
        json.dump([returned, shell.outputs], file)
"""


def environment():
    """Ours; ipykernel doesn't capture file descriptors where it believes that pytest does."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
    return inherited | {"PYTHONPATH": str(ROOT)}


def run_in_shell(cells, folder):
    """What `run_cell` returned for each cell, and the outputs of all at the end."""
    result = folder / "outputs.json"
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(IN_SHELL), str(result)],
        input=json.dumps(cells),
        text=True,
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=True,
        timeout=120,
    )
    return json.loads(result.read_text())


def run_cold(cells, folder):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        timeout=60,
        resources={"metadata": {"path": str(folder)}},
    ).execute(env=environment())
    return [cell.outputs for cell in notebook.cells]


def comparable(outputs):
    """Without what no two runs share; neighbouring pieces of one stream joined."""
    text = json.dumps(outputs)
    text = text.replace(f"{Path.home()}/", "~/")
    text = re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", text)
    text = re.sub(r"ipykernel_\d+", "ipykernel_PID", text)
    text = re.sub(r'"[0-9a-f]{32}"', '"MODEL"', text)
    text = re.sub(r"[\d.]+(e\+\d+)? (\\u03bcs|ns|ms|s|us)\b", "TIME", text)
    joined = []
    for output in json.loads(text):
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and output["name"] == last.get("name"):
            last["text"] += output["text"]
        else:
            joined.append(output)
    return joined


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    _, warm = run_in_shell(CELLS, tmp_path_factory.mktemp("warm"))
    return warm, run_cold(CELLS, tmp_path_factory.mktemp("cold"))


@pytest.mark.parametrize("index", range(len(CELLS)), ids=lambda i: CELLS[i][:40])
def test_outputs_equal_those_of_a_cold_kernel(both, index):
    warm, cold = both
    assert comparable(warm[index]) == comparable(cold[index])


def test_most_cells_show_something(both):
    # The comparison above would hold between two empty lists.
    assert sum(bool(outputs) for outputs in both[1]) > 0.8 * len(CELLS)


def test_a_cell_returns_its_outputs_and_a_late_update_shows_in_the_record(tmp_path):
    cells = ["handle = display('old', display_id=True)", "handle.update('new')"]
    returned, record = run_in_shell(cells, tmp_path)
    assert returned[0][0]["data"] == {"text/plain": "'old'"}
    assert returned[1] == []
    assert record[0][0]["data"] == {"text/plain": "'new'"}


def test_a_flood_of_output_is_cut_and_the_error_after_it_is_kept(tmp_path):
    cells = [
        "for _ in range(40): print('x' * 1_000_000)\n1/0",
        "import os\nos.system(\"head -c 40000000 /dev/zero | tr '\\\\0' z\");",
        "print('and the next cell prints')",
    ]
    returned, _ = run_in_shell(cells, tmp_path)
    for outputs in returned[:2]:
        assert 6_000_000 < sum(len(output.get("text", "")) for output in outputs) < 9_000_000
        assert any("the rest of it is left out" in output.get("text", "") for output in outputs)
    assert returned[0][-1]["ename"] == "ZeroDivisionError"
    assert returned[2][0]["text"] == "and the next cell prints\n"


def test_exit_ends_neither_the_shell_nor_the_notebook(tmp_path):
    returned, _ = run_in_shell(["exit()", "quit", "'still here'"], tmp_path)
    assert returned[2][0]["data"]["text/plain"] == "'still here'"


def test_late_output_of_a_thread_does_not_join_a_later_cell(tmp_path):
    # A task keeps the cell that started it, as in ipykernel; its late output is nobody's.
    cells = [
        "import asyncio\nasync def late():\n    await asyncio.sleep(0.05)\n    display('late')\n"
        "task = asyncio.ensure_future(late())",
        "await asyncio.sleep(0.2)\n'second'",
    ]
    returned, _ = run_in_shell(cells, tmp_path)
    assert [output["data"]["text/plain"] for output in returned[1]] == ["'second'"]


@pytest.mark.parametrize(
    "waiting",
    ["while True: pass", "import asyncio\nawait asyncio.sleep(60)"],
    ids=["busy", "async"],
)
def test_an_interrupt_ends_the_cell_and_the_next_one_runs(tmp_path, waiting):
    alarm = (
        "import os, signal, threading\nthreading.Timer(0.3, os.kill, (os.getpid(), 2)).start()\n"
    )
    returned, _ = run_in_shell(["print('kept')", alarm + waiting, "'next'"], tmp_path)
    assert returned[1][-1]["ename"] in {"KeyboardInterrupt", "CancelledError"}
    assert returned[2][0]["data"]["text/plain"] == "'next'"
