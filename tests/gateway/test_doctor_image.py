"""`nixcfg doctor` on the image: its tag, its digest, and what is known of its release."""

import json
from pathlib import Path

import pytest
from day import Cli
from examined import inspected, settings, told

from nixcfg.knowledge import releases
from nixcfg.project.wiring import DEFAULT_IMAGE


def test_images(doctor, project: Path):
    settings(project, image="ghcr.io/berriai/litellm:main-latest")
    told(doctor()["image"], "warning", "may be another program tomorrow")
    settings(project, image="ghcr.io/berriai/litellm:v1.84.0")
    told(doctor()["image"], "warning", "nixcfg does not know it, and judges by")
    settings(project, image=f"ghcr.io/berriai/litellm@sha256:{'0' * 64}")
    told(doctor()["image"], "ok", "@sha256:")


BAD_IMAGES = {
    "tag": ("ghcr.io/berriai/litellm:v1.107.0", {}),
    "floating": ("ghcr.io/berriai/litellm:latest", {"RepoTags": ["litellm/litellm:v1.107.0"]}),
    "renamed": (
        "registry.example/mirror/gateway:ours",
        {"RepoDigests": [f"registry.example/mirror/gateway@sha256:c00f9d92c427{'0' * 52}"]},
    ),
    "labelled": (
        "registry.example/mirror/gateway:ours",
        {
            "Config": {
                "Entrypoint": ["docker/prod_entrypoint.sh"],
                "Labels": {"org.opencontainers.image.version": "v1.107.0"},
            }
        },
    ),
}


def report_of(doctor, stand_in, project: Path, started: str, image: dict[str, object]):
    """What doctor says where the engine reports this of a running container and its image."""
    container = json.loads(inspected(project, "whole"))
    container[0] |= {"Config": {"Image": started}, "Image": "sha256:1234"}
    script = f"""case "$1 $3" in
      "image sha256:1234") cat <<'E'\n{json.dumps([image])}\nE\n;;
      container*) cat <<'E'\n{json.dumps(container)}\nE\n;;
      esac"""
    return doctor(PATH=stand_in("docker", script))


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_compromised_image_runs(doctor, stand_in, project: Path, name: str):
    started, image = BAD_IMAGES[name]
    found = report_of(doctor, stand_in, project, started, image)
    told(found["release"], "error", f"{started} runs, and is compromised", "Stop it now")


def test_a_tag_of_a_compromised_release_under_another_name(doctor, stand_in, project: Path):
    started = "registry.example/mirror/llm:v1.107.0"
    found = report_of(doctor, stand_in, project, started, {})
    told(found["release"], "warning", "its tag is that of a compromised", "`nixcfg pin` looks")
    digest = f"@sha256:{'1' * 64}"
    assert "release" not in report_of(doctor, stand_in, project, started + digest, {})


NAME, PINNED, OTHER = "ghcr.io/berriai/litellm", f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
RUNNING = {
    # What docker and podman report of a container, its RepoDigests, and what is said of it.
    "docker": ({"Config": {"Image": f"{NAME}:v1.106.2@{PINNED}"}}, [PINNED], "ok", PINNED),
    # podman drops the tag, and knows the digest of the platform besides that of the index.
    "podman": (
        {"ImageName": f"{NAME}@{PINNED}", "ImageDigest": OTHER},
        [PINNED, OTHER],
        "ok",
        f"{NAME}:v1.106.2@{PINNED}",
    ),
    "another-name": ({"Config": {"Image": "mirror.example/x:1"}}, [PINNED], "ok", PINNED),
    "another": (
        {"ImageName": f"{NAME}:v1.106.2", "ImageDigest": OTHER},
        [OTHER],
        "warning",
        f"which is {OTHER}, and nixcfg.yaml pins {PINNED}",
    ),
    "from-a-file": ({"Config": {"Image": f"{NAME}:v1.106.2"}}, [], "skipped", "no digest here"),
    "another-file": ({"Config": {"Image": f"{NAME}:v1.105.0"}}, [], "warning", "v1.105.0 runs"),
}


@pytest.mark.parametrize("name", RUNNING)
def test_a_pinned_digest_and_what_runs(doctor, stand_in, project: Path, name: str):
    reported, digests, status, message = RUNNING[name]
    settings(project, image=f"{NAME}:v1.106.2@{PINNED}")
    container = json.loads(inspected(project, "whole"))
    del container[0]["Config"]
    container[0] |= {**reported, "Image": "sha256:1234"}
    image = {"RepoDigests": [f"{NAME}@{each}" for each in digests]}
    script = f"""case "$1 $3" in
      "image sha256:1234") cat <<'E'\n{json.dumps([image])}\nE\n;;
      container*) cat <<'E'\n{json.dumps(container)}\nE\n;;
      esac"""
    told(doctor(PATH=stand_in("docker", script))["image"], status, message)


def test_a_release_with_holes_runs_and_a_sound_one(doctor, stand_in, project: Path):
    text = inspected(project, "whole")
    assert "release" not in doctor(PATH=stand_in("docker", f"cat <<'E'\n{text}\nE"))
    text = text.replace(DEFAULT_IMAGE, "ghcr.io/berriai/litellm:v1.83.9")
    found = doctor(PATH=stand_in("docker", f"cat <<'E'\n{text}\nE"))
    told(found["release"], "error", "has known holes", "CVE-2026-49468", "fixed in 1.84.0")
    assert "CVE-2026-42208" not in found["release"]["message"]


def test_a_hole_of_unknown_releases_is_a_note(cli: Cli, project: Path):
    told = json.loads(cli(project, "doctor", "--json").out)["checks"]
    listed = [each for each in told if each["name"] == "advisories"]
    assert {each["status"] for each in listed} == {"skipped"}
    messages = [each["message"] for each in listed]
    assert [message.partition(" ")[0] for message in messages] == [
        each.id for each in releases.unresolved()
    ]


def test_the_list_of_releases_ages(doctor):
    day = 24 * 60 * 60
    assert "known releases" not in doctor(SOURCE_DATE_EPOCH=f"{1795824000 + 29 * day}")
    found = doctor(SOURCE_DATE_EPOCH=f"{1795824000 + 400 * day}")
    told(found["known releases"], "warning", "days old", "Update nixcfg")
