"""What import understands of Nix, held against nix itself where it is there."""

import json
import subprocess
from pathlib import Path as Folder

import pytest

from nixcfg.importing import Config, Container, Kind, NotImportableError, nixos
from nixcfg.importing.nix.evaluate import File
from nixcfg.importing.nix.values import Content, Generated, Mixed, Opaque, Path

pytestmark = pytest.mark.usefixtures("parser")

MERGED = {"a": [1, 2], "b": 1}

EXPRESSIONS = [
    '"a\\n\\"b\\${c}\\\\"',
    "''\n  a\n    b ''${x} ''' $${y}\n\n  c''",
    '"${toString 4000}:4000"',
    'let a = 1; b = { inherit a; c.d = 2; c.e = "x"; }; in b',
    'rec { x = "a"; y = x + "b"; "q r" = y; }',
    "let f = { a, b ? 2, ... }: [ a b ]; in f { a = 1; c = 3; }",
    "let g = x: y: [ y x ]; in g 1 2",
    "with { a = 1; b = [ 2 ]; }; [ a ] ++ b",
    "{ a = 1; } // { b = 2; a = 3; }",
    'if 1 == 1 && !false then "yes" else "no"',
    "let s = { a.b = 5; }; in [ (s.a.b or 6) (s.a.c or 6) ]",
    'let n = "v"; in { "${n}-x" = true; y = null; z = -1.5; }',
    "let inherit ({ a = 1; }) a; in a",
    'assert true; "fine"',
    "let a = b; b = 3; in a + 1",
    "https://example.org/v1",
    "''a\n  ''\\tb ''\\n ''${c} $${d} $'' + ''\\$''",
    'false || 1 != 2 || "a" == "b"',
    "{ a = 1; } // { a.b = 2; }",
    "let s = { a = 1; b = 2; }; inherit (s) a; in { inherit a; inherit (s) b; c = a; }",
    "let f = all@{ a, b ? a, ... }: all // { inherit b; }; in f { a = 1; c = 2; }",
    '[ (toString null) (toString true) (toString false) (toString "a") (toString 7) ]',
    'let o = builtins.mapAttrs (n: v: "${n}=${toString v}") { a = 1; b = 2; }; in o',
    "''\n\n    deep\n  less\n\n  ''",
]


def plain(value: object) -> object:
    match value:
        case dict():
            return {name: plain(thunk.force()) for name, thunk in value.items()}
        case list():
            return [plain(thunk.force()) for thunk in value]
    return value


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_same_as_nix(text: str, nix):
    done = nix("--eval", "--strict", "--json", "-E", text)
    assert done.returncode == 0, done.stderr
    assert plain(File("x.nix", text).value()) == json.loads(done.stdout)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{ lib, ... }: builtins.readFile /etc/key", "Content"),
        ('{ lib, ... }: lib.removeSuffix "\\n" (lib.fileContents "/k")', Content("/k")),
        (
            'let r = p: if builtins.pathExists p then builtins.readFile p else ""; in r "/k"',
            Content("/k", optional=True),
        ),
        ('{ pkgs, ... }: pkgs.writeText "c.yaml" "a: 1"', Generated("a: 1")),
        (
            "{ config, ... }: config.sops.secrets.x.path",
            Opaque(("config", "sops", "secrets", "x", "path")),
        ),
        ('"${builtins.readFile "/k"}"', Content("/k")),
        ('"a ${builtins.readFile "/k"}"', Mixed(("a ", Content("/k")))),
        ("{ lib, ... }: lib.mkIf true (lib.mkForce 3)", 3),
        ("{ lib, ... }: lib.optionals false [ 1 ] ++ lib.optional true 2", [2]),
        ("let x = x; in x", Opaque(("recursion",))),
        ("let f = x: f x; in (f 1).a", Opaque(("too deep", "a"))),
        ("{ config, ... }: config ? a", Opaque(("?",))),
        ("{ config, ... }: -config.a", Opaque(("unary",))),
        ("{ config, ... }: if config.a then 1 else 2", Opaque(("if",))),
        ("{ config, ... }: if config.a then 1 else null", 1),
        ('{ config, ... }: if config.a then "" else "b"', "b"),
        ("{ config, ... }: { a = 1; } // config.b", {"a": 1}),
        ("{ config, ... }: config.b // { a = 1; }", {"a": 1}),
        ("{ config, ... }: config.a < 3", Opaque(("<",))),
        ("{ config, ... }: let inherit (config.a) b; in b", Opaque(("config", "a", "b"))),
        ("let inherit ({ }) b; in b", Opaque(("b",))),
        ("{ }.a", Opaque(("a",))),
        ("1 2", Opaque(("apply",))),
        ("({ a }: a) { }", Opaque(("a",))),
        ("{ config, ... }: { ${config.a} = 1; }", {"?": 1}),
        ("{ config, ... }: builtins.mapAttrs (n: v: v) config.a", Opaque(("mapAttrs",))),
        ("{ lib, ... }: lib.mkMerge [ { a = [ 1 ]; b = 1; } { a = [ 2 ]; b = 2; } ]", MERGED),
        ("{ lib, config, ... }: lib.mkMerge config.a", Opaque(("config", "a"))),
        ("{ lib, ... }: lib.optional true [ 1 ]", [[1]]),
        ("{ lib, config, ... }: lib.optional config.a 1", [1]),
        ("{ lib, ... }: lib.optionalString false (builtins.readFile /k)", ""),
        ('{ lib, ... }: lib.trim " a "', "a"),
        ('{ pkgs, ... }: pkgs.writeTextFile { name = "c"; text = "a: 1"; }', Generated("a: 1")),
        ("{ pkgs, ... }: pkgs.writeTextFile { source = ./c; }", Generated(None)),
        ("./configs/${toString 1}.yaml", Path("./configs/1.yaml")),
        ("{ config, ... }: ./configs/${config.a}.yaml", Opaque(("path",))),
        ("~/key", Path("~/key")),
    ],
)
def test_what_modules_use(text: str, value: object):
    found = plain(File("x.nix", text).value())
    if value == "Content":
        assert isinstance(found, Content)
    else:
        assert found == value


@pytest.mark.parametrize(
    ("text", "place"),
    [("{\n  a = ;\n}\n", "x.nix:2:"), ("{ a = 1", "x.nix:1:"), ("é = 1;", "x.nix:1:")],
)
def test_what_is_not_nix_is_refused_with_its_place(text: str, place: str):
    with pytest.raises(NotImportableError, match=place):
        nixos.read("x.nix", text)


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


def test_without_the_parser_the_mend_is_told(tmp_path: Folder):
    import sys

    code = (
        "import sys; sys.modules['tree_sitter_nix'] = None\n"
        "from nixcfg.cli import main; sys.argv = ['nixcfg', 'import', 'x.nix']; main()"
    )
    (tmp_path / "x.nix").write_text("{ }")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "nixcfg[import]" in done.stderr


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
