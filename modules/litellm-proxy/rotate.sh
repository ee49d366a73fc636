# shellcheck shell=bash
# What runs when a key file has changed, see rotation.nix: assembles the keys again, and
# says whether they can be used.

# state_of_files: what is different when one of $watched_files, which rotation.nix puts in
# front, has changed.
# shellcheck disable=SC2154
state_of_files() {
  stat -L -c '%n %d %i %s %.9Y %.9Z' -- "${watched_files[@]}" 2>&1 || true
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
