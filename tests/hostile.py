"""Hostile submissions, and what each of them must get.

A small assignment of three tests, each with a hidden half that holds a canary, and a table of
what students hand in. `points` are those of test_area (2), test_scale (3) and test_count (4), or
None where a person must look. An attack has a positive control, so that no test passes for the
wrong reason: `control` are the points that the same attack takes when the tests run beside it
(tagged in-kernel), or "trusted": a trusted process finds the canary where the attack looks.

Two known techniques have nothing to attack here: there are no Jupyter messages to forge (the
candidate has no kernel's sockets and no connection file; "forged-frames" writes into the one
socket that it has), and no GPU is given to a candidate on a machine that has none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, Literal

CANARY = "banana-7c1f"
MARK = "hx-7c1f"  # what attacks name their files and processes
NAME = "fortress"

TEXT = '''\
# %% [markdown] given="intro"
# # Fortress

# %% given="imports"
import torch

# %% solution="area"
def area(side):
    """The area of a square."""
    ### BEGIN SOLUTION
    return side * side
    ### END SOLUTION

# %% test="test_area" points=2 TAGS
assert area(1) == 1, "a square of side 1"
### BEGIN HIDDEN TESTS
secret = "CANARY"
assert area(len(secret)) == len(secret) ** 2, "another square"
### END HIDDEN TESTS

# %% solution="scale"
def scale(x, factor):
    """A new tensor, `factor` times x."""
    ### BEGIN SOLUTION
    return x * factor
    ### END SOLUTION

# %% test="test_scale" points=3 TAGS
x = torch.arange(4.0)
assert torch.allclose(scale(x, 2), torch.tensor([0.0, 2.0, 4.0, 6.0]))
### BEGIN HIDDEN TESTS
secret = "CANARY"
got = scale(x, len(secret))
assert torch.equal(x, torch.arange(4.0)), "x was changed"
assert torch.allclose(got, torch.arange(4.0) * len(secret))
### END HIDDEN TESTS

# %% solution="count"
def count(text, letter):
    """How often a letter stands in a text."""
    ### BEGIN SOLUTION
    return text.count(letter)
    ### END SOLUTION

# %% test="test_count" points=4 TAGS
assert count("abca", "b") == 1
### BEGIN HIDDEN TESTS
secret = "CANARY"
cases = {"": 0, "aaa": 3, "banana": 3, "canal": 2}
sum(count(text, "a") == expected for text, expected in cases.items())
### END HIDDEN TESTS
'''

HONEST = {
    "area": "def area(side):\n    return side * side",
    "scale": "def scale(x, factor):\n    return x * factor",
    "count": "def count(text, letter):\n    return text.count(letter)",
}
WRONG = {
    "area": "def area(side):\n    return 0",
    "scale": "def scale(x, factor):\n    return torch.zeros(4)",
    "count": "def count(text, letter):\n    return 1",  # as the visible half wants it
}
Points = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Hostile:
    """One submission.

    Attributes:
        name: the student's id.
        cells: sources of the solution cells; the others stay as released.
        points: what each test must give, None where a person must look; None if nothing was run.
        control: how it is known that the attack would work; None where it has nothing to gain.
        files: further files of the submission.
        mangle: what is done to the notebook file at last.
    """

    name: str
    cells: dict[str, str]
    points: Points | None
    control: Points | Literal["trusted"] | None = None
    files: dict[str, str] = field(default_factory=dict)
    mangle: Callable[[Path], object] | None = None


def course_text(*, in_kernel: bool = False) -> str:
    """The assignment's source; `in_kernel` runs the tests beside the student's code."""
    tags = 'tags=["in-kernel"]' if in_kernel else ""
    return TEXT.replace("CANARY", CANARY).replace(" TAGS", f" {tags}".rstrip())


def faking(
    name: str, attack: str, control: Points | None, *, points: Points = (0, 0, 0), **cells: str
) -> Hostile:
    """The attack runs first, before solutions that are wrong."""
    solutions = WRONG | {name: dedent(source) for name, source in cells.items()}
    return Hostile(name, solutions | {"area": dedent(attack) + solutions["area"]}, points, control)


FAKING = [
    faking(
        "yes-object",
        """
        class Yes:
            def __eq__(self, other): return self
            def __bool__(self): return True
            def __getattr__(self, name): return self
            def __call__(self, *args, **kwargs): return self
            def __radd__(self, other): return 4
        """,
        (2, 0, 4),
        points=(None, 0, None),
        area="\ndef area(side):\n    return Yes()",
        count="def count(text, letter):\n    return Yes()",
    ),
    faking(
        "equal-number",
        """
        class Same(int):
            def __eq__(self, other): return True
            __hash__ = int.__hash__
        """,
        (2, 0, 4),
        points=(None, 0, None),
        area="\ndef area(side):\n    return Same()",
        count="def count(text, letter):\n    return Same()",
    ),
    faking("patched-torch", "torch.allclose = torch.equal = lambda *a, **k: True\n", (0, 3, 0)),
    faking(
        "patched-builtins", "import builtins\nbuiltins.sum = lambda values: 4\n", (0, 0, 4)
    ),
    faking(
        "shadowed-names",
        "sum = lambda values: 4\nisinstance = print = lambda *a: True\nAssertionError = Warning\n",
        (0, 0, 4),
    ),
    faking(
        "replaced-module",
        """
        import sys, types
        real = torch
        cheat = {"allclose": lambda *a: True, "equal": lambda *a: True}
        torch = sys.modules["torch"] = types.SimpleNamespace(**vars(real) | cheat)
        """,
        (0, 3, 0),
    ),
    faking(
        "tensor-subclass",
        """
        class Easy(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None): return True
        """,
        (0, 3, 0),
        scale="def scale(x, factor):\n    return torch.zeros(4).as_subclass(Easy)",
    ),
    faking(
        "input-transformer",
        """
        get_ipython().input_transformers_post.append(
            lambda lines: [line for line in lines if not line.startswith("assert")])
        """,
        (2, 3, 0),
    ),
    faking(
        "syntax-transformer",
        """
        import ast
        class Drop(ast.NodeTransformer):
            def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
        get_ipython().ast_transformers.append(Drop())
        """,
        (2, 3, 0),
    ),
    faking(
        "run-cell",
        """
        shell = type(get_ipython())
        plain = shell.run_cell_async
        async def run_cell_async(self, source, *args, **kwargs):
            quiet = "pass" if source.startswith("assert") else source
            return await plain(self, quiet, *args, **kwargs | {"transformed_cell": quiet})
        shell.run_cell_async = run_cell_async
        """,
        (2, 0, 4),
    ),
    faking(
        "no-traceback",
        "type(get_ipython()).showtraceback = lambda *a, **k: None\n",
        (2, 3, 0),
    ),
    faking(
        "custom-exception",
        "get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)\n",
        (2, 3, 0),
    ),
    faking(
        "displayhook",
        """
        hook = type(get_ipython().displayhook)
        shown = hook.__call__
        hook.__call__ = lambda self, result=None: shown(self, 4.0)
        """,
        (0, 0, 4),
    ),
    faking(
        "late-thread",
        """
        import threading, time
        def later():
            time.sleep(0.2)
            torch.allclose = torch.equal = lambda *a, **k: True
        worker = threading.Thread(target=later)
        worker.start()
        """,
        (0, 3, 0),
        scale="worker.join()\n" + WRONG["scale"],
    ),
    faking(
        "only-while-graded",
        """
        import os
        if os.environ.get("NBGRADER_EXECUTION"):
            torch.allclose = torch.equal = lambda *a, **k: True
        """,
        (0, 3, 0),
    ),
    Hostile(
        "load-ext",
        HONEST | {"area": "%load_ext evil\n" + HONEST["area"], "scale": WRONG["scale"]},
        (2, 0, 4),
        control=(2, 3, 4),
        files={
            "evil.py": "import torch\ndef load_ipython_extension(shell):\n"
            "    torch.allclose = torch.equal = lambda *a, **k: True\n"
        },
    ),
    faking(
        "at-exit",
        """
        import atexit, signal
        def win(*args): torch.allclose = torch.equal = lambda *a, **k: True
        atexit.register(win)
        signal.signal(signal.SIGALRM, win); signal.signal(signal.SIGTERM, win)
        """,
        None,
    ),
    Hostile("not-a-number", HONEST | {"scale": "def scale(x, k):\n    return x * torch.nan"},
            (2, 0, 4)),
    Hostile("aliasing", HONEST | {"scale": "def scale(x, k):\n    return x.mul_(k)"}, (2, 0, 4)),
    Hostile("sys-exit", HONEST | {"area": "def area(side):\n    raise SystemExit(0)"}, (0, 3, 4)),
    Hostile("interrupt", HONEST | {"area": "def area(side):\n    raise KeyboardInterrupt"},
            (0, 3, 4)),
    Hostile("os-exit", HONEST | {"scale": "import os\ndef scale(x, k):\n    os._exit(0)"},
            (2, 0, 0)),
    faking(
        "forged-frames",
        """
        import os, stat
        def area(side):
            for fd in range(3, 64):
                try:
                    if stat.S_ISSOCK(os.fstat(fd).st_mode):
                        os.write(fd, b'\\x08\\0\\0\\0["ok", 1]' * 9)
                except OSError: pass
            return 1
        """,
        None,
        area="\n",
    ),
]  # fmt: skip


def reading(
    name: str,
    look: str,
    control: Points | Literal["trusted"] = "trusted",
    *,
    before: str = "",
    during: str = "",
    **extra: Any,
) -> Hostile:
    """The last solution cell looks for the canary, and says what it found.

    Where tests run beside the student's code, it looks for what the tests before it left there;
    `before` runs first of all, `during` while test_area calls.
    """
    area = HONEST["area"].replace("return", f"{during}\n    return")
    cells = HONEST | {
        "area": dedent(before) + area,
        "count": probe(look) + "\n" + WRONG["count"],
    }
    return Hostile(name, cells, (2, 3, 0), control, **extra)


def probe(look: str) -> str:
    """A cell that looks; it must not hold the canary itself, since it may search its own memory."""
    return f"""\
