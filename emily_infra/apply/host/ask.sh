
# What the operator's side asks.

lease() {
  lock 10 || refuse
  await_end
  other=$(readlink "$DEPLOYS/pending")
  if [ -n "$other" ] && [ "$other" != "$ID" ]; then settle_other "$other" || refuse; fi
  busy && refuse
  if why=$(stale); then echo "stale $why" && rm -rf "$D" "$R" && exit "$STALE"; fi
  begin || { finish abandoned why "the record cannot be written: the disk is full" && exit 1; }
  start_locked supervise "$ID" || { finish abandoned why "emily-deploy.service could not be started" && refuse; }
  echo leased
}

begin() {
  # One that was lost was kept for whoever comes next, which is this one.
  [ -z "$other" ] || rm -f "$ROOTS/$other-new" "$ROOTS/$other-old" "$DEPLOYS/$other/ballast"
  ln -sfn "$ID" "$DEPLOYS/pending"
  mkdir -p "$ROOTS" && ln -sfn "$NEW" "$ROOTS/$ID-new" && ln -sfn "$OLD" "$ROOTS/$ID-old"
  journalctl --lines=0 --show-cursor --quiet 2>/dev/null | sed -n 's/^-- cursor: //p' >"$R/cursor"
  now && echo "$NOW" >"$R/lease"
  echo "$NOW $(date +%s)" | put "$D/begun" && head -c 65536 /dev/urandom | put "$D/ballast" &&
    event leased && sync "$DEPLOYS" && metrics open
}

# The unit of a deploy outlives its verdict by a moment, in which it takes the lock once more.
await_end() {
  now
  rest=$((NOW + 10))
  while busy && [ ! -L "$DEPLOYS/pending" ] && now && [ "$NOW" -lt "$rest" ]; do
    unlock
    pause
    lock 10 || refuse
  done
}

refuse() {
  other=$(readlink "$DEPLOYS/pending")
  if [ -n "$other" ] && [ "$other" != "$ID" ]; then
    # shellcheck disable=SC1090 # written by the same program
    (. "$DEPLOYS/$other/settings" && echo "locked $other $STARTED $WHO")
  fi
  [ -s "$D/events" ] || rm -rf "$D" "$R"
  exit "$LOCKED"
}

# A deploy that nobody supervises any more is settled first, in the unit that is the lock.
settle_other() {
  busy && return 1
  (
    ID=$1 D=$DEPLOYS/$1
    read_record
    [ "$VERDICT" = lost ] || start_locked recover "$1"
  ) || return
  unlock
  now
  rest=$((NOW + 60))
  while busy && now && [ "$NOW" -lt "$rest" ]; do pause; done
  lock 10 && ! busy && { [ ! -L "$DEPLOYS/pending" ] || (D=$DEPLOYS/$1 && read_record && [ "$VERDICT" = lost ]); }
}

# say WORD: standard input is the deploy's secret and, behind it, a reason.
say() {
  cat >"$R/.$1.$$"
  said ".$1.$$" || { rm -f "$R/.$1.$$" && exit "$WRONG"; }
  is_open || exit "$TOO_LATE"
  mv "$R/.$1.$$" "$R/$1"
}

# Where nobody is at work on it any more, as after a power cut of a system without the boot guard.
settle() { [ "$(readlink "$DEPLOYS/pending")" != "$ID" ] || busy || start_locked recover "$ID"; }

# For the record: something that the operator's side has done.
note() {
  is_open || exit "$TOO_LATE"
  event step title "$(cat)"
}

renew() {
  is_open || exit "$TOO_LATE"
  now && echo "$NOW" >"$R/.lease" && mv "$R/.lease" "$R/lease"
}

# After $1 lines of the record and the journal's cursor $2: what is new, and how long the host waits.
poll() {
  until='' cursor=${2:-} seen=0
  [ ! -r "$R/until" ] || read -r until <"$R/until"
  [ -n "$cursor" ] || [ ! -r "$R/cursor" ] || read -r cursor <"$R/cursor"
  boot_id && now
  if busy; then state=supervised; else state=alone; fi
  echo "S $state $BOOT $([ -z "$until" ] && echo - || echo $((until - NOW)))"
  while read -r line; do
    seen=$((seen + 1))
    [ "$seen" -le "$1" ] || printf 'E %s\n' "$line"
  done <"$D/events"
  # Only what the switch itself says; the rest stands in the record.
  [ -z "$cursor" ] || journalctl --after-cursor="$cursor" --output=cat --show-cursor --quiet \
    --no-pager _SYSTEMD_UNIT=emily-switch.service 2>/dev/null |
    tail -n 200 | sed 's/^/J /; s/^J -- cursor: /C /; s/^\(.\{2000\}\).*/\1/'
}

hello() {
  echo "token $(cat "$D/token")"
  boot_id && echo "boot_id $BOOT"
  echo "current $(current)"
}

main() {
  command=$1 ID=${2:-$(readlink "$DEPLOYS/pending")}
  D=$DEPLOYS/$ID R=/run/emily/$ID HEALTH_SECONDS=30
  [ -n "$ID" ] && [ -r "$D/settings" ] || { echo "there is no deploy $ID" >&2 && exit 1; }
  mkdir -p "$R"
  # shellcheck disable=SC1091 # written beside this program
  . "$D/settings"
  shift $(($# < 2 ? $# : 2))
  case $command in
    lease | supervise | renew | note | settle | poll | hello | rollback | stopped | guard | stc) "$command" "$@" ;;
    recover) recover "nobody supervised it any more" ;;
    go | confirm | cancel) say "$command" ;;
    *) echo "unknown: $command" >&2 && exit 1 ;;
  esac
  # What was lost stays visible as a failed unit.
  case $command in supervise | recover | rollback | guard) read_record && [ "$VERDICT" != lost ] ;; esac
}

main "$@"; exit
