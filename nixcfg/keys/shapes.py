"""What a key looks like, and what a name is called that holds one: each said once.

Everything that looks for keys asks here: rules, masking, import, set-key, doctor and try; and the
NixOS module, for which tools/write_key_shapes.py writes the same facts. The patterns that it gets
use what Python and POSIX extended regular expressions understand alike.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

MISSING_KEY = "nixcfg-missing-key"
"""What an optional key is when its file is missing. Without the variable LiteLLM would send the
OpenAI key to many another vendor."""

PREFIXES: Mapping[str, tuple[str, ...]] = {
    "ANTHROPIC_API_KEY": ("sk-ant-",),
    "AWS_ACCESS_KEY_ID": ("AKIA", "ASIA"),
    "AWS_BEARER_TOKEN_BEDROCK": ("ABSK", "bedrock-api-key-"),
    "CEREBRAS_API_KEY": ("csk-",),
    "DATABRICKS_API_KEY": ("dapi",),
    "DEEPSEEK_API_KEY": ("sk-",),
    "FIREWORKS_AI_API_KEY": ("fw_",),
    "GEMINI_API_KEY": ("AIza", "AQ."),
    "GITHUB_API_KEY": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "GROQ_API_KEY": ("gsk_",),
    "HUGGINGFACE_API_KEY": ("hf_",),
    "JINA_AI_API_KEY": ("jina_",),
    "LANGFUSE_SECRET_KEY": ("sk-lf-",),
    "LANGSMITH_API_KEY": ("lsv2_",),
    "NVIDIA_NIM_API_KEY": ("nvapi-",),
    "OPENAI_API_KEY": ("sk-",),
    "OPENROUTER_API_KEY": ("sk-or-",),
    "PERPLEXITYAI_API_KEY": ("pplx-",),
    "REPLICATE_API_KEY": ("r8_",),
    "SLACK_BOT_TOKEN": ("xoxb-", "xoxp-", "xapp-"),
    "TAVILY_API_KEY": ("tvly-",),
    "TOGETHERAI_API_KEY": ("tgp_v1_",),
    "VERCEL_AI_GATEWAY_API_KEY": ("vck_",),
    "VOYAGE_API_KEY": ("pa-",),
    "XAI_API_KEY": ("xai-",),
}
"""How the keys of some vendors start, as those vendors' own pages show them."""

_OTHER_PREFIXES = (
    *("sk_", "pk-lf-", "glpat-", "ya29.", "GOCSPX-", "SG.", "npm_", "hvs.", "dckr_pat_"),
    *("rk_live_", "whsec_", "AGE-SECRET-KEY-", "NRAK-", "phx_", "phc_", "LTAI", "key-", "cpk_"),
    *("esecret_", "flp_", "glsa_", "tskey-", "ntn_"),
)
"""Prefixes of services that are used beside a gateway."""

_AMBIGUOUS = (
    *("pa-", "key-", "dapi", "SG.", "AQ.", "ABSK", "AKIA", "ASIA", "LTAI", "sk_", "fw_"),
    "pplx-",
)
"""Prefixes with which words and models begin too; what follows has a digit, and no dash soon."""


def prefixes() -> tuple[str, ...]:
    """Every prefix of a key that is known, longer ones first."""
    known = {*_OTHER_PREFIXES, *(prefix for each in PREFIXES.values() for prefix in each)}
    return tuple(sorted(known, key=lambda prefix: (-len(prefix), prefix)))


def password_in_url(text: str) -> str:
    """The password of a text that is a URL, "" where there is none or a reference."""
    if "://" not in text:
        return ""
    url = r"[a-z][a-z0-9+.-]*://[^\s:/@]*:(?![$*<]|os\.environ)([^\s/@]+)@\S+"
    found = re.fullmatch(url, text, re.IGNORECASE)
    return found[1] if found else ""


# --- What a name is called that holds a secret. Between _, before each word and behind the last.

