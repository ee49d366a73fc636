# shellcheck shell=bash
# What is no key, and why: a part of the wiring script, which looks for the first that fits.
# Written by tools/write_key_shapes.py from nixcfg/keys/refusals.py, so that `nixcfg
# set-key`, `doctor` and `try` refuse the same.
#
# Four words each: a name, what to search (see find_refusal), the pattern, and what to say.
# The patterns are of bytes: LC_ALL=C.

# shellcheck disable=SC2016,SC2034
key_refusals=(
  empty value '^$'
  'is empty. Its content must be the key, nothing else.'
  blank value '^ +$'
  'is empty but for white space. Its content must be the key, nothing else.'
  byte-order-mark value $'^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)'
  'begins with a byte order mark (BOM), as some editors on Windows write it. Save it as plain text, UTF-8 without BOM.'
  encrypted value 'ENC\[AES256_GCM,|^-----BEGIN (AGE ENCRYPTED FILE|PGP MESSAGE)-----|^age-encryption[.]org/|^\$ANSIBLE_VAULT;|^vault:v[0-9]|^(Whxqht[+]dQJax1aZeCGLxm|k6iUCUh0RJCQyvL8k8q1U|DHzAexF2RZGcSwvqCLwg/)'
  'is still encrypted. Name the file that sops-nix or agenix decrypts it to; for a credential of systemd-creds set encrypted = true.'
  pem value '^-----BEGIN '
  'holds a PEM document where a key belongs. A document needs kind "file".'
  more-than-one-line value $'\n'
  'holds more than one line. Its content must be the key, nothing else. A document needs kind "file".'
  control-character value '[[:cntrl:]]'
  'holds a control character (tab, carriage return, binary data). Save it as plain text with Unix line ends.'
  space-around value '^ | $'
  'begins or ends with a space.'
  quoted value $'^["\'`]'
  'begins with a quote, which would become a part of the key. Write the bare key.'
  odd-space key $'\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80'
  'holds a no-break or wide space. Copy the key again, as plain text.'
  invisible key $'\xe2\x80[\x8b-\x8f]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad'
  'holds a character of no width (zero-width space, joiner or soft hyphen). Copy the key again, as plain text.'
  typographic-quote key $'\xe2\x80[\x98-\x9f\xb9\xba]|\xc2[\xab\xbb]'
  'holds a typographic quote. Copy the key again, as plain text.'
  typographic-dash key $'\xe2\x80[\x90-\x95]|\xe2\x88\x92'
  'holds a typographic dash, which is no hyphen. Copy the key again, as plain text.'
  not-ascii key $'[\x80-\xff]'
  'holds a byte above 0x7f, an accented letter or text that is not UTF-8. Copy the key again, as plain text.'
  header value '^([Bb]earer|BEARER|[Bb]asic|BASIC) |^([Aa]uthorization|AUTHORIZATION|[Xx]-[Aa][Pp][Ii]-[Kk][Ee][Yy]): *'
  'holds a header (Bearer ...), of which LiteLLM writes all but the key. Write the bare key.'
  assignment value '^(export|set) |^[A-Z][A-Z0-9_]*=[^=]'
  'holds an assignment. Its content must be the key alone, without a name before it.'
  assignment words $'^[a-z0-9-]*(key|token|secret|password)["\']?(=[^=]|:-)|^[a-z][a-z0-9]*-[a-z0-9-]*(key|token|secret|password):'
  'holds an assignment. Its content must be the key alone, without a name before it.'
  word words '^(true|false)$'
  'holds the word true or false, which LiteLLM does not take for a key.'
  example value '^sk- *1 *2 *3 *4$'
  $'holds sk-1234, the key of LiteLLM\'s documentation, which everyone knows. A good one is sk- and 32 or more random characters.'
  placeholder words '^((absk|aiza|akia|aq|asia|bedrock-api-key|csk|dapi|fw|gho|ghp|ghr|ghs|ghu|github-pat|gsk|hf|jina|lsv2|nvapi|pa|pplx|r8|sk|sk-ant|sk-lf|sk-or|tgp-v1|tvly|vck|xai|xapp|xoxb|xoxp)(-(api[0-9]+|proj|svcacct|v[0-9]+))?[-.]?)?((replace|change)-?(me|this).*|([a-z0-9-]*-)?placeholder(-[a-z0-9-]*)?|fill-(me-)?in.*|todo|tbd|fixme|(insert|paste|put|add|enter|your|my)-([a-z0-9-]*-)?here|(your|my)-([a-z0-9-]*-)?(api-?key|key|token|secret|password|passwd)|<[^<>]*>|\[[a-z -]+\]|[{][a-z-]+[}]|[{][{].*[}][}]|\$[(].*[)]|\$[a-z0-9{}$-]*|%[a-z0-9-]+%|[a-z0-9-]*([.][.][.]|[*][*][*])[a-z0-9.*-]*|(sk|gsk|hf|key|token|api-?key)-((ant|or|proj)-)?1234(5(6(7(8(90?)?)?)?)?)?|xxx[x-]*|[x-]*xxx|a{4,}|[01]{4,}|[.]{3,}|-{3,})$|^(api-?key|key|token|secret|password|passwd)$'
  'still holds a placeholder. Replace it by the real one.'
  reference value '^(os[.]environ|config[.]|env[.:]|process[.]env[.]|oidc/|op://|file:/)|^/(etc|home|keys|mnt|nix|opt|root|run|secrets|srv|tmp|usr|var)/|^[A-Z][A-Z0-9_]*_(KEY|TOKEN|SECRET|PASSWORD)$'
  'names a key instead of being one.'
  space-inside value '^(bedrock-api-key-|AGE-SECRET-KEY-|github_pat_|dckr_pat_|esecret_|rk_live_|GOCSPX-|sk-ant-|tgp_v1_|glpat-|nvapi-|pk-lf-|sk-lf-|sk-or-|tskey-|whsec_|NRAK-|glsa_|jina_|lsv2_|pplx-|tvly-|xapp-|xoxb-|xoxp-|ya29[.]|ABSK|AIza|AKIA|ASIA|LTAI|cpk_|csk-|dapi|flp_|gho_|ghp_|ghr_|ghs_|ghu_|gsk_|hvs[.]|key-|npm_|ntn_|phc_|phx_|vck_|xai-|AQ[.]|SG[.]|fw_|hf_|pa-|r8_|sk-|sk_)[^ ]* '
  'has a space in it. Write the key alone.'
)