import glob, os, re, sys
def look():
{indent(dedent(look).strip(), "    ")}
try: found = look()
except BaseException as error: found = repr(error)
found = found if isinstance(found, bytes) else str(found).encode(errors="replace")
print("looked:", "LEAKED" if re.search(rb"[{CANARY[0]}]{CANARY[1:]}", found) else "nothing")"""


# ROOT is the course's folder, PID the grader's process, PORT a server's on this machine.
READING = [
    reading("reads-source", f"return open('ROOT/source/{NAME}/{NAME}.ipynb').read()"),
    reading(
        "reads-gradebook",
        "return b''.join(open(path, 'rb').read() for path in glob.glob('ROOT/gradebook.db*'))",
    ),
    reading(
        "reads-autograded", f"return open('ROOT/autograded/earlier/{NAME}/{NAME}.ipynb').read()"
    ),
    reading("reads-feedback", f"return open('ROOT/feedback/earlier/{NAME}/{NAME}.html').read()"),
    reading(
        "reads-neighbour", f"return open('ROOT/submitted/honest-1/{NAME}/{NAME}.ipynb').read()"
    ),
    reading(
        "reads-all-files",
        """
        found = []
        for folder in ("ROOT", "/submission", "/tmp/home"):
            for parent, _, names in os.walk(folder):
                for name in names:
                    path = os.path.join(parent, name)
                    if name.endswith((".ipynb", ".db", ".html")) and os.path.isfile(path):
                        with open(path, "rb") as file: found.append(file.read(1 << 20))
        return b"".join(found)
        """,
    ),
    reading(
        "reads-by-link",
        f"return open('link.txt').read() if os.path.exists('link.txt') "
        f"else open('ROOT/submitted/reads-by-link/{NAME}/link.txt').read()",
        mangle=lambda path: (path.parent / "link.txt").symlink_to(
            path.parents[3] / "source" / NAME / f"{NAME}.ipynb"
        ),
    ),
    reading(
        "reads-by-shell",
        """
        import subprocess
        script = "cat ROOT/source/*/*.ipynb; env; cat /proc/*/environ; cat /proc/PID/environ"
        return subprocess.run(["bash", "-c", script], capture_output=True).stdout
        """,
    ),
    reading(
        "reads-environment",
        """
        found = [repr(dict(os.environ)).encode()]
        for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
            try: found.append(open(path, "rb").read())
            except OSError: pass
        return b"".join(found)
        """,
    ),
    reading(
        "reads-descriptors",
        """
        import stat
        found = []
        for path in glob.glob("/proc/PID/fd/*") + glob.glob("/proc/self/fd/*"):
            try:
                if stat.S_ISREG(os.stat(path).st_mode):
                    found.append(open(path, "rb").read(1 << 22))
            except OSError: pass
        return b"".join(found)
        """,
    ),
    reading(
        "reads-memory",
        f"""
        for pid in ("PID", "self"):
            try: maps = open(f"/proc/{{pid}}/maps").readlines()
            except OSError: continue
            memory = open(f"/proc/{{pid}}/mem", "rb", 0)
            for line in maps:
                span, mode, *rest = line.split()
                if mode[:2] != "rw" or len(rest) > 3 and rest[3] != "[heap]": continue
                at, end = (int(one, 16) for one in span.split("-"))
                while at < end:
                    try:
                        memory.seek(at)
                        found = re.search(rb"[{CANARY[0]}]{CANARY[1:]}", memory.read(1 << 24))
                    except OSError: break
                    if found: return found.group()
                    at += 1 << 24
        return "nothing"
        """,
    ),
    reading(
        "reads-network",
        """
        import socket
        try: socket.getaddrinfo("example.org", 443)
        except OSError: pass
        return socket.create_connection(("127.0.0.1", PORT), timeout=2).recv(100)
        """,
    ),
    reading(
        "reads-frames",
        "return seen",
        (2, 3, 0),
        before="""
        import sys
        seen = []
        def look_around():
            frame = sys._getframe(1)
            while frame:
                for names in (frame.f_locals, frame.f_globals):
                    seen.append(str(names.get("secret")))
                frame = frame.f_back
        """,
        during="look_around()",
    ),
    reading(
        "reads-objects",
        """
        import gc
        gc.unfreeze()  # else what was there before the fork isn't listed
        return [str(one["secret"]) for one in gc.get_objects()
                if type(one) is dict and "secret" in one]
        """,
        (2, 3, 0),
    ),
    reading(
        "reads-linecache",
        "import linecache\nreturn list(linecache.cache.values())",
        (2, 3, 0),
    ),
    reading(
        "reads-by-hook",
        "return seen",
        (2, 3, 0),
        before="""
        seen = []
        get_ipython().events.register("pre_run_cell", lambda info: seen.append(info.raw_cell))
        """,
    ),
]  # fmt: skip


def harm(name: str, scale: str, points: Points, **extra: Any) -> Hostile:
    """Points before the attack and, unless the process had to be killed, after it are kept."""
    return Hostile(name, HONEST | {"scale": dedent(scale).strip()}, points, **extra)


HARM = [
    harm(
        "endless-loop",
        """
        def scale(x, factor):
            while True:
                try:
                    while True: sum(range(9999))
                except BaseException: pass
        """,
        (2, 0, 0),
    ),
    harm(
        "deaf-loop",
        """
        import signal, time
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        while True: time.sleep(1)
        """,
        (2, 0, 0),
    ),
    harm(
        "fork-bomb",
        """
        import os
        while True:
            try: os.fork()
            except OSError: pass
        """,
        (2, 0, 0),
    ),
    Hostile(
        "twin",  # two processes answer the judge
        WRONG | {"area": HONEST["area"], "scale": "import os\nos.fork()\n" + WRONG["scale"]},
        (2, 0, 0),
    ),
    harm(
        "memory-bomb",
        """
        def scale(x, factor):
            blocks = []
            while True: blocks.append(bytearray(1 << 24))
        """,
        (2, 0, 4),
    ),
    harm(
        "memory-bomb-of-many",
        """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                memory = bytearray(b"x") * (150 << 20)
                time.sleep(60); os._exit(0)
        time.sleep(60)
        """,
        (2, 0, 0),
    ),
    harm(
        "shared-memory-bomb",
        """
        import mmap
        memory = mmap.mmap(-1, 3 << 30)
        for at in range(0, 3 << 30, 32 << 20):
            memory[at:at + (32 << 20)] = bytes(32 << 20)
            memory.madvise(mmap.MADV_DONTNEED, at, 32 << 20)
        """,
        (2, 0, 4),
    ),
    harm(
        "disk-bomb",
        """
        import itertools
        for place in (".", "/tmp", "/dev/shm"):
            for size in (1 << 20, 0):
                try:
                    for number in itertools.count():
                        with open(f"{place}/bomb-{size}-{number}", "wb") as file:
                            file.write(bytes(size))
                except OSError: pass
        """,
        (2, 0, 4),
    ),
    harm(
        "output-bomb",
        """
        import os
        for _ in range(200):
            print("x" * 10_000_000)
            os.write(1, b"y" * 1_000_000); os.write(2, b"z" * 1_000_000)
        """,
        (2, 0, 4),
    ),
    harm("huge-return", "def scale(x, factor):\n    return 'x' * 10**8", (2, 0, 4)),
    harm(
        "deep-return",
        """
        def scale(x, factor):
            deep = []
            for _ in range(100_000): deep = [deep]
            return deep
        """,
        (2, 0, 4),
    ),
    harm(
        "cyclic-return",
        "def scale(x, factor):\n    loop = []\n    loop.append(loop)\n    return loop",
        (2, 0, 4),
    ),
    harm(
        "reduce",
        f"""
        import os
        class Payload:
            def __reduce__(self): return os.system, ("touch /tmp/{MARK} ROOT/{MARK}",)
        def scale(x, factor): return Payload()
        """,
        (2, 0, 4),
    ),
    Hostile(
        "daemon",
        HONEST
        | {
            "area": dedent(f"""
                import ctypes, os, time
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        ctypes.CDLL(None).prctl(15, b"{MARK}")
                        ctypes.CDLL(None).prctl(1, 0)
                        time.sleep(600)
                    os._exit(0)
                """)
            + HONEST["area"]
        },
        (2, 3, 4),
    ),
    harm(
        "kill-everybody",
        """
        import os, subprocess
        subprocess.Popen(["sleep", "600"])
        for pid in (-1, 0, PID, os.getppid() or -1):
            try: os.kill(pid, 9)
            except OSError: pass
        """,
        (2, 0, 4),
    ),
    harm(
        "bash",
        f"%%bash\n(sleep 600 &)\ntouch /tmp/{MARK} ROOT/{MARK}\nrm -rf ROOT/submitted\nkill -9 PID",
        (2, 0, 4),
    ),
    harm(
        "shell-line",
        f"!touch /tmp/{MARK} /dev/shm/{MARK} ROOT/{MARK}\n!rm -f ROOT/gradebook.db",
        (2, 0, 4),
    ),
    harm(
        "writes-everywhere",
        f"""
        for place in ("ROOT", "ROOT/source", "ROOT/submitted/honest-1/{NAME}", "/tmp", "/dev/shm",
                      "/root", "/var/tmp", "/"):
            try: open(place + "/{MARK}", "w").write("was here")
            except OSError: pass
        for path in ("ROOT/gradebook.db", "ROOT/submitted/honest-1/{NAME}/{NAME}.ipynb"):
            try: open(path, "r+").write("was here")
            except OSError: pass
        """,
        (2, 0, 4),
    ),
    Hostile(  # an honest notebook may hold a cell that nobody can read
        "too-deep", HONEST | {"count": HONEST["count"] + "\nnever = " + "+".join(["1"] * 5000)},
        (2, 3, 0),
    ),
    harm(
        "false-widget",
        """
        from IPython.display import display
        display({"application/vnd.jupyter.widget-view+json": {}}, raw=True)
        display({"application/vnd.jupyter.widget-view+json": {"model_id": "none"}}, raw=True)
        """,
        (2, 0, 4),
    ),
    harm("segfault", "import ctypes\nctypes.string_at(0)", (2, 0, 0)),
    harm(
        "lone-surrogate",
        """
        print("\\ud800")
        def scale(x, factor): raise ValueError("\\ud800 \\0 \\x1b[2J")
        """,
        (2, 0, 4),
    ),
]  # fmt: skip


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """A change of the notebook's JSON."""

    def mangle(path: Path) -> None:
        notebook = json.loads(path.read_text())
        change({cell["id"]: cell for cell in notebook["cells"]} | {"notebook": notebook})
        path.write_text(json.dumps(notebook))

    return mangle


