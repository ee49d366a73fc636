"""How keys come to the container: credentials, the wiring's script, and what is watched."""

import pytest
from evaluation import BACKEND, DATABASE_URL, Case, evaluate

# name: what is added to BASE
SOUND = {
    "all": 'services.litellm-proxy.modelConfig = "all";',
    "required": """services.litellm-proxy = { modelConfig = "all";
      configs.all.requiredSecrets = [ "OPENAI_API_KEY" ];
      secrets.OPENAI_API_KEY.optional = lib.mkForce false;
      secrets.ANTHROPIC_API_KEY.required = true; };""",
    "not-required": "services.litellm-proxy.configs.claude.requiredSecrets = [ ];",
    "optional": "services.litellm-proxy.secrets.ANTHROPIC_API_KEY.optional = true;",
    "open": 'services.litellm-proxy.auth = "open";',
    "master-key-file": 'services.litellm-proxy.masterKeyFile = "/run/secrets/master";',
    "percent": """services.litellm-proxy.secrets.ANTHROPIC_API_KEY.file =
      lib.mkForce "/etc/keys of 100%/a";""",
    "non-root": """services.litellm-proxy = {
      image = "ghcr.io/berriai/litellm-non_root:v1.106.2"; modelConfig = "all"; };""",
    "mapped": """services.litellm-proxy = { containerUid = 100000; backend = "docker"; };
      virtualisation.docker.daemon.settings.userns-remap = "dockremap";""",
}


@pytest.fixture(scope="module")
def evaluated(nix, tree, tmp_path_factory) -> dict[str, Case]:
    """Every case of this file, evaluated."""
    sound = BACKEND | SOUND | {"database": DATABASE_URL}
    cases = {name: [text] for name, text in sound.items()}
    return evaluate(nix, tmp_path_factory.mktemp("keys"), cases, **tree)


@pytest.mark.parametrize("name", SOUND)
def test_sound_configuration_has_nothing_to_complain_of(evaluated, name):
    assert evaluated[name]["assertions"] == []
    assert evaluated[name]["warnings"] == []


def test_another_config_changes_the_container_and_its_keys_only(evaluated):
    one, other = evaluated["docker"], evaluated["all"]
    assert one["container"]["volumes"] != other["container"]["volumes"]
    assert one["secrets"]["serviceConfig"]["SetCredential"] == [
        "ANTHROPIC_API_KEY:nixcfg-missing-key"
    ]
    assert [text.split(":")[0] for text in other["secrets"]["serviceConfig"]["SetCredential"]] == [
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "SERVICE_ACCOUNT",
    ]
    assert one["container"]["environment"] == other["container"]["environment"]


def test_keys_come_through_credentials(evaluated):
    service = evaluated["all"]["secrets"]["serviceConfig"]
    assert service["LoadCredential"] == [
        "ANTHROPIC_API_KEY:/etc/nixcfg/secrets/anthropic_api_key.txt",
        "OPENAI_API_KEY:/run/secrets/openai",
    ]
    assert service["LoadCredentialEncrypted"] == ["SERVICE_ACCOUNT:/run/agenix/account"]


def test_wiring_knows_need_and_kind_of_each_key(evaluated):
    script = evaluated["all"]["secrets"]["script"].splitlines()
    assert "wire ANTHROPIC_API_KEY /etc/nixcfg/secrets/anthropic_api_key.txt env optional" in script
    assert "wire OPENAI_API_KEY /run/secrets/openai env optional" in script
    assert "wire SERVICE_ACCOUNT /run/agenix/account file optional" in script


def test_one_missing_key_stops_no_other_model_unless_it_is_required(evaluated):
    def need(case: str, variable: str) -> str:
        lines = evaluated[case]["secrets"]["script"].splitlines()
        (line,) = [line for line in lines if line.startswith(f"wire {variable} ")]
        return line.rsplit(" ", 1)[1]

    assert need("docker", "ANTHROPIC_API_KEY") == "required"  # the only one of `claude`
    assert need("all", "ANTHROPIC_API_KEY") == "optional"
    assert need("required", "ANTHROPIC_API_KEY") == "required"
    assert need("required", "OPENAI_API_KEY") == "required"
    assert need("required", "SERVICE_ACCOUNT") == "optional"
    assert need("not-required", "ANTHROPIC_API_KEY") == "optional"
    assert need("optional", "ANTHROPIC_API_KEY") == "optional"
    assert need("database", "DATABASE_URL") == "required"


