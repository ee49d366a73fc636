"""What nixcfg calls valid, the module takes: no mistake waits for `nixos-rebuild`."""

import json
import re
from pathlib import Path

from nixcfg import check
from nixcfg.keys.shapes import is_refused
from nixcfg.knowledge import releases
from nixcfg.project import wiring
from nixcfg.project.find import read_project
from nixcfg.project.model import INFRASTRUCTURE
from nixcfg.render.files import rendered_files

MODULE = Path(__file__).parents[2] / "modules" / "litellm-proxy" / "assert-keys.nix"

PROVIDER = """\
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o}
"""

DATABASE = "{host: db, password_file: /keys/password}"
KEYS = "master_key_file: /keys/m\nsalt_key_file: /keys/s"

# Releases that must not run, sound ones, and what only looks like either.
_REPOSITORY = "ghcr.io/berriai/litellm"
_DIGEST = "sha256:1bbcb1443bc962e45f5aad53fe3d2c30600e0379715fb6c664cdd3ac126c339e"
COMPROMISED = [
    f"{_REPOSITORY}:v1.107.0",
    f"{_REPOSITORY}:1.107.0",
    f"{_REPOSITORY}-database:main-v1.107.0",
    f"{_REPOSITORY}-non_root:v1.107.0-stable",
    f"{_REPOSITORY}:v1.107.0-database",
    f"{_REPOSITORY}:v1.107.0-non_root",
    f"{_REPOSITORY}:v1.107.0@sha256:{'0' * 64}",
    f"docker.io/litellm/litellm@{_DIGEST}",
    f"registry.example:5000/mirror/gateway@{_DIGEST}",
    f"registry.example/mirror/gateway:v1.106.2@{_DIGEST}",
    f"registry.example/gateway@sha256:c00f9d92c427{'0' * 52}",
    f"registry.example/gateway@sha256:7b00e91cd2fe{'0' * 52}",
    "localhost/litellm:v1.82.7",
    f"{_REPOSITORY}:main-v1.82.8-stable",
]
HOLED = [
    f"{_REPOSITORY}:{tag}"
    for tag in (
        "v1.0.0",
        "v1.74.1",
        "v1.80.5",
        "v1.82.6",
        "v1.82.70",
        "v1.82.7-rc.1",
        "v1.83.6",
        "v1.83.7",
        "v1.83.14-stable.patch.2",
        "v1.83.99",
        "v1.84.0-rc.1",
        "1.84.0rc1",
        "1.84.0b2",
        "main-v1.84.0-nightly",
    )
]
SOUND = [  # not refused
    f"{_REPOSITORY}:v1.84.0",
    f"{_REPOSITORY}:v1.84.0-stable",
    f"{_REPOSITORY}:v1.103.0",
    f"{_REPOSITORY}:v1.106.2",
    f"{_REPOSITORY}:v1.107.0-rc.1",
    f"{_REPOSITORY}:v1.107.1",
    f"{_REPOSITORY}:v1.110.2",
    f"{_REPOSITORY}@sha256:{'0' * 64}",
    "registry.example/other:v1.107.1",
    "registry.example/other:v1.83.6",
    f"registry.example/other:v1.107.0@sha256:{'0' * 64}",
]
SUSPECTED = [  # warned of: nothing says whether it is LiteLLM
    "registry.example/mirror/llm:v1.107.0",
    "registry.example/llm:main-v1.107.0-stable",
    "localhost:5000/other:1.107.0",
    "litellm.example/other:1.82.7",
    "gateway:1.82.8",
]
IMAGES = [*COMPROMISED, *HOLED, *SOUND, *SUSPECTED]