def mangled(
    name: str, mangle: Callable[[Path], object], points: Points | None = (0, 3, 4)
) -> Hostile:
    """A wrong area, and its test tampered with."""
    return Hostile(name, HONEST | {"area": WRONG["area"]}, points, mangle=mangle)


def _without(cells: dict[str, Any], name: str) -> None:
    cells["notebook"]["cells"].remove(cells[name])


def _copy(cells: dict[str, Any], name: str, **changes: Any) -> None:
    cells["notebook"]["cells"].append(cells[name] | {"id": "copy"} | changes)


def _as(kind: str) -> Callable[[Path], object]:
    def change(cells: dict[str, Any]) -> None:
        cell = cells["test_area"]
        cell["cell_type"] = kind
        del cell["outputs"], cell["execution_count"]

    return edited(change)


def _write(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def _vast(path: Path) -> None:
    os.truncate(path, 100 << 20)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parents[3] / "source" / NAME / f"{NAME}.ipynb")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _odd_names(path: Path) -> None:
    folder = path.parent
    (folder / ("n" * 255)).write_text("long")
    (folder / "new\nline").write_text("odd")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.txt")).write_text("no UTF-8")
    os.link(path, folder / "again.ipynb")
    (folder / "first.txt").write_text("one")
    os.link(folder / "first.txt", folder / "second.txt")