# shellcheck disable=SC2016,SC2034
document_refusals=(
  empty value '^$'
  'is empty. Its content must be the key, nothing else.'
  encrypted value 'ENC\[AES256_GCM,|^-----BEGIN (AGE ENCRYPTED FILE|PGP MESSAGE)-----|^age-encryption[.]org/|^\$ANSIBLE_VAULT;|^vault:v[0-9]|^(Whxqht[+]dQJax1aZeCGLxm|k6iUCUh0RJCQyvL8k8q1U|DHzAexF2RZGcSwvqCLwg/)'
  'is still encrypted. Name the file that sops-nix or agenix decrypts it to; for a credential of systemd-creds set encrypted = true.'
  placeholder words '^((absk|aiza|akia|aq|asia|bedrock-api-key|csk|dapi|fw|gho|ghp|ghr|ghs|ghu|github-pat|gsk|hf|jina|lsv2|nvapi|pa|pplx|r8|sk|sk-ant|sk-lf|sk-or|tgp-v1|tvly|vck|xai|xapp|xoxb|xoxp)(-(api[0-9]+|proj|svcacct|v[0-9]+))?[-.]?)?((replace|change)-?(me|this).*|([a-z0-9-]*-)?placeholder(-[a-z0-9-]*)?|fill-(me-)?in.*|todo|tbd|fixme|(insert|paste|put|add|enter|your|my)-([a-z0-9-]*-)?here|(your|my)-([a-z0-9-]*-)?(api-?key|key|token|secret|password|passwd)|<[^<>]*>|\[[a-z -]+\]|[{][a-z-]+[}]|[{][{].*[}][}]|\$[(].*[)]|\$[a-z0-9{}$-]*|%[a-z0-9-]+%|[a-z0-9-]*([.][.][.]|[*][*][*])[a-z0-9.*-]*|(sk|gsk|hf|key|token|api-?key)-((ant|or|proj)-)?1234(5(6(7(8(90?)?)?)?)?)?|xxx[x-]*|[x-]*xxx|a{4,}|[01]{4,}|[.]{3,}|-{3,})$|^(api-?key|key|token|secret|password|passwd)$'
  'still holds a placeholder. Replace it by the real one.'
  key-for-document value '^(bedrock-api-key-|AGE-SECRET-KEY-|github_pat_|dckr_pat_|esecret_|rk_live_|GOCSPX-|sk-ant-|tgp_v1_|glpat-|nvapi-|pk-lf-|sk-lf-|sk-or-|tskey-|whsec_|NRAK-|glsa_|jina_|lsv2_|pplx-|tvly-|xapp-|xoxb-|xoxp-|ya29[.]|ABSK|AIza|AKIA|ASIA|LTAI|cpk_|csk-|dapi|flp_|gho_|ghp_|ghr_|ghs_|ghu_|gsk_|hvs[.]|key-|npm_|ntn_|phc_|phx_|vck_|xai-|AQ[.]|SG[.]|fw_|hf_|pa-|r8_|sk-|sk_)[A-Za-z0-9_.=-]*$'
  'holds a key where a document belongs, such as the JSON of a service account.'
)

# Bytes of NAME=value, and of a document that are looked at.
max_variable=65535
too_long='is longer than 64 KiB, too long for a variable. A document needs kind "file".'
document_head=4096
