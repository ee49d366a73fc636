"""NixOS modules that import understands: containers, and services of nixpkgs or of another kind."""

import pytest

from nixcfg.importing import Config, Container, Kind, NotImportableError, nixos

pytestmark = pytest.mark.usefixtures("parser")

CONTAINER = """\
{ config, lib, pkgs, ... }:
let key = name: config.sops.secrets.${name}.path; in
{
  virtualisation.oci-containers.containers.llm = lib.mkIf true {
    image = "docker.io/litellm/litellm:v1.106.2";
    ports = [ "4000:4000" ];
    environment = {
      A_KEY = builtins.readFile config.sops.secrets."a/b".path;
      B_KEY = builtins.readFile ./secrets/b.txt;
      C_KEY = builtins.readFile config.age.secrets.c.path;
      D_KEY = builtins.getEnv "D";
      OLLAMA_API_BASE = "http://127.0.0.1:11434";
      VERBOSE = true;
      LITELLM_MASTER_KEY = lib.fileContents "/etc/master";
    } // lib.optionalAttrs config.services.x.enable { E_KEY = "word-1234567890-word-word"; };
    environmentFiles = [ (key "env") "/run/secrets/llm.env" ];
    volumes = [ "${pkgs.writeText "config.yaml" ''
      model_list:
        - model_name: a
          litellm_params:
            model: ollama/a
    ''}:/app/config.yaml" ];
    cmd = [ "--config=/app/config.yaml" ];
  };
  virtualisation.oci-containers.containers.other.image = "nginx";
  virtualisation.podman.enable = true;
}
"""


def test_a_module_of_its_own_kind():
    found = nixos.read("x.nix", CONTAINER)
    assert found.image == "docker.io/litellm/litellm:v1.106.2"
    assert (found.listen_address, found.port, found.backend) == ("0.0.0.0", 4000, "podman")
    assert found.environment == {"OLLAMA_API_BASE": "http://127.0.0.1:11434", "VERBOSE": "true"}
    assert found.secrets == {
        "A_KEY": 'config.sops.secrets."a/b".path',
        "B_KEY": "",
        "C_KEY": "config.age.secrets.c.path",
        "D_KEY": "",
        "LITELLM_MASTER_KEY": "/etc/master",
        "E_KEY": "",
    }
    assert found.config is not None
    assert found.config.document is not None
    assert found.config.document.data["model_list"][0]["model_name"] == "a"
    told = [(note.kind, note.span.line) for note in found.notes]
    for kind, line in [
        (Kind.CHECK, 6),
        (Kind.SECRET, 8),
        (Kind.SECRET, 9),
        (Kind.SECRET, 10),
        (Kind.CHECK, 11),
        (Kind.SECRET, 14),
        (Kind.SECRET, 15),
        (Kind.CHECK, 16),
        (Kind.LEFT_OUT, 25),
    ]:
        assert (kind, line) in told
    assert all("word-1234567890" not in note.message for note in found.notes)


def test_a_container_on_the_network_of_the_machine_behind_a_function():
    found = nixos.read(
        "x.nix",
        """{ config, lib, ... }: let port = 3200; cfg = config.my; in {
          options.my.enable = lib.mkEnableOption "x";
          config = lib.mkMerge [ (lib.mkIf cfg.enable {
            virtualisation.oci-containers.containers = {
              db = mine { image = "postgres:16"; };
              llm = mine { image = "berriai/litellm:main-stable";
                cmd = [ "--port=${toString port}" "--host" "localhost" "-c" "/c/config.yaml" ];
                volumes = [ "/srv/llm:/c:ro" "/var/gcp.json:/gcp.json:ro" ];
                environment.GOOGLE_APPLICATION_CREDENTIALS = "/gcp.json";
                environment.OPENAI_API_KEY = (import ./secrets.nix).openai;
                extraOptions = [ "--network" "host" ]; };
            }; }) ];
        }""",
    )
    assert (found.port, found.listen_address) == (3200, "127.0.0.1")
    assert found.config is not None
    assert found.config.path == "/srv/llm/config.yaml"
    assert found.secrets == {
        "GOOGLE_APPLICATION_CREDENTIALS": "/var/gcp.json",
        "OPENAI_API_KEY": "",
    }
    assert found.files == {"GOOGLE_APPLICATION_CREDENTIALS"}
    assert any("mine is not followed" in note.message for note in found.notes)
    assert any("the container db" in note.message for note in found.notes)


