"""The check of a student's computer: what is wrong is named, with its remedy."""

from __future__ import annotations

import shutil

from course_utils import data, environment


def by_name(checks):
    return {one.name: one for one in checks}


def test_this_computer_is_ready(capsys):
    checks = environment.check()
    assert [one for one in checks if one.remedy] == []
    assert capsys.readouterr().out.endswith("All is well.\n")
    assert "each with the right checksum" in by_name(checks)["course's files"].found


def test_a_missing_and_an_old_package_are_named_with_a_remedy(monkeypatch, capsys):
    monkeypatch.setattr(environment, "PACKAGES", {"no-such-package": "1", "numpy": "99.1"})
    checks = by_name(environment.check())
    assert checks["no-such-package"].found == "missing"
    assert "pip install -e ." in checks["no-such-package"].remedy
    assert checks["numpy"].remedy.startswith("the course needs 99.1 or later")
    printed = capsys.readouterr().out
    assert "MEND  numpy" in printed
    assert printed.endswith("To mend: 2. Then restart the kernel.\n")


def test_versions_are_compared_as_numbers():
    assert environment._numbers("2.14.1+cpu") > environment._numbers("2.4")
    assert environment._numbers("0.9.6rc1") >= environment._numbers("0.9")


def test_an_unsupported_python_is_named(monkeypatch):
    monkeypatch.setattr(environment, "OLDEST", (4, 0))
    monkeypatch.setattr(environment, "NEWEST", (4, 2))
    remedy = by_name(environment.check())["Python"].remedy
    assert remedy == "install Python 4.0 to 4.2, and make the environment again"


def test_a_damaged_file_of_the_course_is_named(tmp_path, monkeypatch):
    copy = tmp_path / "assets"
    shutil.copytree(data.ASSETS, copy)
    monkeypatch.setattr(data, "ASSETS", copy)
    (copy / "photographs" / "cat.jpg").write_bytes(b"damaged")
    found = by_name(environment.check())["course's files"]
    assert found.found == "damaged"
    assert "cat.jpg is damaged" in found.remedy
    assert "git checkout" in found.remedy
    shutil.rmtree(copy)
    assert "SHA256SUMS is missing" in by_name(environment.check())["course's files"].remedy
