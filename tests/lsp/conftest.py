from collections.abc import Iterator

import pytest
from editing import Editor
from typed_project import PROJECT


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    root = tmp_path_factory.mktemp("project")
    (root / "providers").mkdir()
    for name, text in PROJECT.items():
        (root / name).write_text(text)
    editor = Editor(root)
    editor.start()
    yield editor
    editor.stop()


@pytest.fixture
def as_it_was(editor: Editor) -> Iterator[None]:
    """Each test leaves the buffers as the files are."""
    yield
    for name, text in PROJECT.items():
        if editor.uri(name) in editor.versions:
            editor.type(name, text)
    editor.texts = {}