SENSITIVE_WORDS = (
    r"(api_?keys?|access_?keys?|private_?keys?|_key|secret|token|passw(or)?d|passphrase|"
    r"credentials?|authorization|_(pwd|pat|jwt|bearer|cookie|licen[cs]e))[0-9]*_"
)
"""The words that say it."""
HARMLESS_WORDS = (
    # A key that everyone may know; a price; a switch.
    r"_(public|cache|per|bos|eos)_(key|token)_|_(costs?|policy|token_count)_|"
    r"^_(allow|apply|dangerously|detect|disable|enable|hide|infer|log|overwrite|redact|require|"
    r"send|use)_|"
    # The name, the place or the limit of a key.
    r"_(alias|audience|budget|count|counter|defined|dir|emails|encrypted|endpoint|fields|file|generate|hash|"
    r"headers?|info|kind|length|limit|list|model|names?|optional|params|path|pattern|prefix|"
    r"profile|project_id|provider|ref|refresh|return|scope|settings|signing|size|system|team_id|"
    r"teams|tenant_id|ttl|"
    r"type|update|uri|url|user_id|values|vault)_$"
)
"""What takes it back."""


@cache
def names_secret(name: str) -> bool:
    """Whether a variable, a setting or a header is called like one that holds a secret.

    True for GOOGLE_APPLICATION_CREDENTIALS too, although its value is a path; whether a value is
    one says `is_harmless`.
    """
    words = _words(name)
    return bool(re.search(SENSITIVE_WORDS, words)) and not re.search(HARMLESS_WORDS, words)


@cache
def names_no_secret(name: str) -> bool:
    """Whether a name below that of a secret takes it back: the `file` of a key, its `kind`."""
    return bool(re.search(HARMLESS_WORDS, _words(name)))


@cache
def names_key_file(name: str) -> bool:
    """Whether a name is that of a file that holds a secret: `master_key_file`, or its `file`."""
    words = _words(name)
    return words.endswith(("_file_", "_path_")) and not re.search(r"_(public|cert)_", words)


def is_pasted(value: str) -> bool:
    """Whether a value is a key where the path of its file belongs: it has digits, and no folder."""
    if is_harmless(value):
        return False
    return len(value) >= 8 and any(map(str.isdigit, value)) and not re.search(r"[./]\w+$", value)


def _words(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z][a-z])", r"\1_\2", name).lower()
    return "_" + re.sub(r"[^a-z0-9]+", "_", words).strip("_") + "_"


# --- What a value looks like that is a key.

# Patterns are texts here: they are compiled when they are first used, not at every start.
_PLAIN_VALUE = (
    r"(?is)\s*|~|null|none|true|false|\*+"
    r"|os\.environ/\S*|oidc/\S*|\$\{\w+:?-?\}|(?-i:\$[A-Z_][A-Z0-9_]*)|\{\{.*\}\}|<[^<>]*>"
    r"|config\.[\w.\"-]+|(/[\w.@ -]+)+/?"
)


def is_harmless(value: str) -> bool:
    """Whether a value says, in the place of a secret, where it is or that there is none.

    A reference, a path, `none`. A key may begin with a slash, so a path has no random part.
    """
    return bool(re.fullmatch(_PLAIN_VALUE, value)) and not (value[:1] == "/" and is_random(value))


_KEY = r"(?=.*[A-Za-z])(?=.*[0-9])[^\s{}$*]{20,}"


def looks_like_key(text: str) -> bool:
    """Whether a text could be a key, where its name says that it is one.

    Letters and digits without a break; the dummies of local servers (`none`, `sk-1234`) are
    shorter.
    """
    return bool(re.fullmatch(_KEY, text)) and not is_harmless(text)


def has_prefix(text: str) -> bool:
    """Whether a text is the key of some vendor, by how it begins and by its length."""
    return bool(_shapes().fullmatch(text)) and text.startswith(prefixes())


KEY = (
    "("
    + "|".join(each.replace(".", "[.]") for each in prefixes() if each not in _AMBIGUOUS)
    + "|AKIA)[A-Za-z0-9_-]{12,}|-----BEGIN .*|[a-z0-9+]+://[^/@:]*:[^/@]+@.*"
)
"""A whole text that is a key, whatever it is called; for the module, see is_refused."""
PLAIN_VALUE = "/.*|os.environ/.*|https?://[^@]*|[0-9.]+"
"""A path, a reference, an address or a number."""


