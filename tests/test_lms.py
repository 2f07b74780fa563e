"""A class comes in from a learning management system, and its scores go out to it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.desk import uploads
from autograder.desk.collect import collect
from autograder.desk.export import as_csv, read_scores
from autograder.desk.lms_names import Lms, LmsError
from autograder.desk.roster import RosterError, import_roster
from autograder.grading.grade import grade
from autograder.grading.reading import ask
from tests.conftest import SOLVED

ROSTER = """\
id,first_name,last_name,email,lms_user_id
ada,Ada,Lovelace,ada@example.org,4711
emmy,Emmy,Noether,emmy@example.org,4712
kay,Kay,O'Hara,kay@example.org,4713
"""


def students(course: Course) -> dict[str, tuple[str | None, ...]]:
    with course.gradebook() as gradebook:
        return {
            one.id: (one.first_name, one.last_name, one.email, one.lms_user_id)
            for one in gradebook.students
        }


@pytest.fixture
def write_csv(tmp_path):
    def write(text: str, encoding: str = "utf-8", name: str = "roster.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.fixture
def course(warmup, write_csv) -> Course:
    import_roster(warmup, write_csv(ROSTER))
    return warmup


# ── the roster ──


def test_a_roster_is_taken_over_and_says_what_changes(warmup, write_csv):
    first = import_roster(warmup, write_csv(ROSTER))
    assert (first.added, first.changed, first.not_in_file) == (["ada", "emmy", "kay"], {}, [])
    assert students(warmup)["kay"] == ("Kay", "O'Hara", "kay@example.org", "4713")
    excel = "ID;Last_Name;email;Section\r\nada;King;;A\r\nemmy;Noether;emmy@example.org;A\r\n"
    path = write_csv(excel, "utf-8-sig")
    checked = import_roster(warmup, path, write=False)
    assert students(warmup)["ada"][1] == "Lovelace"
    second = import_roster(warmup, path)
    assert second == checked
    assert second.changed == {"ada": {"last_name": ("Lovelace", "King")}}
    assert (second.unchanged, second.not_in_file, second.ignored) == (1, ["kay"], ["section"])
    # An empty cell, and a column that isn't there, change nothing.
    assert students(warmup)["ada"] == ("Ada", "King", "ada@example.org", "4711")


FAULTY = {
    "zoe,Zoe,Z,zoe,1": "line 5: 'zoe' is not an e-mail address",
    ",Zoe,Z,zoe@example.org,1": "line 5: it has no id",
    "zoe,Zoe,Z,zoe@example.org": "line 5: it has fewer cells",
    "zoe,Zoe,Z,zoe@example.org,1,2": "line 5: it has more cells",
    "../zoe,Zoe,Z,zoe@example.org,1": "line 5: the id '../zoe' can't be the name of a folder",
    "=zoe(),Zoe,Z,zoe@example.org,1": "line 5: id is '=zoe()': a spreadsheet would take it",
    "ada,Zoe,Z,zoe@example.org,1": "line 5: 'ada' is in line 2, too",
    "zoe,Zoe,Z,ADA@example.org,1": "ada and zoe would have the same email",
    "zoe,Zoe,Z,zoe@example.org,4712": "emmy and zoe would have the same lms_user_id",
    f"zoe,{'Z' * 200},Z,zoe@example.org,1": "line 5: first_name has more than 128",
    'zoe,"Z\x1b[2J",Z,zoe@example.org,1': "line 5: first_name has characters that can't be",
}


@pytest.mark.parametrize("row", FAULTY)
def test_a_faulty_row_is_named_and_nothing_is_imported(warmup, write_csv, row):
    with pytest.raises(RosterError, match=re.escape(FAULTY[row])):
        import_roster(warmup, write_csv(f"{ROSTER}{row}\n"))
    assert students(warmup) == {}


def test_a_file_that_is_no_roster_is_refused(warmup, write_csv, tmp_path, autograder):
    for text, encoding, reason in (
        ("name,email\nada,ada@example.org\n", "utf-8", "has no column 'id'"),
        ("id,email,email\n", "utf-8", "has the column 'email' twice"),
        ("id,last_name\nada,Müller\n", "cp1252", "is not in UTF-8"),
        ("", "utf-8", "has no column 'id'"),
        ('id\n"ada', "utf-8", "not CSV"),
    ):
        with pytest.raises(RosterError, match=reason):
            import_roster(warmup, write_csv(text, encoding))
    done = autograder("roster", tmp_path / "none.csv", "--course", warmup.root)
    assert done.returncode == 1
    assert "can't be read: No such file" in done.stderr
    assert "Traceback" not in done.stderr
    warmup.database_file.unlink()
    done = autograder("roster", write_csv(ROSTER), "--check", "--course", warmup.root)
    assert "3 would be added, 0 as they were" in done.stdout
    assert not warmup.database_file.exists()
    done = autograder("roster", write_csv(ROSTER), "--json", "--course", warmup.root)
    assert json.loads(done.stdout)["added"] == ["ada", "emmy", "kay"]


# ── collecting ──


def notebook(course: Course, mark: str = "") -> bytes:
    text = (course.path("release", "warmup") / "warmup.ipynb").read_text()
    assert "YOUR CODE HERE" in text
    return text.replace("YOUR CODE HERE", f"YOUR CODE HERE {mark}").encode()


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


@pytest.fixture
def download(tmp_path):
    def make(files: dict[str, bytes], when: tuple[int, ...] = (2026, 3, 1, 12, 0, 0)) -> Path:
        path = tmp_path / "download.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name, when), data)
        return path

    return make


def handed_in(course: Course, student: str) -> dict[str, bytes]:
    folder = course.path("submitted", "warmup", student)
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def outcome(collection) -> dict[str, str]:
    return {one.student: one.what for one in collection.collected}


def test_canvas_names_say_whose_it_is(course, download):
    mine, log = notebook(course, "ada"), b"an attempt\n"
    path = download(
        {
            "lovelaceada_4711_900_warmup-1.zip": zipped(
                {"warmup/warmup.ipynb": mine, "warmup/attempts.jsonl": log, "__MACOSX/x": b""}
            ),
            "noetheremmy_LATE_4712_901_warmup (2).ipynb": notebook(course, "emmy"),
            "oharakay_9999_902_warmup.ipynb": notebook(course, "someone else"),
            "strangersam_5000_903_warmup.ipynb": notebook(course),
            "read me.txt": b"no submission",
        }
    )
    made = collect(course, "warmup", [path], Lms.CANVAS)
    assert outcome(made) == {"ada": "new", "emmy": "new"}
    assert [one.student for one in made.collected if one.late] == ["emmy"]
    assert handed_in(course, "ada") == {"warmup.ipynb": mine, "attempts.jsonl": log}
    assert handed_in(course, "emmy") == {"warmup.ipynb": notebook(course, "emmy")}
    # Kay has another number in Canvas, so that it is another person of this name.
    assert set(made.unmatched) == {"oharakay (9999)", "strangersam (5000)"}
    assert made.left_out == ["'read me.txt': not named as canvas names files"]
    assert not made.complete
    assert outcome(collect(course, "warmup", [path], Lms.CANVAS)) == {
        "ada": "unchanged",
        "emmy": "unchanged",
    }


def test_moodle_names_say_whose_it_is_and_the_worksheet_says_it_better(course, download, write_csv):
    import_roster(course, write_csv("id,first_name,last_name,email\nada2,Ada,Lovelace,a2@e.org\n"))
    files = {
        "Kay OHara_11_assignsubmission_file_/warmup.ipynb": notebook(course, "kay"),
        "Noether Emmy_12_assignsubmission_file/warmup.ipynb": notebook(course, "emmy"),
        "Ada Lovelace_13_assignsubmission_file_warmup.ipynb": notebook(course, "ada"),
        "Emmy Noether_12_assignsubmission_onlinetext/onlinetext.html": b"<p>see the file",
    }
    made = collect(course, "warmup", [download(files)], Lms.MOODLE)
    assert outcome(made) == {"kay": "new", "emmy": "new"}
    assert "any of ada, ada2 (give Moodle's" in made.unmatched["Ada Lovelace (13)"]
    assert len(made.left_out) == 1
    worksheet = write_csv(
        "Identifier,Full name,Email address,Status\nParticipant 13,Ada Lovelace,A2@e.org,late\n",
        "utf-8-sig",
        "worksheet.csv",
    )
    made = collect(course, "warmup", [download(files)], Lms.MOODLE, worksheet=worksheet)
    assert outcome(made) == {"ada2": "new", "emmy": "unchanged", "kay": "unchanged"}
    with pytest.raises(LmsError, match="no column 'Identifier'"):
        collect(course, "warmup", [download(files)], Lms.MOODLE, worksheet=write_csv("a,b\n"))


@pytest.mark.parametrize("lms", Lms)
def test_a_newer_submission_is_never_overwritten_and_an_older_one_is_kept_aside(
    course, download, lms
):
    def take(mark: str, number: int, **more) -> str:
        name = {
            Lms.CANVAS: f"lovelaceada_4711_{number}_warmup.ipynb",
            Lms.MOODLE: "Ada Lovelace_13_assignsubmission_file/warmup.ipynb",
        }[lms]
        path = download({name: notebook(course, mark)}, (2026, 3, 1, 12, 0, 2 * number))
        return outcome(collect(course, "warmup", [path], lms, **more))["ada"]

    assert take("first", 5) == "new"
    assert take("third", 9) == "replaced"
    assert take("second", 7) == "kept"
    assert take("another third", 9) == "kept"
    assert handed_in(course, "ada") == {"warmup.ipynb": notebook(course, "third")}
    [aside] = course.root.glob("downloaded/warmup/replaced/ada/1/*")
    assert aside.read_bytes() == notebook(course, "first")
    own = course.path("submitted", "warmup", "ada") / "warmup.ipynb"
    own.write_bytes(notebook(course, "mended by the instructor"))
    assert take("fourth", 10) == "kept"
    shutil.rmtree(course.root / "downloaded")
    assert take("fourth", 10) == "kept"  # nothing says where the submission came from
    assert handed_in(course, "ada") == {
        "warmup.ipynb": notebook(course, "mended by the instructor")
    }
    assert take("fourth", 10, replace=True, write=False) == "replaced"
    assert handed_in(course, "ada") == {
        "warmup.ipynb": notebook(course, "mended by the instructor")
    }
    assert take("fourth", 10, replace=True) == "replaced"
    assert handed_in(course, "ada") == {"warmup.ipynb": notebook(course, "fourth")}


def link(name: str, target: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, target)
    return made.getvalue()


def test_a_hostile_zip_reaches_nothing(course, download, tmp_path):
    bomb = zipped({"warmup.ipynb": b"0" * 200_000_000})
    assert len(bomb) < 1_000_000
    good = notebook(course)
    files = {
        "lovelaceada_4711_1_traversal.zip": zipped(
            {"../../../evil": b"x", "/evil": b"x", "a\\..\\evil": b"x", "warmup.ipynb": good}
        ),
        "lovelaceada_4711_2_link.zip": link("warmup.ipynb", b"/etc/passwd"),
        "lovelaceada_4711_3_time.zip": zipped({"timestamp.txt": b"1999-01-01 00:00:00 UTC"}),
        "lovelaceada_4711_4_folder.zip": zipped({"data/x": b"1", "warmup.ipynb": good}),
        "lovelaceada_4711_5_clash.zip": zipped({"data": b"2", "warmup.ipynb": good}),
        "noetheremmy_4712_4_bomb.zip": bomb,
        "oharakay_4713_5_broken.zip": b"PK\x03\x04 not really",
        "../../lovelaceada_4711_6_..": b"x",
    }
    made = collect(course, "warmup", [download(files)], Lms.CANVAS)
    assert outcome(made) == {"ada": "new", "emmy": "kept", "kay": "kept"}
    assert handed_in(course, "ada") == {"warmup.ipynb": good, "data/x": b"1"}
    assert [path.name for path in (course.root / "submitted").rglob("warmup")] == ["warmup"]
    assert not list(tmp_path.rglob("evil*"))
    said = {one.student: " ".join(one.left_out) for one in made.collected}
    for part in ("a link or a device", "not for the student to say", "a folder of this name"):
        assert part in said["ada"]
    assert "larger than a submission may be" in said["emmy"]
    assert "no zip that can be read" in said["kay"]
    assert not course.path("submitted", "warmup", "emmy").exists()


@pytest.mark.parametrize("lms", Lms)
def test_the_name_of_a_folder_in_an_upload_makes_nobody_else_its_owner(course, download, lms):
    own, other = {
        Lms.CANVAS: ("lovelaceada_4711_900_x", "noetheremmy_4712_999_warmup.ipynb"),
        Lms.MOODLE: (
            "Ada Lovelace_13_assignsubmission_file",
            "Emmy Noether_12_assignsubmission_file/warmup.ipynb",
        ),
    }[lms]
    files = {other: notebook(course, "emmy"), f"{own}/{other}": notebook(course, "ada")}
    for path in (download(files), download({f"class/{name}": files[name] for name in files})):
        made = collect(course, "warmup", [path], lms)
        assert outcome(made) in (
            {"ada": "new", "emmy": "new"},
            {"ada": "unchanged", "emmy": "unchanged"},
        )
        assert handed_in(course, "emmy") == {"warmup.ipynb": notebook(course, "emmy")}


def test_a_path_that_no_program_can_open_stops_nobody(course, download):
    files = {
        "lovelaceada_4711_1_x.zip": zipped({"/".join(["d" * 190] * 30): b"x", "a": b"a"}),
        "noetheremmy_4712_1_x.zip": zipped({"/".join("d" * 2000): b"x", "a": b"a"}),
        "oharakay_4713_2_warmup.ipynb": notebook(course),
    }
    made = collect(course, "warmup", [download(files)], Lms.CANVAS)
    assert outcome(made) == {"ada": "new", "emmy": "new", "kay": "new"}
    assert all(one.left_out for one in made.collected if one.student != "kay")
    assert handed_in(course, "ada") == handed_in(course, "emmy") == {"a": b"a"}


def test_many_bombs_are_not_held_together(course, download, monkeypatch):
    asked = []
    monkeypatch.setattr(
        uploads, "ask", lambda *args, **options: asked.append(1) or ask(*args, **options)
    )
    course.directory.max_dir_size = 1000  # kB
    bombs = {f"lovelaceada_4711_{n}_x.zip": zipped({f"f{n}": b"0" * 600_000}) for n in range(9)}
    files = bombs | {"noetheremmy_4712_1_x.zip": zipped({"f": b"0" * 900_000})}
    made = collect(course, "warmup", [download(files)], Lms.CANVAS)
    assert outcome(made) == {"ada": "kept", "emmy": "new"}
    assert len(asked) == 2 + 1


def test_what_was_collected_is_graded(course, download, autograder, isolation):
    solved = json.loads(notebook(course))
    for cell in solved["cells"]:
        cell["source"] = SOLVED.get(cell["id"], cell["source"])
    path = download({"lovelaceada_4711_1_warmup.ipynb": json.dumps(solved).encode()})
    done = autograder("collect", "warm", path, "--from", "canvas", "--course", course.root)
    assert done.returncode == 0, done.stderr
    [result] = (one.result for one in grade(course, "warmup"))
    assert (result.score, result.max_score) == (5, 5)


def test_the_command_says_what_it_could_not_place(course, download, autograder, write_csv):
    path = download({"strangersam_5000_903_warmup.ipynb": b"{}"})
    at = ("--course", course.root)
    done = autograder("collect", "warm", path, "--from", "canvas", *at)
    assert done.returncode == 3
    assert "strangersam (5000): nobody in the roster has this lms_user_id" in done.stderr
    done = autograder("collect", "warm", path, "--from", "canvas", "--json", *at)
    assert list(json.loads(done.stdout)["unmatched"]) == ["strangersam (5000)"]
    done = autograder("collect", "warm", write_csv("no zip"), "--from", "moodle", *at)
    assert done.returncode == 1
    assert "is no zip that can be read" in done.stderr


# ── exporting ──


@pytest.fixture(scope="module")
def graded_class(released_warmup, hand_in, tmp_path_factory, isolation) -> Course:
    """Ada has all points, Emmy waits for a person, Kay was marked by one, Zoe handed in nothing."""
    folder = tmp_path_factory.mktemp("lms")
    course = Course(Path(shutil.copytree(released_warmup, folder / "course")))
    roster = folder / "roster.csv"
    roster.write_text(f"{ROSTER}zoe,\"=cmd|' /C calc'!A0\",,zoe@example.org,sis-5\n")
    import_roster(course, roster)
    for student in ("ada", "emmy", "kay"):
        hand_in(course, "warmup", student, SOLVED)
    grade(course, "warmup")
    with course.gradebook() as gradebook:
        emmys = gradebook.find_grade("test_area", "warmup", "warmup", "emmy")
        emmys.auto_score, emmys.needs_manual_grade = None, True
        kays = gradebook.find_grade("test_count", "warmup", "warmup", "kay")
        kays.manual_score, kays.extra_credit = 1 / 3, 0.5
        gradebook.find_submission("warmup", "kay").notebooks[0].late_submission_penalty = 1.25
        gradebook.db.commit()
    return course


def test_canvas_gets_what_the_gradebook_has(graded_class):
    rows = list(csv.reader(io.StringIO(as_csv(read_scores(graded_class, "warmup"), Lms.CANVAS))))
    # What Canvas's importer looks at: the last column about the student is "Section", a row with
    # "Points Possible" has the points, and all rows have the same length.
    assert rows[0][:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert "Points Possible" in rows[1][0]
    assert {len(row) for row in rows} == {7}
    assert rows[0][5:] == ["warmup: test_area", "warmup: test_count"]
    assert rows[1][5:] == ["2", "3"]
    by_id = {row[1] or row[2]: row for row in rows[2:]}
    assert by_id["4711"][0] == "Lovelace, Ada"
    assert by_id["4711"][5:] == ["2", "3"]
    assert by_id["4712"][5:] == ["", "3"]
    assert by_id["sis-5"][5:] == ["", ""]
    assert by_id["sis-5"][0].startswith("'=")
    with graded_class.gradebook() as gradebook:
        for number, student in (("4711", "ada"), ("4713", "kay")):
            scores = [
                gradebook.find_grade(cell, "warmup", "warmup", student).score
                for cell in ("test_area", "test_count")
            ]
            assert [float(cell) for cell in by_id[number][5:]] == pytest.approx(scores, abs=1e-6)


def test_moodle_gets_what_the_gradebook_has(graded_class):
    text = as_csv(read_scores(graded_class, "warmup").totals(), Lms.MOODLE)
    rows = list(csv.DictReader(io.StringIO(text)))
    got = {row["Email address"]: row["warmup (of 5)"] for row in rows}
    assert got["ada@example.org"] == "5"
    assert got["emmy@example.org"] == got["zoe@example.org"] == "-"
    with graded_class.gradebook() as gradebook:
        kays = gradebook.find_submission("warmup", "kay")
        expected = kays.score - kays.late_submission_penalty
    assert float(got["kay@example.org"]) == pytest.approx(expected, abs=1e-6)
    assert "@" not in re.sub(r"\w+@example\.org", "", text)


def test_the_command_export(graded_class, autograder, tmp_path):
    done = autograder("export", "warm", "--for", "canvas", "--course", graded_class.root)
    assert done.returncode == 3
    assert "1 scores wait for a person" in done.stderr
    assert "--total has them" in done.stderr
    assert (graded_class.root / "reports/warmup/canvas.csv").is_file()
    to = tmp_path / "marks.csv"
    at = ("--to", to, "--course", graded_class.root)
    autograder("export", "warm", "--for", "moodle", "--total", *at)
    assert to.read_text().startswith("First name,Last name,ID number,Email address,Username,warmup")
    course = shutil.copytree(graded_class.root, tmp_path / "fresh")
    (course / "gradebook.db").unlink()
    done = autograder("export", "warm", "--for", "canvas", "--course", course)
    assert done.returncode == 1
    assert "nothing has been released" in done.stderr
