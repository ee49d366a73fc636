"""Data is looked up, changed and compared as YAML means it."""

import pytest

from nixcfg.yamltext import data

DATA = {"a": [{"b": 1, "c": [2, 3]}, {"b": 4}], "d": {"e": {"f": 5}}, "g": None}


def test_what_is_off_the_path_is_shared():
    after = data.with_(DATA, ("a", 1, "b"), lambda old: old + 1)
    assert after["a"] == [DATA["a"][0], {"b": 5}]
    assert after["a"][0] is DATA["a"][0]
    assert DATA["a"][1] == {"b": 4}


def test_walk_names_collections_before_what_they_hold():
    paths = [path for path, _ in data.walk({"a": [1, {"b": 2}], "c": {}})]
    assert paths == [("a",), ("a", 0), ("a", 1), ("a", 1, "b"), ("c",)]


@pytest.mark.parametrize(
    ("paths", "gone", "left"),
    [
        ([("g",)], {("g",)}, {"a": DATA["a"], "d": DATA["d"]}),
        ([("d", "e", "f")], {("d",)}, {"a": DATA["a"], "g": None}),
        (
            [("a", 0), ("a", 0, "b"), ("g",)],
            {("a", 0), ("g",)},
            {"a": [{"b": 4}], "d": DATA["d"]},
        ),
        (
            [("a", 0, "c", 0), ("a", 1, "b")],
            {("a", 0, "c", 0), ("a", 1)},
            {**DATA, "a": [{"b": 1, "c": [3]}]},
        ),
        (
            [("a", 0, "c", 1), ("a", 0, "c", 0)],
            {("a", 0, "c")},
            {**DATA, "a": [{"b": 1}, {"b": 4}]},
        ),
        ([("a",), ("d",), ("g",)], {("a",), ("d",), ("g",)}, {}),
    ],
)
def test_what_is_emptied_goes_too(paths, gone, left):
    assert data.outermost(DATA, paths) == gone
    assert data.without(DATA, paths) == left


def test_equal_means_of_the_same_types():
    nan = float("nan")
    assert data.same({"a": [1, {"b": nan}]}, {"a": [1, {"b": nan}]})
    for one, other in [(1, True), (1, 1.0), ("1", 1), (None, ""), ([1], [1, 2]), ({"a": 1}, {})]:
        assert not data.same({"x": [one]}, {"x": [other]})


def test_depth_is_no_danger():
    one, other = [], []
    for _ in range(100_000):
        one, other = [one], [other]
    assert data.same(one, other)
    assert not data.same(one, [other])
