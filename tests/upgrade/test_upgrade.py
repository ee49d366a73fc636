"""`nixcfg upgrade`: what it says of two releases, what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest

from nixcfg import knowledge
from nixcfg.knowledge import releases
from nixcfg.upgrade.change import image_of
from program import Run

DEFAULT = knowledge.default().version
OTHER = next((each for each in reversed(knowledge.known()) if each != DEFAULT), "")
OLD = "1.83.0"

needs_two = pytest.mark.skipif(not OTHER, reason="nixcfg knows one release only")


def project(folder: Path, model: str = "openai/gpt-5.6", own: str = "") -> Path:
    (folder / "providers").mkdir()
    (folder / "nixcfg.yaml").write_text(own or "model_config: all # loaded\n")
    (folder / "providers" / "openai.yaml").write_text(
        "model_list:\n"
        "  - model_name: gpt\n"
        f"    litellm_params: {{model: {model}, api_key: os.environ/OPENAI_API_KEY}}\n"
    )
    return folder


def image(release: str) -> str:
    return f"model_config: all # loaded\nimage: ghcr.io/berriai/litellm:v{release} # ours\n"


def differences(nixcfg: Run, folder: Path, *arguments: str) -> list[dict[str, str]]:
    done = nixcfg("-C", folder, "upgrade", *arguments, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["differences"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ghcr.io/berriai/litellm:v1.83.0", "ghcr.io/berriai/litellm:v1.108.7"),
        ("mirror:5000/x/litellm:main-v1.83.0-stable", "mirror:5000/x/litellm:main-v1.108.7-stable"),
        ("ghcr.io/berriai/litellm-database:1.83.0", "ghcr.io/berriai/litellm-database:1.108.7"),
        (f"litellm/litellm:v1.83.0@sha256:{'a' * 64}", "litellm/litellm:v1.108.7"),
    ],
)
def test_a_tag_keeps_its_form_and_an_old_digest_goes(old: str, new: str):
    assert image_of(old, "1.108.7") == new


def test_writes_the_image_with_its_comments_and_renders(tmp_path: Path, nixcfg: Run):
    folder = project(tmp_path, own=image(OLD))
    done = nixcfg("-C", folder, "upgrade", "--no-rehearse")
    assert done.returncode == 0, done.stderr
    assert (folder / "nixcfg.yaml").read_text() == image(DEFAULT)
    assert f"v{DEFAULT}" in (folder / "rendered" / "docker.nix").read_text()
    assert "closes CVE-2026-42208" in done.stdout
    again = nixcfg("-C", folder, "upgrade", "--check")
    assert (again.returncode, again.stdout) == (0, "")


def test_check_and_dry_run_write_nothing(tmp_path: Path, nixcfg: Run):
    folder = project(tmp_path, own=image(OLD))
    assert nixcfg("-C", folder, "upgrade", "--check").returncode == 1
    assert nixcfg("-C", folder, "upgrade", "--dry-run").returncode == 0
    assert (folder / "nixcfg.yaml").read_text() == image(OLD)
    assert not (folder / "rendered").exists()


def test_each_host_with_an_image_of_its_own(tmp_path: Path, nixcfg: Run):
    own = image(OLD) + (
        "hosts:\n"
        "  a: {}\n"
        "  b:\n"
        "    image: mirror/litellm:v1.84.1 # b's\n"
        "  c:\n"
        "    image: mirror/litellm:mine\n"
    )
    folder = project(tmp_path, own=own)
    done = nixcfg("-C", folder, "upgrade", "--no-rehearse")
    assert done.returncode == 0, done.stderr
    wanted = own.replace(OLD, DEFAULT).replace("1.84.1", DEFAULT)
    assert (folder / "nixcfg.yaml").read_text() == wanted


@pytest.mark.parametrize(
    ("release", "why"),
    [("1.107.0", "must not run"), ("latest", "is no release"), ("1.2", "is no release")],
)
def test_refuses(release: str, why: str, tmp_path: Path, nixcfg: Run):
    done = nixcfg("-C", project(tmp_path), "upgrade", release)
    assert done.returncode == 1
    assert why in done.stderr
    assert "Traceback" not in done.stderr


@needs_two
def test_a_model_that_only_one_release_serves(tmp_path: Path, nixcfg: Run):
    here, there = (knowledge.of(each).bare_models() for each in (DEFAULT, OTHER))
    gained = min(there.keys() - here.keys())
    folder = project(tmp_path, model=gained)
    found = differences(nixcfg, folder, OTHER)
    assert ["gain", "NX402"] in [[each["effect"], each["code"]] for each in found]
    (folder / "nixcfg.yaml").write_text(image(OTHER))
    found = differences(nixcfg, folder, DEFAULT)
    assert ["loss", "NX402"] in [[each["effect"], each["code"]] for each in found]
    done = nixcfg("-C", folder, "upgrade", DEFAULT, "--no-rehearse")
    assert done.returncode == 1
    assert "would not validate" in done.stderr
    assert (folder / "nixcfg.yaml").read_text() == image(OTHER)


@needs_two
def test_a_price_that_differs(tmp_path: Path, nixcfg: Run):
    here, there = (knowledge.of(each) for each in (DEFAULT, OTHER))
    names = [
        f"{vendor}/{name}"
        for vendor in sorted(here.providers())
        for name, facts in here.models(vendor).items()
        if (after := there.models(vendor).get(name)) is not None
        and facts.input_cost_per_token != after.input_cost_per_token
        and here.find_model(f"{vendor}/{name}") == facts
    ]
    if not names:
        pytest.skip("no price differs between the known releases")
    found = differences(nixcfg, project(tmp_path, model=names[0]), OTHER)
    assert any("a million tokens" in each["message"] for each in found)


def test_a_release_of_no_known_line_is_said(tmp_path: Path, nixcfg: Run):
    done = nixcfg("-C", project(tmp_path), "upgrade", "9.9.9", "--dry-run")
    assert "nixcfg does not know LiteLLM 9.9.9: judged by" in done.stderr


def test_a_database_is_migrated(tmp_path: Path, nixcfg: Run):
    folder = project(tmp_path, own=image(OLD) + "database: local\n")
    found = differences(nixcfg, folder)
    assert any("migrates the database" in each["message"] for each in found)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.106.12", "1.108.14", "runs 7 migrations of the database"),
        ("1.105.7", "1.106.12", "runs 18 migrations of the database"),
        ("1.108.14", "1.110.2", "migrates the database"),  # its own count is not known
        ("1.106.3", "1.108.14", "migrates the database"),  # no set of its own
        ("1.108.7", "1.108.14", ""),
    ],
)
def test_migrations_are_counted(old: str, new: str, said: str, tmp_path: Path, nixcfg: Run):
    folder = project(tmp_path, own=image(old) + "database: local\n")
    found = [each["message"] for each in differences(nixcfg, folder, new)]
    about = [each for each in found if "database" in each]
    assert [said in each for each in about] == [True] * bool(said), about


def test_what_is_on_without_being_asked_for(tmp_path: Path, nixcfg: Run):
    folder = project(tmp_path, own=image("1.106.2"))
    new = "router_settings.fallback_on_unsupported_params is new, and true where it is not given"
    assert new in [each["message"] for each in differences(nixcfg, folder, "1.108.14")]
    own = image("1.108.14") + "router_settings: {fallback_on_unsupported_params: false}\n"
    (folder / "nixcfg.yaml").write_text(own.replace("1.108.14", "1.106.2"))
    found = [each["message"] for each in differences(nixcfg, folder, "1.108.14")]
    assert new not in found


def test_holes_of_unknown_releases_are_named(tmp_path: Path, nixcfg: Run):
    done = nixcfg("-C", project(tmp_path, own=image("1.106.2")), "upgrade", "--dry-run")
    for each in releases.unresolved():
        assert f"Not known of either release: {each.id} " in done.stderr
