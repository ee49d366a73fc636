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

encrypted="is still encrypted. Name the file that sops-nix or agenix decrypts it to; for a credential of systemd-creds set encrypted = true."

# is_missing SOURCE: there was no key file, so systemd left its stand-in.
is_missing() {
  [ ! -f "$1" ] || [ "$(head -c 64 "$1" | tr -d '\0')" = "$missing_key" ]
}

# read_value VARIABLE FILE SOURCE: sets $value to the key, or reports why the
# file cannot hold one.
read_value() {
  local odd
  value=
  if [ ! -s "$3" ]; then
    refuse "$1" "$2" "is empty. Its content must be the key, nothing else."
    return 1
  fi
  # No string of bash holds a NUL.
  if is_encrypted "$(head -c 4096 "$3" | tr -d '\0')"; then
    refuse "$1" "$2" "$encrypted"
    return 1
  fi
  case $(head -c 3 "$3" | od -An -tx1) in
    ' ef bb bf' | ' ff fe'* | ' fe ff'*)
      refuse "$1" "$2" "begins with a byte order mark (BOM), as some editors on Windows write it. Save it as plain text, UTF-8 without BOM."
      return 1
      ;;
  esac
  if [ "$(tr -d '\n\040-\176\200-\377' < "$3" | wc -c)" -ne 0 ]; then
    refuse "$1" "$2" "holds a control character (tab, carriage return, binary data). Save it as plain text with Unix line ends."
    return 1
  fi
  # $(...) drops the newline that editors and echo put at the end.
  value=$(< "$3")
  if [[ $value == *$'\n'* ]]; then
    refuse "$1" "$2" "holds more than one line. Its content must be the key, nothing else; a document of several lines needs kind = \"file\"."
  elif [ -z "${value// /}" ]; then
    refuse "$1" "$2" "is empty but for white space. Its content must be the key, nothing else."
  elif [[ $value == ' '* || $value == *' ' ]]; then
    refuse "$1" "$2" "begins or ends with a space."
  elif [[ $value == [\'\"]* ]]; then
    refuse "$1" "$2" "begins with a quote, which would become a part of the key. Write the bare key."
  # A password is no header, and may be in any alphabet.
  elif [[ $1 != *PASSWORD ]] && odd_character "$value"; then
    refuse "$1" "$2" "holds $odd. Copy the key again, as plain text."
  elif [[ ${value,,} == bearer\ * || ${value,,} == basic\ * || ${value,,} == authorization:* || ${value,,} == x-api-key:* ]]; then
    refuse "$1" "$2" "holds a header (Bearer ...), of which LiteLLM writes all but the key. Write the bare key."
  elif is_assignment "$1" "$value"; then
    refuse "$1" "$2" "holds an assignment. Its content must be the key alone, without a name before it."
  elif [[ ${value,,} == true || ${value,,} == false ]]; then
    refuse "$1" "$2" "holds the word true or false, which LiteLLM does not take for a key."
  elif is_placeholder "$value"; then
    refuse "$1" "$2" "still holds a placeholder. Replace it by the key."
  elif [ $((${#1} + 1 + ${#value})) -ge 65536 ]; then
    refuse "$1" "$2" "is longer than 64 KiB, too long for a variable. A document needs kind = \"file\"."
  else
    return 0
  fi
  return 1
}

# wire_value VARIABLE FILE SOURCE
wire_value() {
  local value
  read_value "$@" || return 0
  if [ "$1" = LITELLM_MASTER_KEY ]; then
    if [ "${value// /}" = sk-1234 ]; then
      refuse "$1" "$2" "holds sk-1234, which everybody knows and LiteLLM refuses. Write sk- and 32 or more random characters."
    elif [[ $value != sk-* || ${#value} -lt 20 ]]; then
      warning "$1: key file $2 holds a weak key. A good one is sk- and 32 or more random characters."
    fi
  fi
  environment+=$1=$value$'\n'
}

# wire VARIABLE FILE (env|file) (required|optional)
wire() {
  local source=$CREDENTIALS_DIRECTORY/$1
  if is_missing "$source"; then
    if [ "$4" = required ]; then
      refuse "$1" "$2" "is missing. Create it with the key as its only content; the proxy then starts by itself."
    else
      warning "$1: optional key file $2 is missing. Requests that need this key will fail."
      environment+=$1=$missing_key$'\n'
    fi
  elif [ "$3" = env ]; then
    wire_value "$1" "$2" "$source"
  elif [ ! -s "$source" ]; then
    refuse "$1" "$2" "is empty."
  elif is_encrypted "$(head -c 65536 "$source" | tr -d '\0')"; then
    refuse "$1" "$2" "$encrypted"
  elif is_placeholder "$(head -c 256 "$source" | tr -d '\0')"; then
    refuse "$1" "$2" "still holds a placeholder. Replace it by the real document."
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
  cd "$RUNTIME_DIRECTORY"
  sha256sum environment "${files[@]/#/files/}" > fingerprint.new
  put fingerprint
}
