"""What was finished is known by its name, size and checksum: other files are found, and damaged ones mended."""

import shutil
from pathlib import Path

import pytest

from dilemmas.envs import seals as module
from dilemmas.envs.seals import (
    DAMAGED,
    DESCRIPTIONS,
    RESULTS,
    SEALS,
    SealError,
    Seals,
    check_described,
    check_listed,
    check_sealed,
)

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


def test_a_lost_line_is_found_also_if_its_file_is_lost_too(folder: Path) -> None:
    """Without the chain nothing would say that there ever was a file."""
    lines = (folder / SEALS).read_text().splitlines(keepends=True)
    (folder / "tables" / "b.json").write_text("{}\n")
    Seals(folder).add(folder / "tables" / "b.json")
    whole = (folder / SEALS).read_text().splitlines(keepends=True)
    assert whole[:-1] == lines
    (folder / "tables" / "a.json").unlink()
    for damaged in (
        [line for line in whole if "a.json" not in line],
        whole[1:],
        [whole[1], whole[0], *whole[2:]],
        [*whole, whole[-1]],
        [line.replace("false", "true") for line in whole],
    ):
        (folder / SEALS).write_text("".join(damaged))
        with pytest.raises(SealError, match="this line or one before it was changed, deleted or added"):
            check_listed(folder, ".json")
        with pytest.raises(SealError, match="this line or one before it"):
            Seals(folder)


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


@pytest.mark.parametrize("name", DESCRIPTIONS)
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("noise 5\n")])
def test_what_is_played_must_be_as_it_was_written(folder: Path, name: str, damage) -> None:
    """No file of the folder is read otherwise, because it would be taken for what the changed file says."""
    Seals(folder).write(folder / name, "noise 1\n")
    check_sealed(folder / "rows.jsonl")
    damage(folder / name)
    for check in (check_described, lambda folder: check_sealed(folder / "tables" / "a.json")):
        with pytest.raises(SealError, match=rf"{name} (is missing|has been changed) .* not say what was played here"):
            check(folder)


@pytest.mark.parametrize("texts", [[], ["noise 1\n"], ["noise 1\n", "noise 22\n"], ["a\n", "bbb\n", "a\n"]])
@pytest.mark.parametrize("step", ["append_text", "write_text"])
def test_a_kill_while_the_settings_are_replaced_leaves_valid_ones(
    tmp_path: Path, texts: list[str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    path = tmp_path / "settings.json"
    for text in texts:
        Seals(tmp_path).write(path, text)
    with monkeypatch.context() as patch:
        patch.setattr(module, step, killed)
        with pytest.raises(KilledError):
            Seals(tmp_path).write(path, "other\n")
    check_described(tmp_path)
    assert Seals(tmp_path).misfits() == []
    for text in ("other\n", "last\n"):
        Seals(tmp_path).write(path, text)
        check_described(tmp_path)
        assert path.read_text() == text
    path.write_text("never\n")
    with pytest.raises(SealError):
        check_described(tmp_path)


@pytest.fixture
def matches(tmp_path: Path) -> Path:
    """A finished run folder with three matches."""
    folder = tmp_path / "runs" / "run"
    (folder / "matches").mkdir(parents=True)
    for name in "abc":
        (folder / "matches" / f"{name}.match").write_text(f"{name}\n")
    (folder / RESULTS).write_text("{}\n")
    Seals(folder).add(folder / RESULTS, *sorted(folder.glob("matches/*")))
    return folder


def places(folder: Path) -> list[Path]:
    """Paths by which a run folder, or a folder in it or around it, can be given."""
    (folder.parent.parent / "link").symlink_to(folder)
    return [folder, folder / "matches", folder.parent, folder.parent.parent / "link", folder / ".." / folder.name]


def test_a_missing_file_is_found_at_every_place(matches: Path) -> None:
    everywhere = places(matches)
    for place in everywhere:
        check_listed(place, ".match")
    (matches / "matches" / "b.match").unlink()
    for place in everywhere:
        with pytest.raises(SealError, match=r"lacks matches/b.match, which .* or repeat the command that wrote run"):
            check_listed(place, ".match")
    check_listed(matches / "matches" / "a.match", ".match")
    shutil.rmtree(matches / "matches")
    with pytest.raises(SealError, match=r"lacks matches/a.match and 2 more files"):
        check_listed(matches, ".match")


def test_a_file_of_no_match_of_a_finished_run_is_found_at_every_place(matches: Path) -> None:
    added = matches / "matches" / "d.match"
    added.write_text("d\n")
    (matches / "matches" / "notes.txt").write_text("mine")
    for place in (*places(matches), added):
        with pytest.raises(SealError, match=r"d\.match is not a file of the run, .* move it elsewhere"):
            check_listed(place, ".match")
    check_listed(matches / "matches" / "notes.txt", ".match")
    added.rename(matches.parent / "d.match")
    check_listed(matches.parent, ".match")


def test_an_unfinished_run_may_write_more_but_has_no_copies(matches: Path) -> None:
    (matches / SEALS).unlink()
    (matches / RESULTS).unlink()
    Seals(matches).add(matches / "matches" / "a.match")
    check_listed(matches, ".match")
    (matches / "matches" / "b.match").write_text("a\n")
    with pytest.raises(SealError, match=r"b\.match is a copy of matches/a\.match"):
        check_listed(matches, ".match")


def test_a_run_folder_inside_another_one_has_a_list_of_its_own(matches: Path) -> None:
    inside = Path(shutil.copytree(matches, matches / "other"))
    check_listed(matches, ".match")
    (inside / "d.match").write_text("d\n")
    with pytest.raises(SealError, match=r"other/d\.match is not a file of the run"):
        check_listed(matches, ".match")
