"""What import understands of Nix, held against nix itself where it is there."""

import json
import subprocess
from pathlib import Path as Folder

import pytest

from nixcfg.importing import NotImportableError, nixos
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
