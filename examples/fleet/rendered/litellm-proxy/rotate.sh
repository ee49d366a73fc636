# shellcheck shell=bash
# What runs when a key file has changed, see rotation.nix: assembles the keys again, and
# says whether they can be used.

#
# rotation.nix puts $watched_files and $fingerprint in front.
# shellcheck disable=SC2154

# state_of_files: what is different when one of $watched_files has changed.
state_of_files() {
  stat -L -c '%n %d %i %s %.9Y %.9Z' -- "${watched_files[@]}" 2>&1 || true
}

# changed_since STARTED: the names of the keys that are not those of the last start.
changed_since() {
  local names
  names=$(grep -vxFf "$1" "$fingerprint" | cut -d ' ' -f 1 | sort -u | paste -sd ' ')
  echo "${names:-a key that is no longer used}"
}

# try_keys NAMES: ends this, and lets the running proxy go on, where LiteLLM does not start
# with the new keys. What stands in their way may be another thing, such as a database that
# has not got the new password yet, so it is tried again.
try_keys() {
  if ! systemctl start litellm-proxy-trial.service; then
    echo "<3>LiteLLM does not start with what has changed ($1), see the messages of litellm-proxy-trial.service. The running proxy keeps the old keys; this is tried again in 5 minutes, and when a key file changes." >&2
    systemd-run --quiet --collect --unit=litellm-proxy-rotate-again --on-active=5min \
      systemctl start --no-block litellm-proxy-rotate.service || true
    exit 1
  fi
  # It takes some seconds, in which a key may change once more.
  if [ "$(state_of_files)" != "$assembled" ]; then
    exec "$0"
  fi
}

# assemble: started at the first of what may be a row of changes. The loop waits until the
# files rest, and looks again at the end, because a change that comes in while this runs
# does not start it again.
assemble() {
  local seen result=0
  assembled=none
  for _ in {1..20}; do
    seen=$(state_of_files)
    sleep 0.5
    if [ "$seen" != "$(state_of_files)" ]; then
      continue
    elif [ "$seen" = "$assembled" ]; then
      break
    fi
    assembled=$seen
    result=0
    systemctl start litellm-proxy-secrets.service || result=$?
  done
  if [ "$assembled" = none ]; then
    echo "<4>The key files kept changing for 10 seconds." >&2
    systemctl start litellm-proxy-secrets.service || result=$?
  fi
  if [ "$result" -ne 0 ]; then
    echo "<3>The keys cannot be used, see the messages of litellm-proxy-secrets.service. A running proxy keeps the old ones." >&2
    exit 1
  fi
}
