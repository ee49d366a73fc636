# shellcheck shell=bash
# Checks and assembles the keys: the script of litellm-proxy-secrets.service. systemd has
# put each key into a file of $CREDENTIALS_DIRECTORY; what is written goes to
# $RUNTIME_DIRECTORY and, for generated keys, $STATE_DIRECTORY. A key is only ever held in
# a variable of the shell and written by a builtin: the arguments of a program, or a
# here-string in a temporary file, could be read by others.
#
# wiring.nix puts $missing_key, $secret_files and $container_uid in front, and after it
# one line for each key, between begin_wiring and end_wiring.

: "${missing_key:?}" "${secret_files:?}" "${container_uid:?}"
: "${max_variable:?}" "${too_long:?}" "${document_head:?}"
set -eo pipefail
umask 077
export LC_ALL=C
problems=0
environment=
files=()

# <3> and <4> are the journal's priorities "error" and "warning".
problem() {
  echo "<3>$1" >&2
  problems=$((problems + 1))
}
warning() {
  echo "<4>$1" >&2
}
# refuse VARIABLE FILE REASON
refuse() {
  problem "$1: key file $2 $3"
}

# is_missing SOURCE: there was no key file, so systemd left its stand-in.
is_missing() {
  [ ! -f "$1" ] || [ "$(head -c 64 "$1" | tr -d '\0')" = "$missing_key" ]
}

# find_refusal TABLE VARIABLE: looks for $value in a table of key-shapes.sh, sets $refused_as
# and $reason to those of the first that fits, and fails where none does. What is searched:
#   value, words   the value; its small letters, with - for each _ and space
#   key            the value, unless it is a password: that may be in any alphabet
find_refusal() {
  local -n table=$1
  local words=${value,,} searched at
  words=${words//[_ ]/-}
  for ((at = 0; at < ${#table[@]}; at += 4)); do
    searched=$value
    case ${table[at + 1]} in
      words) searched=$words ;;
      key) [[ $2 != *PASSWORD ]] || searched= ;;
    esac
    if [[ $searched =~ ${table[at + 2]} ]]; then
      # shellcheck disable=SC2034 # the name by which tests/keys knows it
      refused_as=${table[at]}
      reason=${table[at + 3]}
      return 0
    fi
  done
  return 1
}

# find_in_key VARIABLE SOURCE: sets $value to the key, and finds what is against it.
find_in_key() {
  # $(...) drops the newline that editors and echo put at the end. No string of bash holds a
  # NUL, so another control character takes its place.
  value=$(tr '\0' '\2' < "$2")
  if ((${#1} + 1 + ${#value} > max_variable)); then
    # shellcheck disable=SC2034
    refused_as=too-long
    reason=$too_long
  else
    find_refusal key_refusals "$1"
  fi
}

# find_in_document SOURCE: finds what is against a file that is mounted as it is.
find_in_document() {
  local value
  value=$(head -c "$document_head" "$1" | tr -d '\0')
  find_refusal document_refusals ""
}

# read_value VARIABLE FILE SOURCE: sets $value to the key, or reports why the file cannot
# hold one.
read_value() {
  local reason
  if find_in_key "$1" "$3"; then
    refuse "$1" "$2" "$reason"
    return 1
  fi
}

# wire_value VARIABLE FILE SOURCE
wire_value() {
  local value
  read_value "$@" || return 0
  if [ "$1" = LITELLM_MASTER_KEY ] && [[ $value != sk-* || ${#value} -lt 20 ]]; then
    warning "$1: key file $2 holds a weak key. A good one is sk- and 32 or more random characters."
  fi
  environment+=$1=$value$'\n'
}

# wire VARIABLE FILE (env|file) (required|optional)
wire() {
  local reason source=$CREDENTIALS_DIRECTORY/$1
  if is_missing "$source"; then
    if [ "$4" = required ]; then
      refuse "$1" "$2" "is missing. Create it with the key as its only content; the proxy then starts by itself."
    else
      warning "$1: optional key file $2 is missing. Requests that need this key will fail."
      environment+=$1=$missing_key$'\n'
    fi
  elif [ "$3" = env ]; then
    wire_value "$1" "$2" "$source"
  elif find_in_document "$source"; then
    refuse "$1" "$2" "$reason"
  else
    files+=("$1")
    environment+=$1=$secret_files/$1$'\n'
  fi
}

# wire_generated VARIABLE NAME: a key that is made once, of 256 random bits, and on
# disk before it is used.
wire_generated() {
  local file=$STATE_DIRECTORY/$2 random
  if [ ! -e "$file" ]; then
    random=$(od -An -vtx1 -N32 /dev/urandom | tr -d ' \n')
    [ "${#random}" -eq 64 ]
    printf 'sk-%s\n' "$random" > "$file.new"
    sync "$file.new"
    mv -fT "$file.new" "$file"
    echo "$1: generated. To read it: sudo cat $file"
  fi
  wire_value "$1" "$file" "$file"
}

# put NAME: makes NAME.new the content of $RUNTIME_DIRECTORY/NAME, whole or not at
# all. What writes NAME.new is no pipe, in which a killed writer looks like the end.
put() {
  mv -fT "$RUNTIME_DIRECTORY/$1.new" "$RUNTIME_DIRECTORY/$1"
}

# hand_over NAME: put, of what the container reads. The directory around it stays closed
# to everyone but root: what is mounted is the file itself.
hand_over() {
  if [ "$container_uid" != 0 ]; then
    chown "$container_uid" "$RUNTIME_DIRECTORY/$1.new"
  fi
  put "$1"
}

# fingerprints: NAME and HASH of each variable and document, to see which have changed.
fingerprints() {
  local line file
  while IFS= read -r line; do
    echo "${line%%=*} $(printf %s "$line" | sha256sum)"
  done < "$RUNTIME_DIRECTORY/environment"
  for file in "${files[@]}"; do
    echo "$file $(sha256sum < "$RUNTIME_DIRECTORY/files/$file")"
  done
}

# One run at a time, so that a file which is being written is always one's own.
begin_wiring() {
  if ! : > "$RUNTIME_DIRECTORY/lock"; then
    problem "cannot write below $RUNTIME_DIRECTORY; nothing was changed."
    exit 1
  fi
  exec 9< "$RUNTIME_DIRECTORY/lock"
  flock 9
}

# Nothing is written before every key was looked at.
end_wiring() {
  local variable file
  if [ "$problems" -ne 0 ]; then
    echo "<3>$problems of the keys cannot be used; nothing was changed." >&2
    exit 1
  fi

  mkdir -p "$RUNTIME_DIRECTORY/files"
  if [ "$container_uid" != 0 ]; then
    chown "$container_uid" "$RUNTIME_DIRECTORY/files"
  fi
  for variable in "${files[@]}"; do
    cat "$CREDENTIALS_DIRECTORY/$variable" > "$RUNTIME_DIRECTORY/files/$variable.new"
    hand_over "files/$variable"
  done
  for file in "$RUNTIME_DIRECTORY"/files/*; do
    [[ " ${files[*]} " == *" ${file##*/} "* ]] || rm -f "$file"
  done
  printf %s "$environment" > "$RUNTIME_DIRECTORY/environment.new"
  hand_over environment
  fingerprints > "$RUNTIME_DIRECTORY/fingerprint.new"
  put fingerprint
}
