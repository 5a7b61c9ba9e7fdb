import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "model"), str(Path(__file__).parents[2] / "model")]

from make_model import main as make_built_in  # noqa: E402
from tiny_model import write_model  # noqa: E402

from ml_worker.folder import read_folder  # noqa: E402
from ml_worker.model import Model, Settings  # noqa: E402

SETTINGS = Settings(threads=1, max_batch_tokens=4096)


@pytest.fixture(scope="session")
def lexical_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "lexical-384"
    make_built_in(folder)
    return folder


@pytest.fixture(scope="session")
def lexical(lexical_folder: Path) -> Model:
    return Model(read_folder(lexical_folder), SETTINGS)


@pytest.fixture
def tiny(tmp_path: Path):
    """Gives a function that loads a tiny transformer, written as asked."""

    def load(settings: Settings = SETTINGS, **options) -> Model:
        return Model(read_folder(write_model(tmp_path / "tiny", **options)), settings)

    return load
