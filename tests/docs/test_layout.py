"""How the tests are laid out, where a mistake would stop all of them."""

from collections import Counter

from program import HERE


def test_no_two_files_have_one_name():
    """pytest imports test files by their bare name, and refuses to collect the second of a name."""
    names = Counter(path.name for path in HERE.rglob("*.py") if path.name != "conftest.py")
    assert [name for name, times in names.items() if times > 1] == []
