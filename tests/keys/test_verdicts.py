"""set-key, doctor, try and the service refuse the same texts as keys, for the same reason."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tool
from nixcfg.keys import read, store
from nixcfg.keys.refusals import DOCUMENT_REFUSALS, KEY_REFUSALS, document_refusal, key_refusal
from nixcfg.keys.shapes import MISSING_KEY, PREFIXES, prefixes
from nixcfg.project.wiring import KeyFile
from program import ROOT

MODULE = ROOT / "modules" / "litellm-proxy"

# The script's own functions, asked about many files; nothing is wired.
ASK = f"""
missing_key={MISSING_KEY} secret_files=/x container_uid=0
source {MODULE}/key-shapes.sh
source {MODULE}/wiring.sh
set +e
for file in "$1"/*; do
  refused_as= value=
  if is_missing "$file"; then
    refused_as=missing
  elif [ "$2" = document ]; then
    find_in_document "$file"
  else
    find_in_key "$2" "$file"
  fi
  echo "${{file##*/}} ${{refused_as:-taken}}"
done
"""

BODY = "AbCdEf0123456789ghIJklMNopQRstUVwx"
GOOD = [
    *(f"{prefix}{BODY}" for prefix in prefixes()),
    *("sk-ant-api03-aXXXXXXb12345678", "sk-ant-api03-xxAbc_def-ghi", "none", "EMPTY", "sk-local"),
    *("your", "yourkey123", "xx", "xxa", "a$b", "$ecret!", "truely", "QUJDRA==", "ABC_DEF=="),
    *("$2y$10$N9qo8uLOickgx2ZMRZoMye/", "postgresql://user:pass word@host/db?x=1#y", "hunter2"),
    "Endpoint=sb://a.example.org/;SharedAccessKeyName=n;SharedAccessKey=QUJD=",
    *("/wJalrXUtnFEMI/K7MDENG/bPxRfiCYz1", "a b", "correct horse battery staple", "{}", "[1, 2]"),
    *('{"type": "service_account"}', "s" * (65535 - len("FIRST_KEY=")), "x=1", "a:b"),
    *("test", "null", "sk-lm-studio", "set-top-box-17", "bearer-of-news-17", "export-9f8e"),
]
BAD = {
    "empty": ["", "\n", "\n\n\n"],
    "blank": [" ", "   \n"],
    "byte-order-mark": ["\ufeffsk-abcdef", "sk-abc".encode("utf-16"), b"\xfe\xff\0s\0k"],
    "encrypted": [
        "ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]",
        "key: ENC[AES256_GCM,data:x]\nsops:\n",
        "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n",
        b"age-encryption.org/v1\n-> X25519 x\n\x00\x01",
        "-----BEGIN PGP MESSAGE-----\n\nx\n",
        "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
        "vault:v1:AbCdEf==",
        "Whxqht+dQJax1aZeCGLxmiAAAAABAAAADAAAABAAAAA",
    ],
    "pem": ["-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"],
    "more-than-one-line": ["sk-a\nsk-b", "\nsk-a", '{\n  "a": 1\n}\n', "sk-a\r\nsk-b\r\n"],
    "control-character": ["sk-a\r\n", "sk\ta", "\x1b[31msk-a", b"sk-\0a", "sk-a\x7f"],
    "space-around": [" sk-a", "sk-a ", " a b "],
    "quoted": ['"sk-a"', "'sk-a'", "`sk-a`", '"', '"sk-a'],
    "odd-space": ["sk-a\u00a0", "sk-\u202fa", "\u3000sk-a", "sk-\u2009a"],
    "invisible": ["sk-a\u200b", "sk-\u2060a", "sk-\u00ada", "sk-\ufeffa"],
    "typographic-quote": ["“sk-a”", "sk-a\u2019", "«sk-a»"],
    "typographic-dash": ["sk\u2013a", "sk\u2212a"],
    "not-ascii": ["ключ", "sk-é", b"sk-proj-\xf6a", "🔑", b"\x80", b"\xff"],
    "header": [
        "Bearer sk-a",
        "bearer sk-a",
        "Basic dTpw",
        "Authorization: Bearer a",
        "x-api-key: a",
    ],
    "assignment": [
        *("FIRST_KEY=sk-a", "OPENAI_API_KEY=sk-a", "export A_KEY=sk-a", "set A_KEY=sk-a"),
        *("api_key=sk-a", "api_key: sk-a", "TOKEN=a", "OPENAI_API_KEY:sk-a", "a=b".upper()),
    ],
    "reference": [
        *("os.environ/OPENAI_API_KEY", "os.environ['X']", "config.sops.secrets.a.path", "env:X"),
        *("GROQ_API_KEY", "/run/secrets/openai", "op://vault/item", "oidc/google/aud", "X_TOKEN"),
    ],
    "word": ["true", "False", "TRUE\n"],
    "example": ["sk-1234", "sk-12 34"],
    "placeholder": [
        *("replace-me", "REPLACE_ME", "replace me", "replaceme", "replace-me-with-your-key"),
        *("sk-replace-me", "changeme", "change-me", "placeholder", "fill-me-in", "ToDo", "tbd"),
        *("your-key", "your-api-key", "your_anthropic_api_key", "your-api-key-here", "my-key"),
        *("sk-your-key", "sk-your-key-here", "sk-ant-your-key-here", "gsk_your_key", "your-token"),
        *("YOUR_SECRET", "insert-key-here", "paste-your-key-here", "put-key-here", "<your key>"),
        *("<OPENAI_API_KEY>", "{{ key }}", "${OPENAI_API_KEY}", "$OPENAI_API_KEY", "[key]"),
        *("$(cat /etc/key.txt)", "...", "sk-...", "sk-proj-...abcd", "sk-****abcd", "****", "xxx"),
        *("sk-xxxxxxxx", "XXXX-XXXX", "sk-ant-api03-xxxxxxxxxxxx", "hf_xxxxxxxxx", "0000", "%KEY%"),
        *("password", "secret", "api-key", "sk-12345", "my-api-key", "aaaaaaaa", "---"),
    ],
    "space-inside": ["gsk_aaaa bbbb", "sk-abc def", "AIzaSyA 123"],
    "too-long": ["s" * 65537, "s" * (65536 - len("FIRST_KEY="))],
    "missing": [MISSING_KEY, f"{MISSING_KEY}\n"],
}
DOCUMENTS = {
    "taken": [
        "{}",
        '{"type": "service_account"}\n',
        "eyJhbGciOi.x.y",
        "-----BEGIN CERTIFICATE-----\n",
    ],
    "empty": ["", "\n"],
    "encrypted": ['{"data": "ENC[AES256_GCM,data:x]", "sops": {}}\n', *BAD["encrypted"][2:5]],
    "placeholder": ["<paste the document here>\n", "replace-me\n"],
    "key-for-document": ["AIza", f"sk-{BODY}\n"],
    "missing": [MISSING_KEY],
}


def as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def of_the_service(folder: Path, variable: str, contents: Sequence[bytes]) -> list[str]:
    """What the functions of the wiring script say of each content."""
    for number, content in enumerate(contents):
        (folder / f"{number:05}").write_bytes(content)
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", str(folder), variable],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert done.stderr == ""
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    return [said[f"{number:05}"] for number in range(len(contents))]


def of_ours(variable: str, content: bytes) -> str:
    is_document = variable == "document"
    found = document_refusal(content) if is_document else key_refusal(variable, content)
    return found.name if found else "taken"


def test_the_table_of_the_service_is_ours():
    for name, text in tool.load("write_key_shapes").texts().items():
        assert (MODULE / name).read_text() == text
    texts = [(MODULE / name).read_text() for name in ("wiring.nix", "wiring.sh")]
    assert "(builtins.readFile ./key-shapes.sh)" in texts[0]
    assert "find_refusal key_refusals" in texts[1]


def test_each_refusal_is_known_by_its_name_and_has_an_example():
    assert set(BAD) == {each.name for each in KEY_REFUSALS} | {"too-long", "missing"}
    assert set(DOCUMENTS) == {each.name for each in DOCUMENT_REFUSALS} | {"taken", "missing"}


def test_the_examples(tmp_path: Path):
    """Both say what is written here, and that without the text."""
    cases = [("taken", as_bytes(text)) for text in GOOD]
    cases += [(name, as_bytes(text)) for name, texts in BAD.items() for text in texts]
    contents = [content for _, content in cases]
    for variable in ("FIRST_KEY", "document"):
        folder = tmp_path / variable
        folder.mkdir()
        theirs = of_the_service(folder, variable, contents)
        assert theirs == [of_ours(variable, content) for content in contents]
        if variable == "FIRST_KEY":
            pairs = zip(cases, theirs, strict=True)
            assert [(n, c[:80], said) for (n, c), said in pairs if said != n] == []


def test_the_documents(tmp_path: Path):
    cases = [(name, as_bytes(text)) for name, texts in DOCUMENTS.items() for text in texts]
    theirs = of_the_service(tmp_path, "document", [content for _, content in cases])
    for (name, content), said in zip(cases, theirs, strict=True):
        assert (said, of_ours("document", content)) == (name, name), content


def test_a_password_may_be_in_any_alphabet(tmp_path: Path):
    contents = [
        as_bytes(text) for text in ("пароль", "pässwört\u00a0x", b"\xff\xfe", "pass word", "")
    ]
    theirs = of_the_service(tmp_path, "DATABASE_PASSWORD", contents)
    assert theirs == [of_ours("DATABASE_PASSWORD", content) for content in contents]
    assert theirs == ["taken", "taken", "byte-order-mark", "taken", "empty"]


PIECES = st.sampled_from(
    [
        *"_-=:' \n\r\0\"${}<>[].x0\t\\%()+*?^|\u00a0\u200b\u201cé\u2013\ufeff",
        *("sk-", "sk_", "gsk_", "nvapi-", "AQ.", "Bearer ", "export ", "KEY", "key", "...", "***"),
        *("xxx", "your", "here", "token", "secret", "API_KEY", "ENC[AES256_GCM,", "-----BEGIN "),
        *("1234", "true", "os.environ/", "/run/", "placeholder", "replace", "me", "AbC1", "aaaa"),
    ]
)
SHORT = [as_bytes(text) for texts in (GOOD, *BAD.values()) for text in texts if len(text) < 99]


@st.composite
def with_a_piece(draw: st.DrawFn) -> bytes:
    """One of the examples with something put into it."""
    text = draw(st.sampled_from(SHORT))
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(PIECES).encode() + text[at:]


TEXTS = st.one_of(
    st.lists(PIECES, max_size=7).map("".join).map(str.encode),
    st.binary(max_size=12),
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")),
    with_a_piece(),
)
VARIABLES = st.sampled_from(["FIRST_KEY", "A_PASSWORD", "document"])


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TEXTS, min_size=60, max_size=60), VARIABLES)
def test_any_text(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], variable: str):
    theirs = of_the_service(tmp_path_factory.mktemp("keys"), variable, contents)
    assert theirs == [of_ours(variable, content) for content in contents]


@pytest.mark.parametrize("name", BAD)
def test_set_key_and_doctor_refuse_what_the_service_refuses(name: str, tmp_path: Path):
    file = tmp_path / "key"
    for text in BAD[name]:
        content = as_bytes(text)
        file.write_bytes(content)
        expected = read.KeyMissingError if name == "missing" else read.KeyUnusableError
        with pytest.raises(expected) as found:
            read.content(KeyFile("FIRST_KEY", str(file)))
        if content.endswith(b"\r\n"):
            continue  # the end of a line of Windows, which set-key takes off
        with pytest.raises(store.KeyRefusedError) as refused:
            store.cleaned(content, "FIRST_KEY", "env")
        assert str(refused.value) == f"it {found.value}"


def test_set_key_takes_what_the_service_takes(tmp_path: Path):
    file = tmp_path / "key"
    for text in GOOD:
        file.write_text(f"{text}\n")
        key = store.cleaned(f"{text}\n".encode(), "FIRST_KEY", "env")
        assert key == read.content(KeyFile("FIRST_KEY", str(file))) == text.encode()


def test_what_vendors_show_is_no_placeholder():
    for prefix in (prefix for each in PREFIXES.values() for prefix in each):
        assert of_ours("FIRST_KEY", f"{prefix}{BODY}".encode()) == "taken"
