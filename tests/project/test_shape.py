"""The compiled schemas say yes exactly where jsonschema finds nothing."""

import importlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nixcfg.disk import shipped
from nixcfg.project import shape
from nixcfg.yamltext import reader
from program import HERE, ROOT
from tool import load

KINDS = ("project", "provider")
DOCUMENTS = [
    *HERE.glob("cases/*/nixcfg.yaml"),
    *HERE.glob("cases/*/providers/*.yaml"),
    *HERE.glob("invalid/*/nixcfg.yaml"),
    *HERE.glob("invalid/*/providers/*.yaml"),
    *ROOT.glob("providers/*.yaml"),
]


def explained(kind: str, data: object) -> bool:
    return Draft202012Validator(shipped.schema(kind)).is_valid(data)


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_from_the_schema_as_it_is(kind: str):
    schema = Path(shape.__file__).parents[1] / "schema" / f"{kind}.schema.json"
    compiled = importlib.import_module(f"nixcfg.schema.{kind}")
    assert load("compile_schemas").digest(schema) == compiled.SCHEMA, (
        "run python tools/compile_schemas.py"
    )


DATABASE = {"host": "db.example.org", "password_file": "/k"}


@pytest.mark.parametrize("kind", KINDS)
def test_agree_on_every_golden_document(kind: str):
    verdicts = []
    for path in DOCUMENTS:
        data = reader.read(path, path.name).data
        verdicts.append(shape.is_valid(kind, data))
        assert verdicts[-1] == explained(kind, data), path
    assert len(set(verdicts)) == 2  # some fit, some do not


def properties(kind: str) -> dict[str, list[object]]:
    """Good and bad values for every key of a schema, so that random documents come near it."""
    near = {
        "project": {
            "model_config": ["all", "", 1],
            "backend": ["podman", "lxc", None],
            "image": ["a:v1", "A", "a b"],
            "listen_address": ["::1", "localhost", 1],
            "port": [1, 65535, 0, 65536, 4.0, 4.5, True, "4000"],
            "auth": ["open", "none"],
            "master_key_file": ["/k", "k", "/nix/store/k", "config.sops.secrets.k.path"],
            "instances": [1, 3, 0, 101, "2", 2.5],
            "workers": [2, 0, True],
            "database": ["local", "remote", DATABASE, {"host": "db"}, {**DATABASE, "port": 0}],
            "salt_key_file": ["/k", "k"],
            "redis": ["local", None, {"host": "r"}, {"host": "redis://r"}, {"port": 1}],
            "metrics": [True, False, "yes"],
            "hosts": [{"a": {}}, {}, {"a": None}, {"a b": {}}, {"a": {"port": 0}}],
            "secrets_dir": ["/etc/keys", "/etc/../keys", "keys", None],
            "secrets": [{"A": "/a"}, {"A": {"kind": "file"}}, {"A": {"kinds": 1}}, {"1": "/a"}],
            "environment": [{"A": "b"}, {"A": "b\nc"}, {"A": 1}, {"-": "b"}],
            "profiles": [{"p": ["a"]}, {"p": []}, {"p": ["a", "a"]}, {"p q": ["a"]}],
            "severities": [{"NX201": "off"}, {"NX201": False}, {"NX201": 0}],
            "litellm_settings": [{}, [], None],
        },
        "provider": {
            "model_list": [
                None,
                [],
                [{"model_name": "a", "litellm_params": {"model": "b"}}],
                [{"model_name": "", "litellm_params": {"model": "b"}}],
                [{"model_name": "a", "litellm_params": {"model": 1}}],
                [{"model_name": "a", "litellm_params": {}, "model_info": []}],
                [{"litellm_params": {"model": "b"}}, 1],
            ],
            "environment_variables": [{"A": 1}, {"A": []}, {"A b": "c"}, None],
            "include": [["a"], "a", [1]],
            "router_settings": [{}, [], None],
            "general_settings": [{}, "x", None],
            "credential_list": [
                [{"credential_name": "a", "credential_values": {}, "credential_info": {}}],
                [{"credential_name": "a"}],
                None,
                {},
            ],
        },
    }[kind]
    # What this list does not know yet is tried with values of every type all the same.
    any_type: list[object] = [None, True, 1, 1.5, "text", "/path", [], ["a"], {}, {"A": "b"}]
    return {key: [*near.get(key, ()), *any_type] for key in shipped.schema(kind)["properties"]}


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_agree_on_random_documents(kind: str, data: st.DataObject):
    document = data.draw(
        st.fixed_dictionaries(
            {},
            optional={key: st.sampled_from(values) for key, values in properties(kind).items()}
            | {"unknown": st.just(1)},
        )
    )
    assert shape.is_valid(kind, document) == explained(kind, document)
