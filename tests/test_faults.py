"""A fault of ours or the machine's: nobody's points change, the exit code and a log say so."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.grading.grade import grade
from autograder.grading.log import NAME as LOG
from autograder.judge.errors import TIME_IS_UP
from tests.conftest import ROOT, SOLVED, WARMUP, as_ordinary_user, in_own_mounts, make_course
from tests.test_grade import scores

WORSE = SOLVED | {"count": "pass"}  # 2 points of 5
ENDLESS = SOLVED | {"count": "def count(text, letter):\n    while True: pass"}
BIG = 3 << 20
FULL = "No space left on device"

# A hidden test runs in the judge's process; what `area(-1)` returns breaks it in one way.
FAULTS = """\
### BEGIN HIDDEN TESTS
import ctypes, os, sys
def codec(*_):
    raise AssertionError("the codec is broken")
if area(-1) == "killed":
    ctypes.string_at(0)  # process 1 of a pid namespace can't kill itself by a signal
if area(-1) == "exits":
    os._exit(3)
if area(-1) == "codec":
    sys.modules["autograder.judge.wire.encoder"].Encoder.encode = codec
    area(1)
if area(-1) == "full":
    raise OSError(28, "No space left on device", "picture.png")
"""
SAYS = {
    "killed": "the judge was killed by signal 11",
    "exits": "the judge ended with 3",
    "codec": "AssertionError: the codec is broken",
    "full": "No space left on device",
}


@pytest.mark.timeout(600)
def test_a_judge_that_fails_leaves_the_old_score_and_a_log(tmp_path, hand_in, autograder):
    text = WARMUP.replace("### BEGIN HIDDEN TESTS\n", FAULTS, 1)
    course = make_course(tmp_path / "course", {"warmup": text})
    for student in (*SAYS, "well"):
        hand_in(course, "warmup", student, SOLVED)
    grade(course, "warmup")
    assert set(scores(course).values()) == {5}
    for student in SAYS:
        area = f"def area(radius):\n    return {student!r} if radius == -1 else 0"
        hand_in(course, "warmup", student, {"area": area, "count": "pass"})
    hand_in(course, "warmup", "well", SOLVED | {"count": "pass"})
    done = autograder("grade", "warmup", cwd=course.root)
    assert done.returncode == 1, done.stderr
    assert scores(course) == dict.fromkeys(SAYS, 5) | {"well": 2}
    log = (course.root / LOG).read_text()
    for student, said in SAYS.items():
        assert f"{student}: could not be run: the judge" in done.stderr
        assert said in log
    assert done.stderr.count(f"the traceback is in {course.root / LOG}") == len(SAYS)
    assert "Traceback" not in done.stderr
    assert "Traceback" in log


# No alarm interrupts `sum` while it adds the numbers up to 10**14.
SUMS_FOR_EVER = """\
### BEGIN HIDDEN TESTS
assert sum(range(round(area(-1)))) == 3
"""


def test_a_test_that_no_alarm_interrupts_costs_its_own_points_alone(tmp_path, hand_in):
    text = WARMUP.replace("### BEGIN HIDDEN TESTS\n", SUMS_FOR_EVER, 1)
    course = make_course(tmp_path / "course", {"warmup": text}, "c.Execute.timeout = 1\n")
    hand_in(course, "warmup", "right", SOLVED)
    endless = SOLVED["area"].replace("return", "return 10**14 if radius == -1 else")
    hand_in(course, "warmup", "endless", SOLVED | {"area": endless})
    outcomes = {outcome.student: outcome.result for outcome in grade(course, "warmup")}
    assert scores(course) == {"right": 5, "endless": 3}
    assert outcomes["endless"].cells["test_area"].reason == TIME_IS_UP


@pytest.fixture(scope="module")
def graded_once(released_warmup, hand_in, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graded") / "course"
    course = Course(Path(shutil.copytree(released_warmup, folder)))
    for student in ("ada", "bob", "zoe"):
        hand_in(course, "warmup", student, SOLVED)
    grade(course, "warmup")
    assert set(scores(course).values()) == {5}
    for student in ("ada", "bob", "zoe"):
        hand_in(course, "warmup", student, WORSE)
    return course.root


@pytest.fixture
def graded(graded_once, tmp_path):
    """A course of one's own whose students had full points and have handed in something worse."""
    return Course(Path(shutil.copytree(graded_once, tmp_path / "course")))


def start(command, cwd, **environment):
    """Start a command as `autograder` is started by a user."""
    environment = {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"} | {
        name: str(value) for name, value in environment.items()
    }
    return subprocess.Popen(
        command, cwd=cwd, env=os.environ | environment, stderr=subprocess.PIPE, text=True
    )


def grading(*options):
    return f"{sys.executable} -m autograder grade warmup {' '.join(options)}"


def said_by(process):
    _, said = process.communicate(timeout=400)
    assert "Traceback" not in said
    return said


def until(condition, process):
    """Wait for something to be so while a process runs."""
    while not condition():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)


def on_small_disk(place, size, command):
    """A script that runs a command while `place`, with what is in it, is a disk of `size` bytes."""
    return in_own_mounts(f"""
        mkdir {place}.disk
        mount -t tmpfs -o size={size},mode=755 none {place}.disk
        cp -a {place}/. {place}.disk
        mount --move {place}.disk {place}
        cd {place}
        code=0
        setpriv --inh-caps=-all --ambient-caps=-all {command} || code=$?
        mkdir {place}.after
        cp -a {place}/. {place}.after
        exit $code
    """)


