"""What the sandbox's tests run in a launched process: a piece of code, its answer sent back."""

import json
import os
import traceback

from autograder.sandbox.process import Process


def run(out, code):
    """Execute `code`; send what it binds to `answer`, or its traceback, over the pipe `out`."""
    namespace = {"__name__": "__main__", "out": out}
    try:
        exec(code, namespace)
        message = {"answer": namespace.get("answer")}
    except BaseException:
        message = {"error": traceback.format_exc()}
    os.write(out, json.dumps(message).encode())


def written(process: Process, name: str) -> bytes:
    """What a launched process wrote into a file of its private folder."""
    file = os.open(name, os.O_RDONLY, dir_fd=process.folder)
    with os.fdopen(file, "rb") as opened:
        return opened.read()