def is_refused(name: str, value: str) -> bool:
    """Whether the NixOS module takes a plain variable for a key, and refuses it.

    The conditions of looks-like-key.nix, so that what is valid here does not fail at the rebuild.
    """
    if re.fullmatch(KEY, value, re.DOTALL):
        return True
    is_plain = len(value.encode()) < 12 or re.fullmatch(PLAIN_VALUE, value, re.DOTALL)
    return names_secret(name) and not is_plain


_RUNS = r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+"
_PIECE = r"[A-Za-z0-9]{8,}"
_IN_STORE = r"/nix/store/[a-z0-9]{32}-"
_HEX = r"(?=.*[0-9])(?=.*[A-Fa-f])[0-9A-Fa-f]{32,}"


def is_random(text: str) -> bool:
    """Whether a text has no words in it, as what a machine made up; a model's name has.

    Counts how often small letters, capitals and digits take turns: in keys every second
    character, in `Qwen3-235B-A22B-Instruct-2507` every fourth.
    """
    text = re.sub(_IN_STORE, "", text)
    return sum(len(piece) for piece in re.findall(_PIECE, text) if _is_random_piece(piece)) >= 12


def _is_random_piece(piece: str) -> bool:
    runs, length = len(re.findall(_RUNS, piece)), len(piece)
    has_digit = any(map(str.isdigit, piece))
    if piece.isdigit():
        return False
    if has_digit and not (piece.islower() or piece.isupper()):
        return length < 2.4 * runs
    if has_digit:
        return bool(re.fullmatch(_HEX, piece)) or (length >= 20 and length <= 4 * runs)
    return length >= 16 and length < 2.6 * runs


_DIGEST = (
    r"(?:sha[0-9]+[:-]|[@:]|\b(?:rev|sha[0-9]*|hash|narHash|digest|commit)[\"']?\s*[:=]\s*[\"']?)$"
)
_WORD = r"[A-Za-z0-9_+/=.-]{16,}"


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where in a text something has the shape of a key, whatever it is called."""
    for found in _shapes().finditer(text):
        if not found["name"] or names_secret(found["name"]):
            yield found.span(found.lastgroup or 0)
    for token in re.finditer(_WORD, text):
        if is_random(token[0]) and not _is_digest(text, token):
            yield token.span()


def _is_digest(text: str, token: re.Match[str]) -> bool:
    """A revision or the digest of an image: `@sha256:...`, `rev = "..."`, `:main-...`."""
    random = [piece for piece in re.findall(_PIECE, token[0]) if _is_random_piece(piece)]
    is_hex = all(re.fullmatch(_HEX, piece) and len(piece) in (32, 40, 64) for piece in random)
    before = re.search(_DIGEST, text[max(0, token.start() - 32) : token.start()])
    return bool(before) and (is_hex or before[0].startswith(("sha", "hash", "narHash")))  # type: ignore[index]


@cache
def _shapes() -> re.Pattern[str]:
    """Compiled when something is shown, not at every start."""
    sure = "|".join(re.escape(each) for each in prefixes() if each not in _AMBIGUOUS)
    unsure = "|".join(map(re.escape, _AMBIGUOUS))
    body = r"[A-Za-z0-9_.+/=-]"
    return re.compile(
        rf"""
          ://[^\s:/@"']*:(?!\d{{1,5}}(?:[/?\#\s"']|$))(?P<password>[^\s"'<>]+)@
        | [?&;](?P<name>[\w.-]+)=(?P<parameter>[^\s&;"'<>\#]+)
        | \b(?i:Bearer)\s+(?P<bearer>[^\s"',}}]{{8,}})
        | \bBasic\s+(?P<basic>(?=[A-Za-z]*[0-9=])[A-Za-z0-9+/]{{8,}}={{0,2}})
        | (?<![A-Za-z0-9_])(?P<prefixed>(?:{sure}){body}{{12,}}
                           |(?:{unsure})(?={body}*[0-9])[A-Za-z0-9_]{{12}}{body}*
                           |eyJ{body}{{12,}})""",
        re.VERBOSE,
    )