def used(folder):
    """Bytes of all files below, in whole pages."""
    sizes = [path.lstat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(-(-size // 4096) * 4096 for size in sizes)


def after_small_disk(course):
    """The course as the run left it, back at its place."""
    shutil.rmtree(course.root)
    course.root.with_name("course.after").rename(course.root)
    return Course(course.root)


@pytest.mark.timeout(600)
def test_who_has_no_room_on_the_disk_for_a_result_keeps_the_old_score(graded):
    (graded.path("submitted", "warmup", "bob") / "data.bin").write_bytes(os.urandom(BIG))
    # Room for a backup of the gradebook and some notebooks, not for the file once more.
    size = used(graded.root) + BIG // 2
    process = start(on_small_disk(graded.root, size, grading()), graded.root.parent)
    said = said_by(process)
    assert process.returncode == 1, said
    course = after_small_disk(graded)
    assert scores(course) == {"ada": 2, "bob": 5, "zoe": 2}
    assert f"bob: could not be run: its result can't be recorded: [Errno 28] {FULL}" in said
    assert said.count("could not be run:") == 1
    assert f"the traceback is in {course.root / LOG}" in said
    log = (course.root / LOG).read_text()
    assert "Traceback" in log
    assert FULL in log
    folder = course.path("autograded", "warmup", "bob")
    assert [path.name for path in folder.parent.iterdir()] == ["warmup"]
    assert not (folder / "data.bin").exists()


@pytest.mark.timeout(600)
def test_who_has_no_room_in_the_temporary_folder_keeps_the_old_score(graded, tmp_path):
    (graded.path("submitted", "warmup", "bob") / "data.bin").write_bytes(os.urandom(BIG))
    (folder := tmp_path / "temporary").mkdir()
    command = on_small_disk(folder, BIG // 2, grading(f"--course {graded.root}"))
    process = start(command, graded.root, TMPDIR=folder)
    said = said_by(process)
    assert process.returncode == 1, said
    assert scores(graded) == {"ada": 2, "bob": 5, "zoe": 2}
    assert f"bob: could not be run: [Errno 28] {FULL}" in said
    assert said.count("could not be run:") == 1
    log = (graded.root / LOG).read_text()
    assert "Traceback" in log
    assert FULL in log


@pytest.mark.timeout(600)
def test_where_not_even_the_log_can_be_written_the_message_says_so(graded, hand_in, tmp_path):
    hand_in(graded, "warmup", "ada", ENDLESS)  # ends by its time limit: the disk is full by then
    (folder := tmp_path / "temporary").mkdir()
    command = on_small_disk(graded.root, used(graded.root) + BIG, grading("--student ada"))
    process = start(command, graded.root.parent, TMPDIR=folder)
    until(lambda: list(folder.glob("autograder-*/run-*")), process)  # the backup has been made
    disk = Path(f"/proc/{process.pid}/root") / graded.root.relative_to("/")
    with (disk / "another program's").open("wb", buffering=0) as file:
        while process.poll() is None and not (disk.with_name("course.after")).exists():
            with suppress(OSError):
                file.write(bytes(4096))
    said = said_by(process)
    assert process.returncode == 1, said
    course = after_small_disk(graded)
    assert scores(course) == {"ada": 5, "bob": 5, "zoe": 5}
    assert "ada: could not be run: its result can't be recorded" in said
    assert (
        f"{course.root / LOG} can't be written ({FULL}): see the traceback with --verbose" in said
    )


def children(pid):
    """A process's descendants."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return [*found, *(one for child in found for one in children(child))]


@pytest.mark.timeout(600)
def test_who_can_t_be_forked_keeps_the_old_score(graded, hand_in):
    hand_in(graded, "warmup", "bob", ENDLESS)
    command = f"{grading('--jobs', '1')} --course {{course}}"
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(shutil.copytree(graded.root, f"{folder}/course")))
        command = command.format(course=course.root)
        if os.getuid() == 0:  # whom no limit of processes binds
            Path(folder).chmod(0o777)
            subprocess.run(["chown", "-R", "12345", folder], check=True)
            process = start(in_own_mounts(as_ordinary_user(command)), folder, HOME=folder)
        else:
            process = start(command.split(), folder)

        def ada_is_recorded():
            with sqlite3.connect(f"file:{course.root}/gradebook.db?mode=ro", uri=True) as database:
                query = "select result from autograder_result where student = 'ada'"
                ((result,),) = database.execute(query)
            return '"score": 0' in result

        until(ada_is_recorded, process)  # zoe's turn comes only after bob's time is up
        for pid in children(process.pid):  # the warm processes; the machine refuses them a fork
            command = ["prlimit", "--nproc=1:1", "--pid", str(pid)]
            subprocess.run(command, check=False, user=None if os.getuid() else 12345)
        said = said_by(process)
        assert process.returncode == 1, said
        found = scores(course)
        assert (found["ada"], found["zoe"]) == (2, 5)
        assert "zoe: could not be run: " in said
        assert "fork: [Errno 11] Resource temporarily unavailable" in said
        assert f"the traceback is in {course.root / LOG}" in said
        assert "Traceback" in (course.root / LOG).read_text()
