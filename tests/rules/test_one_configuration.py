"""LiteLLM sees one configuration, whose parts are in several files and not always in their place.

A fallback may name whatever any file offers, and nothing is missing that another file gives, or
that nixcfg moves to the section where LiteLLM honours it.
"""

from pathlib import Path

import pytest
from rules_support import by_itself, in_project

OPENAI = "model_list: [{model_name: gpt, litellm_params: {model: openai/gpt-4o}}]\n"
CLAUDE = (
    "model_list: [{model_name: claude, litellm_params: {model: anthropic/claude-sonnet-4-5}}]\n"
    "litellm_settings: {fallbacks: [{claude: [%s]}]}\n"
)


def codes(folder: Path, openai: str, claude: str, own: str = "") -> list[str]:
    report = in_project(
        folder,
        {
            "nixcfg.yaml": f"model_config: all\n{own}",
            "providers/openai.yaml": openai,
            "providers/claude.yaml": claude,
        },
    )
    # That nixcfg moves a setting is reported too, and is no subject here.
    return [problem.code for problem in report.problems if problem.code not in ("NX201", "NX412")]


@pytest.mark.parametrize("section", ["router_settings", "litellm_settings", "general_settings"])
@pytest.mark.parametrize("owner", ["openai", "claude", "own"])
def test_an_alias_is_known_wherever_it_is_written(tmp_path: Path, section: str, owner: str):
    alias = f"{section}: {{model_group_alias: {{fast: gpt}}}}\n"
    files = {"openai": OPENAI, "claude": CLAUDE % "fast", "own": ""}
    if section in files[owner]:
        files[owner] = files[owner].replace(
            "litellm_settings: {", "litellm_settings: {model_group_alias: {fast: gpt}, "
        )
    else:
        files[owner] += alias
    assert codes(tmp_path, files["openai"], files["claude"], files["own"]) == []


GROUP = "{group_name: group, models: [gpt], routing_strategy: least-busy}"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("group", f"router_settings: {{routing_groups: [{GROUP}]}}\n"),
        ("group", f"litellm_settings: {{routing_groups: [{GROUP}]}}\n"),
        ("openai/gpt-4o", ""),
    ],
)
def test_what_another_file_offers_is_known(tmp_path: Path, name: str, more: str):
    assert codes(tmp_path, OPENAI + more, CLAUDE % name) == []


def test_the_id_of_a_deployment_in_another_file_is_known(tmp_path: Path):
    openai = OPENAI.replace("4o}}]", "4o}, model_info: {id: first}}]")
    assert codes(tmp_path, openai, CLAUDE % "first") == []


@pytest.mark.parametrize("section", ["general_settings", "litellm_settings"])
@pytest.mark.parametrize("owner", ["own", "openai"])
def test_models_of_a_database_may_have_any_name(tmp_path: Path, section: str, owner: str):
    stores = f"{section}: {{store_model_in_db: true}}\n"
    where = {"own": "", "openai": OPENAI}
    where[owner] += stores
    found = codes(tmp_path, where["openai"], CLAUDE % "anything", where["own"])
    assert "NX421" not in found


def test_a_variable_stores_models_in_the_database_too(tmp_path: Path):
    own = 'environment: {STORE_MODEL_IN_DB: "True"}\n'
    assert "NX421" not in codes(tmp_path, OPENAI, CLAUDE % "anything", own)


@pytest.mark.parametrize("section", ["router_settings", "litellm_settings"])
def test_an_alias_of_a_model_that_no_one_offers_is_reported(tmp_path: Path, section: str):
    openai = OPENAI + f"{section}: {{model_group_alias: {{fast: nothing}}}}\n"
    assert codes(tmp_path, openai, CLAUDE % "fast") == ["NX421"]


def test_litellm_itself_reads_no_alias_outside_of_the_router(tmp_path: Path):
    # The alias is reported as misplaced; whether its model exists matters once it is moved.
    text = OPENAI + (
        "general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}\n"
        "litellm_settings: {model_group_alias: {fast: nothing}}\n"
    )
    found = by_itself(tmp_path, {"config.yaml": text}).problems
    assert [problem.code for problem in found] == ["NX201"]


def test_an_unknown_name_is_still_reported(tmp_path: Path):
    assert codes(tmp_path, OPENAI, CLAUDE % "nothing") == ["NX421"]


@pytest.mark.parametrize(
    "settings",
    [
        (
            "general_settings: {allowed_ips: [10.0.0.1]}\n"
            "litellm_settings: {litellm_license: os.environ/LITELLM_LICENSE}\n"
        ),
        (
            "general_settings: {store_prompts_in_spend_logs: true}\n"
            "router_settings: {database_url: os.environ/DATABASE_URL}\n"
        ),
    ],
    ids=["licence", "database"],
)
def test_what_nixcfg_renders_in_its_place_is_not_missing(tmp_path: Path, settings: str):
    assert codes(tmp_path, OPENAI + settings, CLAUDE % "gpt") == []


NEEDS_LICENCE = "general_settings: {allowed_ips: [10.0.0.1]}\n"
LICENCE = "general_settings: {litellm_license: os.environ/LITELLM_LICENSE}\n"
CACHE = "litellm_settings: {cache: true}\n"
CACHE_PARAMS = "litellm_settings: {cache_params: {type: local}}\n"
CUSTOM = "model_list: [{model_name: own, litellm_params: {model: mine/own}}]\n"
PROVIDERS = (
    "litellm_settings: {custom_provider_map: [{provider: mine, custom_handler: litellm.own}]}\n"
)


@pytest.mark.parametrize(
    ("needs", "gives", "code"),
    [
        (OPENAI + NEEDS_LICENCE, LICENCE, "NX215"),
        (OPENAI + CACHE, CACHE_PARAMS, "NX214"),
        (CUSTOM, PROVIDERS, "NX402"),
        ("model_list: []\n", "general_settings: {store_model_in_db: true}\n", "NX401"),
    ],
)
@pytest.mark.parametrize("owner", ["nixcfg.yaml", "providers/b.yaml", "providers/c.yaml"])
def test_what_another_file_gives_is_not_missing(
    tmp_path: Path, needs: str, gives: str, code: str, owner: str
):
    other = "model_list: [{model_name: other, litellm_params: {model: openai/gpt-4.1}}]\n"
    files = {
        "nixcfg.yaml": "model_config: work\nprofiles: {work: [a, b]}\n",
        "providers/a.yaml": needs,
        "providers/b.yaml": other,
        "providers/c.yaml": other.replace("other,", "third,"),
    }
    missing = in_project(tmp_path / "without", files).problems
    assert code in {problem.code for problem in missing}
    files[owner] += gives
    found = in_project(tmp_path / "with", files).problems
    is_loaded = owner != "providers/c.yaml"
    assert (code in {problem.code for problem in found}) is not is_loaded