# Lines of nixcfg.yaml: sound ones, and ones that the module refuses for a reason of its own.
LINES = [
    *(f"image: {image}" for image in IMAGES),
    "port: 4000",
    "listen_address: 0.0.0.0",
    "listen_address: 127.0.0.2\nauth: open",
    "listen_address: ::1\nauth: open\nbackend: docker",
    "listen_address: 0.0.0.0\nauth: open",
    "listen_address: 10.0.0.256",
    "image: ghcr.io/berriai/litellm:v1.82.7",
    "image: ghcr.io/berriai/litellm:main-v1.82.8-stable",
    "image: ghcr.io/berriai/litellm:main-latest",
    "secrets_dir: /keys/",
    "secrets_dir: /keys/../keys",
    "secrets: {OPENAI_API_KEY: /nix/store/x}",
    "secrets: {OPENAI_API_KEY: /keys//x}",
    "secrets: {OPENAI_API_KEY: /keys/./x}",
    "secrets: {OPENAI_API_KEY: /keys/x/}",
    "secrets: {OPENAI_API_KEY: '/keys/a b%c'}",
    "master_key_file: /keys/../x",
    "master_key_file: /keys/master",
    "instances: 2",
    "instances: 2\nredis: local",
    "instances: 2\nredis: {host: redis.example.org}\ndatabase: local\nmetrics: true",
    "instances: 2\nredis: local\nport: 4042",
    "instances: 2\nredis: local\nport: 4043",
    "instances: 2\nredis: local\nlisten_address: 0.0.0.0",
    "instances: 2\nredis: local\nworkers: 4\nbackend: podman",
    "workers: 4\nredis: local",
    *(f"environment: {{{name}: 'x'}}" for name in wiring.OWNED_VARIABLES),
    *(f"secrets: {{{name}: /keys/x}}" for name in wiring.OWNED_VARIABLES),
    "environment: {OPENAI_API_KEY: none}\nsecrets: {OPENAI_API_KEY: /keys/x}",
    "instances: 2",
    "instances: 2\nredis: local",
    "instances: 2\nredis: local\nport: 4042",
    "instances: 2\nredis: local\nport: 4043",
    "instances: 2\nredis: local\nport: 4042\nlisten_address: 127.0.0.2",
    "instances: 4\nworkers: 3\nredis: {host: redis.example.org}\ndatabase: local",
    "workers: 2",
    "database: local",
    "database: local\nauth: open",
    "database: local\nsalt_key_file: /keys/salt",
    f"database: {DATABASE}\nsalt_key_file: /keys/salt\nmetrics: true",
    f"database: {DATABASE.replace('db', 'localhost')}",
    "redis: {host: '::1'}",
    "redis: {host: 127.1.2.3}",
    "redis: {host: 'fd00::1', port: 1, password_file: /keys/r}",
    "salt_key_file: /keys/salt",
    "salt_key_file: /keys/salt\nsecrets: {DATABASE_URL: /keys/url}",
    "salt_key_file: /keys/salt\ngeneral_settings: {database_url: os.environ/DATABASE_URL}",
    "environment: {STORE_MODEL_IN_DB: 'True'}",
    "environment: {STORE_MODEL_IN_DB: 'True'}\ndatabase: local",
    "database: local\ngeneral_settings: {database_url: os.environ/DATABASE_URL}",
    "redis: {host: r}\nrouter_settings: {redis_host: os.environ/REDIS_HOST, redis_port: 6379}",
    *(
        f"{given}: local\n{section}: {{{name}: /x}}"
        for given, names in (
            ("database", (*wiring.DATABASE_VARIABLES, wiring.SALT_KEY_VARIABLE)),
            ("redis", wiring.REDIS_VARIABLES),
        )
        for section in ("environment", "secrets")
        for name in names
    ),
    f"database: {DATABASE}\nhosts: {{a: {{}}, b: {{}}}}",
    f"database: {DATABASE}\n{KEYS}\nhosts: {{a: {{}}, b: {{instances: 2, redis: local}}}}",
    f"database: {DATABASE}\n{KEYS}\nhosts: {{a: {{}}, b: {{model_config: openai}}}}",
]

VALUES = [
    *("", "none", "sk-local", "sk-1234567890", "sk-123456789012345", "abcdefghijk", "abcdefghijkl"),
    *(
        "/path/to/some/file",
        "http://host:80/x",
        "https://user:pw@host/x",
        "1234567890.1234",
        "true",
    ),
    *("postgresql://u:p@host/db", "postgresql://u@host/db", "-----BEGIN KEY", "AKIA0123456789ABC"),
    *("gsk_0123456789abcdef", "a b c d e f g h", "os.environ/SOME_OTHER_NAME", "é" * 6, "line"),
]
NAMES = [
    "FOO",
    "OPENAI_API_KEY",
    "LANGFUSE_PUBLIC_KEY",
    "X_TOKEN",
    "DB_PASSWORD",
    "AWS_ACCESS_KEY_ID",
]


def test_what_validates_evaluates_without_complaint(nix, tmp_path: Path) -> None:
    cases, valid = [], {}
    for number, lines in enumerate(LINES):
        folder = tmp_path / str(number)
        (folder / "providers").mkdir(parents=True)
        (folder / "nixcfg.yaml").write_text(lines + "\n")
        (folder / "providers" / "openai.yaml").write_text(PROVIDER)
        report = check.validate(read_project(folder))
        if report.project is None:
            continue
        for path, content in rendered_files(report.project).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        for machine in report.project.machines:
            name = f"{number}{machine.name}"
            valid[name] = lines
            file = folder / wiring.host_folder(machine.name) / wiring.DOCKER_NIX
            cases.append(f"{json.dumps(name)} = {file};")
    assert 5 < len(valid) < len(LINES) - 5
    file = tmp_path / "cases.nix"
    file.write_text("{\n" + "\n".join(cases) + "\n}\n")
    for number, found in nix("cases.nix", cases=str(file)).items():
        assert found["assertions"] == [], valid[number]


