"""Which model and which adapter MODEL+ADAPTER names."""

from pathlib import Path

import pytest

from dilemmas.agents.models.model_files import split_spec


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("gpt2", ("gpt2", None)),
        ("gpt2@main", ("gpt2@main", None)),
        ("owner/name@v2+runs/adapter", ("owner/name@v2", "runs/adapter")),
        ("miniature-student+a+b", ("miniature-student", "a+b")),
        ("plus+plus", ("plus+plus", None)),
        ("plus+plus+adapter", ("plus+plus", "adapter")),
        ("other+plus", ("other", "plus")),
        ("gpt2+", ("gpt2", None)),
    ],
)
def test_a_plus_sign_separates_model_and_adapter_but_not_the_name_of_a_directory(
    spec: str, parts: tuple[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plus+plus").mkdir()
    assert split_spec(spec) == parts
