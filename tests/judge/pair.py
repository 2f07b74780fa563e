"""Runs notebooks under the judge, and as stock nbgrader does, for the tests of the judge.

A server process imports torch once and forks for each run: a fresh judge and a fresh candidate.
There is no isolation here, so only harmless code may be run.
"""

import base64
import contextlib
import functools
import json
import multiprocessing
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook


def notebook(*cells):
    """A notebook from ("given" | "solution" | "test" | "plain", source[, tags]) pairs."""
    made = []
    for position, (role, source, *tags) in enumerate(cells):
        cell = new_code_cell(source)
        flags = {"grade": role == "test", "locked": role != "solution"}
        if role != "plain":
            cell.metadata["nbgrader"] = {
                "grade_id": f"{role}{position}",
                "schema_version": 3,
                "solution": role == "solution",
                "task": False,
                **flags,
            } | ({"points": 2} if role == "test" else {})
        if tags:
            cell.metadata["tags"] = list(tags)
        made.append(cell)
    return new_notebook(cells=made)


def solution_region(source):
    return f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"


class Pair:
    """The server: one process that forks for each notebook."""

    def __init__(self):
        self.process = None

    def _start(self):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.judge.pair"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            start_new_session=True,
        )

    def judge(self, source, submission=None, **options):
        """The results of every code cell under the judge."""
        return self._ask("judge", source, submission or source, options)

    def stock(self, source, submission=None, **options):
        """The results in one process, scored by nbgrader's own function."""
        return self._ask("stock", source, submission or source, options)

    def close(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _ask(self, *request):
        if self.process is None:
            self._start()
        data = base64.b64encode(pickle.dumps(request)).decode()
        self.process.stdin.write(data + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], 60)[0]:
            self.close()
            raise RuntimeError("no result in a minute")
        answer = json.loads(self.process.stdout.readline())
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer


def _serve():
    import torch
    import torch._dynamo

    import autograder.judge.candidate_end
    import autograder.judge.session  # noqa: F401

    torch.set_num_threads(1)
    stdout = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # The candidate is forked before the request is read: nothing of a test is in its memory.
    while True:
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = socket.socketpair()
            candidate = _fork(folder, _become_candidate, theirs)
            theirs.close()
            line = sys.stdin.readline()
            if line:
                reader, writer = multiprocessing.Pipe(duplex=False)
                child = _fork(folder, _run, line, writer, ours, candidate)
                writer.close()
                try:
                    answer = reader.recv_bytes().decode()
                except EOFError:
                    answer = json.dumps("the process ended without a result")
                os.waitpid(child, 0)
                stdout.write(answer + "\n")
                stdout.flush()
            ours.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(candidate, signal.SIGKILL)
            os.waitpid(candidate, 0)
        if not line:
            return


def _fork(folder, run, *args):
    pid = os.fork()
    if pid:
        return pid
    try:
        os.chdir(folder)
        run(*args)
    finally:
        os._exit(0)


def _become_candidate(sock):
    from autograder.judge import candidate_end

    Path("candidate").mkdir()
    os.chdir("candidate")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(sock.fileno(), 3)
    os.closerange(4, 1000)  # the other end, and the server's own
    candidate_end.serve(socket.socket(fileno=3), make_shell())


def _run(line, writer, sock, candidate):
    try:
        kind, source, submission, options = pickle.loads(base64.b64decode(line))
        run = {"judge": run_judge, "stock": run_stock}[kind]
        result = run(source, submission, options, sock, candidate)
        writer.send_bytes(json.dumps(result).encode())
    except BaseException:
        writer.send_bytes(json.dumps(traceback.format_exc()).encode())


def run_judge(source, submission, options, sock, candidate):
    """This process becomes the judge of one submission."""
    from dataclasses import asdict

    from autograder.judge import session

    Path("judge").mkdir()
    os.chdir("judge")
    for name, text in options.pop("files", {}).items():
        Path(name).write_text(text)
    limits = session.Limits(**{"cell_seconds": 10.0, **options.pop("limits", {})})
    stop = functools.partial(signal.pidfd_send_signal, os.pidfd_open(candidate))
    results = session.run(sock, stop, source, submission, limits, **options)
    return [asdict(result) for result in results]


def run_stock(source, submission, options, *_):
    """The same notebook in one process: hidden tests beside the student's code."""
    from nbgrader.utils import determine_grade, is_grade

    from autograder.cells import is_test

    tests = {c.metadata.nbgrader.grade_id: c for c in source.cells if is_test(c)}
    for name, text in options.pop("files", {}).items():
        Path(name).write_text(text)
    shell = make_shell()
    results = []
    for cell in submission.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        text = tests[grade_id].source if grade_id in tests else cell.source
        cell.outputs = nbformat.from_dict(shell.run_cell(text))
        score = determine_grade(cell)[0] if is_grade(cell) else None
        results.append({"grade_id": grade_id, "score": score, "outputs": cell.outputs})
    return results


def make_shell():
    """The candidate's shell, as the engine uses it."""
    from autograder.sandbox.shell import Shell

    return Shell()


if __name__ == "__main__":
    _serve()