def test_the_service_of_nixpkgs():
    found = nixos.read(
        "x.nix",
        """{ services.litellm = { enable = true; port = 4001; environmentFile = "/e";
        settings.model_list = [ { model_name = "a"; litellm_params.model = "ollama/a"; } ]; }; }""",
    )
    assert (found.port, found.listen_address) == (4001, "127.0.0.1")
    assert found.config is not None
    assert found.config.document is not None
    assert found.config.document.data == {
        "model_list": [{"model_name": "a", "litellm_params": {"model": "ollama/a"}}]
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("3", "x.nix: this is no NixOS module"),
        ("{ config, ... }: config.other", "x.nix: this is no NixOS module"),
        ("{ services.nginx.enable = true; }", "x.nix: no container runs LiteLLM"),
        (
            """{ virtualisation.oci-containers.containers = {
            a.image = "x/litellm"; b.cmd = [ "litellm" ]; }; }""",
            "x.nix: a, b all run LiteLLM; import takes one",
        ),
        (
            "{ services.litellm = { enable = true; settings = [ 1 ]; }; }",
            "x.nix:1:50: the LiteLLM configuration is put together in a way that only Nix can",
        ),
        (
            "{ config, ... }: { services.litellm.settings.model_list = config.my.models; }",
            "x.nix:1:59: this part of the configuration is known to Nix only: config.my.models",
        ),
        (
            "{ services.litellm.settings.general_settings.k = builtins.readFile ./k; }",
            "x.nix:1:50: this part of the configuration is known to Nix only: content",
        ),
    ],
)
def test_modules_that_are_refused(text: str, says: str):
    with pytest.raises(NotImportableError) as refused:
        nixos.read("x.nix", text)
    assert says in str(refused.value)


def one(options: str) -> Container:
    """A module with one container."""
    return nixos.read(
        "x.nix",
        "{ config, lib, pkgs, ... }: { imports = [ ./other.nix ];\n"
        f"virtualisation.oci-containers.containers.llm = {{\n{options}\n}}; }}",
    )


IMAGE = 'image = "x/litellm:v1";'
OPTIONS: list[tuple[str, dict[str, object], str]] = [
    ('cmd = [ "litellm" ];', {"image": None, "port": None}, ""),
    (f"{IMAGE} environment = config.my.environment;", {"secrets": {}}, "environment is put tog"),
    (f"{IMAGE} environment = {{ A = null; B = 5; }};", {"environment": {"B": "5"}}, ""),
    (f"{IMAGE} environment.A = ./a;", {"secrets": {"A": ""}}, "what A holds is only known to Nix"),
    (f"{IMAGE} volumes = [ config.my.volume ];", {"config": None}, "a volume without a path"),
    (f"{IMAGE} ports = [ config.my.port ];", {"port": None}, "an entry of ports that only Nix"),
    (f"{IMAGE} ports = null;", {"port": None}, ""),
    (f'{IMAGE} ports = "4100:4000";', {"port": 4100}, "published on all interfaces"),
    (
        f'{IMAGE} extraOptions = [ config.my.option "--network=host" ]; cmd = [ "--port" "4100" ];',
        {"port": 4100},
        "",
    ),
    (
        f"{IMAGE} environment.A_KEY = builtins.readFile config.my.file;",
        {"secrets": {"A_KEY": ""}},
        "A_KEY was read into the Nix store",
    ),
    (
        f'{IMAGE} volumes = [ "${{./config.yaml}}:/app/config.yaml" ];',
        {"config": Config("./config.yaml")},
        "",
    ),
    (
        f'{IMAGE} volumes = [ (./config.yaml + ":/app/config.yaml") ];',
        {"config": Config("./config.yaml")},
        "",
    ),
    (f'{IMAGE} cmd = [ "--num_workers" "2" ];', {"workers": 2, "environment": {}}, ""),
]


@pytest.mark.parametrize(("options", "expected", "told"), OPTIONS)
def test_options_of_a_container(options: str, expected: dict[str, object], told: str):
    found = one(options)
    assert {name: getattr(found, name) for name in expected} == expected
    messages = [note.message for note in found.notes]
    assert any(message.startswith(told) for message in [*messages, ""])
    # What is imported elsewhere is nobody's setting that could be missed.
    assert not any("imports" in message for message in messages)


def test_the_service_of_nixpkgs_without_settings():
    found = nixos.read("x.nix", '{ services.litellm = { host = "0.0.0.0"; package = 1; }; }')
    assert (found.port, found.listen_address, found.config) == (8080, "0.0.0.0", None)
    assert [note.message for note in found.notes] == ["package: the NixOS module has its own"]


def test_a_configuration_in_nix_may_name_paths():
    found = nixos.read(
        "x.nix",
        "{ services.litellm.settings = { model_list = [ ]; general_settings.a = ./a; }; }",
    )
    assert found.config is not None
    assert found.config.document is not None
    assert found.config.document.data["general_settings"] == {"a": "./a"}


def test_one_of_several_configurations_by_a_name():
    """`configs/claude.yaml` by a variable: all beside it come along. Not where only Nix knows."""
    module = (
        "{ config, ... }: let chosen = %s; in { virtualisation.oci-containers.containers.llm = {\n"
        'image = "x/litellm"; volumes = [ "/srv/${chosen}.yaml:/app/config.yaml" ]; }; }'
    )
    found = nixos.read("x.nix", module % '"claude"')
    assert found.config == Config("/srv/claude.yaml", "/srv/*.yaml")
    found = nixos.read("x.nix", (module % '"claude"').replace("${chosen}", "claude"))
    assert found.config == Config("/srv/claude.yaml")
