# shellcheck shell=bash
# What is in a key file and cannot be the key: a part of the wiring script, see wiring.nix.
# All of it works on bytes (LC_ALL=C), and says nothing of the value but its kind.

# is_placeholder VALUE: the texts that secrets.example and vendors' manuals put
# where a key belongs. In any case of letters, with - _ or a space between words,
# with or without "sk-" before them:
#   replace-me...  change-me...  placeholder  fill-me-in  todo
#   insert-...-here  paste-...-here  put-...-here  your-...-here
#   your-key  your-...-key  (also token, secret, password)
#   <...>  {{...}}  $NAME  ${NAME}  $(...)  ...  xxx...
is_placeholder() {
  local text=${1,,} name='[a-z0-9{}$-]'
  text=${text//[_ ]/-}
  text=${text#sk-}
  case $text in
    replace-me* | replaceme* | change-me* | changeme* | placeholder | fill-me-in | todo) ;;
    insert-*-here | paste-*-here | put-*-here | your-*-here) ;;
    your-key | your-*-key | your-token | your-*-token) ;;
    your-secret | your-*-secret | your-password | your-*-password) ;;
    '<'*'>' | '{{'*'}}' | '$'\(*\) | ...*) ;;
    # A password may well begin with it.
    '$'*) [ -z "${text//$name/}" ] ;;
    xxx*) [ -z "${text//[x-]/}" ] ;;
    *) return 1 ;;
  esac
}

# is_encrypted TEXT: sops, age, PGP, Ansible or systemd has encrypted it, and no one has
# decrypted it. systemd's credentials begin with the id of the kind of key, in base64.
# shellcheck disable=SC2016 # what Ansible writes, dollar and all
is_encrypted() {
  case $1 in
    *'ENC[AES256_GCM,'* | *'-----BEGIN AGE ENCRYPTED FILE-----'* | age-encryption.org/*) ;;
    *'-----BEGIN PGP MESSAGE-----'* | '$ANSIBLE_VAULT;'*) ;;
    Whxqht+dQJax1aZeCGLxm* | k6iUCUh0RJCQyvL8k8q1U* | DHzAexF2RZGcSwvqCLwg/*) ;;
    *) return 1 ;;
  esac
}

# is_assignment VARIABLE VALUE: of this variable, or of another whose name says that it
# holds a key. A connection string (Endpoint=sb://...) is a value, and so is base64, in which
# `=` is the end.
is_assignment() {
  local text=${2#export }
  text=${text#set }
  [ "$text" = "$2" ] || return 0
  [[ $text != "$1="* && $text != "$1:"* ]] || return 0
  [[ $text =~ ^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+=[^=] ]] && return
  shopt -s nocasematch
  local result=0
  [[ $text =~ ^[a-z0-9_-]*(key|token|secret|password)[\"\']?(=[^=]|:\ ) ]] || result=1
  shopt -u nocasematch
  return "$result"
}

# odd_character VALUE: sets $odd to what a key was copied with from a web page, a document
# or a terminal. None of it can be sent in a header.
# shellcheck disable=SC2034 # read_value in wiring.sh reads it
odd_character() {
  case $1 in
    *$'\xc2\xa0'* | *$'\xe2\x80\xaf'* | *$'\xe3\x80\x80'*)
      odd="a no-break or wide space" ;;
    *$'\xe2\x80'[$'\x8b'-$'\x8f']* | *$'\xe2\x81'[$'\xa0'-$'\xa4']* | *$'\xef\xbb\xbf'* | *$'\xc2\xad'*)
      odd="a character of no width (zero-width space, joiner or soft hyphen)" ;;
    *$'\xe2\x80'[$'\x98'-$'\x9f']* | *$'\xc2\xab'* | *$'\xc2\xbb'*)
      odd="a typographic quote" ;;
    *$'\xe2\x80'[$'\x90'-$'\x95']* | *$'\xe2\x88\x92'*)
      odd="a typographic dash, which is no hyphen" ;;
    *[$'\x80'-$'\xff']*)
      odd="a byte above 0x7f, an accented letter or text that is not UTF-8" ;;
    *) return 1 ;;
  esac
}