def test_file_secrets_are_mounted_read_only_as_a_directory(evaluated):
    assert evaluated["all"]["container"]["volumes"][5:] == [
        "/run/litellm-proxy/files:/run/litellm-proxy/files:ro"
    ]


def test_percent_sign_and_spaces_reach_systemd_as_such(evaluated):
    secrets = evaluated["percent"]["secrets"]
    assert secrets["serviceConfig"]["LoadCredential"] == ["ANTHROPIC_API_KEY:/etc/keys of 100%%/a"]
    assert secrets["unitConfig"]["RequiresMountsFor"] == ['"/etc/keys of 100%%/a"']
    assert "/etc/keys of 100%%" in evaluated["percent"]["watched"]
    assert "wire ANTHROPIC_API_KEY '/etc/keys of 100%/a' env required" in secrets["script"]


def test_master_key_is_generated_unless_there_is_a_file(evaluated):
    assert (
        "\nwire_generated LITELLM_MASTER_KEY master-key\n"
        in evaluated["docker"]["secrets"]["script"]
    )
    own = evaluated["master-key-file"]["secrets"]
    assert "\nwire_generated LITELLM_MASTER_KEY master-key\n" not in own["script"]
    assert "wire LITELLM_MASTER_KEY /run/secrets/master env required" in own["script"]
    assert "LITELLM_MASTER_KEY:/run/secrets/master" in own["serviceConfig"]["LoadCredential"]


def test_open_has_no_master_key_and_says_so_to_litellm(evaluated):
    name = "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY"
    assert evaluated["open"]["container"]["environment"][name] == "true"
    assert (
        "\nwire_generated LITELLM_MASTER_KEY master-key\n"
        not in evaluated["open"]["secrets"]["script"]
    )
    assert name not in evaluated["docker"]["container"]["environment"]


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_keys_are_mounted_and_never_given_to_the_engine(evaluated, backend):
    container = evaluated[backend]["container"]
    assert container["environmentFiles"] == []
    keys = "/run/litellm-proxy/environment"
    assert f"{keys}:{keys}:ro" in container["volumes"]
    assert container["entrypoint"] == "python3"
    assert container["cmd"][:4] == [
        "-I",
        "/app/start.py",
        keys,
        "/app/docker-entrypoint.sh:/app/docker/prod_entrypoint.sh:litellm",
    ]
    assert container["cmd"][4:] == ["--config", "/app/config.yaml", "--port", "4040"]


def test_the_process_is_whom_the_keys_belong_to(evaluated):
    assert evaluated["docker"]["container"]["user"] == "0:0"
    assert evaluated["non-root"]["container"]["user"] == "65534:65534"
    mapped = evaluated["mapped"]
    assert mapped["container"]["user"] == "0:0"
    assert "\ncontainer_uid=100000\n" in mapped["secrets"]["script"]
    assert mapped["secrets"]["serviceConfig"]["CapabilityBoundingSet"] == "CAP_CHOWN"


def test_runtime_directory_outlives_the_units(evaluated):
    case = evaluated["podman"]
    for service in (case["secrets"]["serviceConfig"], case["unit"]["serviceConfig"]):
        assert service["RuntimeDirectoryPreserve"] is True
        assert service["RuntimeDirectoryMode"] == "0700"


def test_watched_are_key_files_and_where_links_turn(evaluated):
    assert sorted(evaluated["all"]["watched"]) == [
        "/etc/nixcfg/secrets",
        "/etc/nixcfg/secrets/anthropic_api_key.txt",
        "/run/agenix",
        "/run/agenix.d",
        "/run/agenix/account",
        "/run/secrets",
        "/run/secrets.d",
        "/run/secrets/openai",
        "/var/lib/litellm-proxy/master-key",
    ]


def test_non_root_image_can_read_file_secrets(evaluated):
    assert "\ncontainer_uid=65534\n" in evaluated["non-root"]["secrets"]["script"]
    assert evaluated["non-root"]["secrets"]["serviceConfig"]["CapabilityBoundingSet"] == "CAP_CHOWN"
    assert "\ncontainer_uid=0\n" in evaluated["all"]["secrets"]["script"]
    assert evaluated["all"]["secrets"]["serviceConfig"]["CapabilityBoundingSet"] == ""