def nest_folders(path: Path) -> None:
    """Put folders beside a notebook whose paths are longer than any call takes."""
    here = os.open(path.parent, os.O_RDONLY)
    for _ in range(18):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def _many_folders(path: Path) -> None:
    for number in range(999):
        folder = path.parent / f"{number}" / "a" / "b" / "c"
        folder.mkdir(parents=True)
        (folder / "file").touch()


def _shadowing_libraries(path: Path) -> None:
    cheat = "import builtins\nbuiltins.sum = lambda values: 4\n"
    for name in ("torch", "course_utils", "sitecustomize", "usercustomize", "conftest", "json"):
        (path.parent / f"{name}.py").write_text(cheat + "allclose = equal = lambda *a: True\n")
    startup = path.parent / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-cheat.py").write_text(cheat)


MANGLED = [
    mangled("not-json", _write(b"{ not json"), None),
    mangled("empty", _write(b""), None),
    mangled("a-list", _write(b"[1, 2]"), None),
    mangled("deep-json", _write(b"[" * 100_000), None),
    mangled("missing", lambda path: path.unlink(), None),
    mangled("other-name", lambda path: path.rename(path.with_name("mine.ipynb")), None),
    mangled("vast", _vast, None),
    mangled("linked-notebook", _link, None),
    mangled("pipe-notebook", _pipe, None),
    mangled("folder-notebook", lambda path: (path.unlink(), path.mkdir()), None),
    mangled("future-format", edited(lambda c: c["notebook"].update(nbformat=99)), None),
    mangled("test-deleted", edited(lambda c: _without(c, "test_area"))),
    mangled("test-edited", edited(lambda c: c["test_area"].update(source="pass"))),
    mangled(
        "test-moved",
        edited(
            lambda c: (_without(c, "test_area"), c["notebook"]["cells"].insert(0, c["test_area"]))
        ),
    ),
    mangled("test-copied", edited(lambda c: _copy(c, "test_area", source="pass"))),
    mangled("test-as-raw", _as("raw")),
    mangled("test-as-markdown", _as("markdown")),
    mangled(
        "points-raised",
        edited(lambda c: [cell.get("metadata", {}).get("nbgrader", {}).update(points=1000)
                          for name, cell in c.items() if name.startswith("test_")]),
    ),
    mangled(
        "flags-changed",
        edited(lambda c: c["test_area"]["metadata"]["nbgrader"].update(
            grade=False, solution=True, locked=False, task=True)),
    ),
    mangled(
        "tagged-in-kernel",
        edited(lambda c: [cell.get("metadata", {}).update(tags=["in-kernel", "raises-exception"])
                          for cell in c.values()]),
    ),
    mangled(
        "solution-copied",  # the last one counts
        edited(lambda c: _copy(c, "area", source=HONEST["area"])),
        (2, 3, 4),
    ),
    mangled(
        "odd-metadata",
        edited(lambda c: (c["test_area"]["metadata"].update(nbgrader="yes"),
                          c["intro"]["metadata"].update(nbgrader={"grade_id": ["area"]}))),
    ),
    mangled("odd-kernel", edited(lambda c: c["notebook"]["metadata"].update(kernelspec=3)), None),
    mangled(
        "surrogate-source",
        edited(lambda c: c["area"].update(source="# \ud800\n" + WRONG["area"])),
    ),
    mangled("odd-names", _odd_names),
    mangled("deep-folders", nest_folders),
    mangled("many-folders", _many_folders),
    Hostile(
        "file-as-folder",
        HONEST | {"area": WRONG["area"]},
        (0, 3, 4),
        files={"data.csv/inner.csv": "mine"},
    ),
    Hostile(
        "shadowed-libraries",
        WRONG,
        (0, 0, 0),
        mangle=_shadowing_libraries,
    ),
]  # fmt: skip

CORPUS = [*FAKING, *READING, *HARM, *MANGLED]
