"""What was finished is known by its size and checksum: cut, changed and lost files are found, and mended."""

from pathlib import Path

import pytest

from dilemmas.envs.seals import DAMAGED, SEALS, SealError, Seals, check_sealed

ROWS = [f"row {number}\n" for number in range(6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run folder with a file that grew by two lines three times, and one that was written at once."""
    seals, path = Seals(tmp_path), tmp_path / "rows.jsonl"
    for number in range(0, 6, 2):
        with path.open("a") as file:
            file.writelines(ROWS[number : number + 2])
        seals.add(path, finished=False)
    seals.add(path)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.json").write_text("{}\n")
    seals.add(tmp_path / "tables" / "a.json")
    return tmp_path


def test_finished_files_pass(folder: Path) -> None:
    for name in ("rows.jsonl", "tables/a.json"):
        check_sealed(folder / name)
        assert Seals(folder).fits(folder / name)
    assert Seals(folder).misfits() == []
    assert Seals(folder).mend() == []


@pytest.mark.parametrize(
    ("damaged", "kept"),
    [
        ("".join(ROWS[:5]), 4),
        ("".join(ROWS[:4]), 4),
        ("".join(ROWS)[:-1], 4),
        ("".join(ROWS).replace("3", "x"), 2),
        ("".join(ROWS).replace("0", "x"), 0),
        ("".join(ROWS) + ROWS[5], 6),
        ("", 0),
    ],
)
def test_damage_is_found_and_the_beginning_kept(folder: Path, damaged: str, kept: int) -> None:
    path = folder / "rows.jsonl"
    path.write_text(damaged)
    with pytest.raises(SealError, match=r"rows\.jsonl has .* finished with 6 lines, 36 bytes; restore it from a copy"):
        check_sealed(path)
    (line,) = Seals(folder).mend()
    assert f"{kept} of 6 lines are kept" in line
    assert (path.read_text() if path.exists() else "") == "".join(ROWS[:kept])
    assert (folder / f"rows.jsonl{DAMAGED}").read_text() == damaged
    check_sealed(path)
    assert not Seals(folder).fits(path)  # for it is not finished
    assert Seals(folder).misfits() == []


def test_a_lost_file_is_found(folder: Path) -> None:
    (folder / "tables" / "a.json").unlink()
    with pytest.raises(SealError, match=r"a\.json has 0 bytes"):
        check_sealed(folder / "tables" / "a.json")
    assert Seals(folder).mend() == [f"{folder / 'tables' / 'a.json'} is missing and is made again"]


def test_a_changed_byte_is_found(folder: Path) -> None:
    (folder / "tables" / "a.json").write_text("[]\n")
    with pytest.raises(SealError, match=r"a\.json has been changed since"):
        check_sealed(folder / "tables" / "a.json")


def test_a_growing_file_passes_while_it_grows(folder: Path) -> None:
    path, seals = folder / "more.jsonl", Seals(folder)
    path.write_text(ROWS[0])
    check_sealed(path)
    seals.add(path, finished=False)
    path.write_text(ROWS[0] + ROWS[1][:3])
    check_sealed(path)
    assert not seals.fits(path)


def test_the_same_seal_is_written_once(folder: Path) -> None:
    before = (folder / SEALS).read_bytes()
    Seals(folder).add(folder / "rows.jsonl", folder / "tables" / "a.json")
    assert (folder / SEALS).read_bytes() == before


def test_files_of_no_run_pass(tmp_path: Path) -> None:
    check_sealed(tmp_path / "absent.json")


def test_seals_cut_by_a_kill_hold_up_to_there_and_others_are_refused(folder: Path) -> None:
    path, whole = folder / SEALS, (folder / SEALS).read_bytes()
    path.write_bytes(whole[:-5])
    check_sealed(folder / "rows.jsonl")
    for damaged in (b"{}\n", b"\xff\n", b'{"file": 1, "lines": 1, "bytes": 1, "sha256": "", "finished": true}\n'):
        path.write_bytes(whole + damaged)
        with pytest.raises(SealError, match=r"seals\.jsonl, line 6: .*; restore the file"):
            check_sealed(folder / "rows.jsonl")