def test_a_plain_variable_is_a_key_for_both_or_for_none(nix, tmp_path: Path) -> None:
    pairs = [(name, value) for name in NAMES for value in VALUES]
    system = tmp_path / "cases.nix"
    system.write_text(
        "builtins.listToAttrs (map (pair: { name = toString pair.number; value = {\n"
        "  services.litellm-proxy = {\n"
        '    enable = true; modelConfig = "a"; configs.a.file = ./cases.nix;\n'
        "    environment.${pair.name} = pair.value; };\n"
        "}; }) (builtins.fromJSON (builtins.readFile ./pairs.json)))\n"
    )
    listed = [{"number": n, "name": name, "value": v} for n, (name, v) in enumerate(pairs)]
    (tmp_path / "pairs.json").write_text(json.dumps(listed))
    found = nix("cases.nix", cases=str(system))
    for number, (name, value) in enumerate(pairs):
        refused = any("looks like a key" in text for text in found[str(number)]["assertions"])
        assert is_refused(name, value) == refused, (name, value)


def test_both_know_the_same_variables_as_their_own() -> None:
    owned = re.search(r"ownedVariables = \{(.*?)\};", MODULE.read_text(), re.DOTALL)
    assert owned
    found = set(re.findall(r"^\s*(\w+) =", owned[1], re.MULTILINE))
    assert found == set(wiring.OWNED_VARIABLES)
    served = (
        ("database", {*wiring.DATABASE_VARIABLES, wiring.SALT_KEY_VARIABLE}),
        ("redis", set(wiring.REDIS_VARIABLES)),
    )
    for name, variables in served:
        text = (MODULE.parent / f"{name}.nix").read_text()
        assert set(re.findall(r"^\s*([A-Z_]+) = opt \"", text, re.MULTILINE)) == variables


def test_both_call_the_same_variables_needed_for_a_start() -> None:
    text = (MODULE.parent / "common.nix").read_text()
    listed = re.search(r"infrastructure = \[(.*?)\];", text, re.DOTALL)
    assert listed
    assert re.findall(r'"(\w+)"', listed[1]) == list(INFRASTRUCTURE)


def test_both_call_several_instances_the_same(nix) -> None:
    settings = f"""{{ services.litellm-proxy = {{
      enable = true; backend = "podman"; modelConfig = "a"; configs.a.file = {MODULE};
      instances = 2; redis.createLocally = true; }}; }}"""
    exported = nix("units.nix", settings=settings)
    units = {wiring.container_unit("podman", each) for each in wiring.containers(2)}
    assert {*units, wiring.TARGET, wiring.ROLL_UNIT, wiring.SECRETS_UNIT} <= set(exported["units"])
    assert wiring.main_unit("podman", 2) == wiring.TARGET
    assert f"(-f {wiring.OUT_DIR}/1)" in exported["nginx"]
    assert f"127.0.0.1:{wiring.INSTANCE_PORT + 1} " in exported["nginx"]
    one = nix("units.nix", settings=settings.replace("instances = 2;", ""))
    (container,) = wiring.containers(1)
    assert wiring.main_unit("podman", 1) == wiring.container_unit("podman", container)
    assert wiring.main_unit("podman", 1) in one["units"]


def test_both_judge_an_image_alike(nix, tmp_path: Path) -> None:
    cases = tmp_path / "cases.nix"
    cases.write_text(
        "builtins.mapAttrs (_: image: { services.litellm-proxy = {\n"
        '  enable = true; modelConfig = "a"; configs.a.file = ./cases.nix; inherit image; };\n'
        "}) (builtins.fromJSON (builtins.readFile ./images.json))\n"
    )
    named = {str(number): image for number, image in enumerate(IMAGES)}
    (tmp_path / "images.json").write_text(json.dumps(named))
    found = nix("cases.nix", cases=str(cases))
    for number, image in named.items():
        text = "".join(found[number]["assertions"])
        shown = text + "".join(found[number]["warnings"])
        refused = {
            level
            for level, words in (("compromised", "is a compromised"), ("error", "with holes that"))
            if words in text
        }
        known = releases.of_image(image)
        assert all(each.id in shown for each in known if refused != {"compromised"}), image
        levels = {each.level.value for each in known}
        ours = {"compromised"} if "compromised" in levels else levels & {"error"}
        assert ours == refused, image
        wanted = {"compromised"} if image in COMPROMISED else {"error"} if image in HOLED else set()
        assert refused == wanted, image
        is_suspected = "has the tag of a compromised" in shown
        assert is_suspected is (image in SUSPECTED) is bool(releases.suspected(image)), image
        assert all(each.id in shown for each in releases.suspected(image)), image
