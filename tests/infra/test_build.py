"""What the archives' names are made of."""

from pathlib import Path

from infra import build

ANY = build.Target("", "", (), False)


def test_an_archive_s_name_does_not_depend_on_where_packages_are_installed(tmp_path: Path) -> None:
    marks = set()
    for folder in ("a", "b"):
        installed = tmp_path / folder / "app.py"
        installed.parent.mkdir()
        installed.write_text("x = 1")
        marks.add(build.fingerprint([installed], ANY))
    assert len(marks) == 1
    installed.write_text("x = 2")
    assert build.fingerprint([installed], ANY) not in marks
