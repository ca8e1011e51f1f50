
# The end of a deploy.

finish() { # verdict [key value]...
  event "$@"
  clean_up "$1"
}

# The link goes last: as long as it is there, somebody will come and do this again.
clean_up() { # verdict
  disarm
  metrics "$1"
  # What was lost stays open, and pinned, for the next boot or the next deploy.
  [ "$1" != lost ] || return
  rm -f "$ROOTS/$ID-new" "$ROOTS/$ID-old" "$D/ballast" "$R/until"
  [ "$(readlink "$DEPLOYS/pending")" != "$ID" ] || rm -f "$DEPLOYS/pending"
  sync "$DEPLOYS"
}

metrics() {
  mkdir -p "$STATE/metrics" && chmod 0755 "$STATE" "$STATE/metrics"
  cat >"$STATE/metrics/.deploy.new" <<END
# HELP emily_deploy_last_timestamp_seconds When the last deploy began or got its verdict.
# TYPE emily_deploy_last_timestamp_seconds gauge
emily_deploy_last_timestamp_seconds $(date +%s)
# HELP emily_deploy_last_verdict What became of the last deploy.
# TYPE emily_deploy_last_verdict gauge
emily_deploy_last_verdict{verdict="$1"} 1
# HELP emily_deploy_duration_seconds How long the last deploy took.
# TYPE emily_deploy_duration_seconds gauge
emily_deploy_duration_seconds $(seconds_taken)
END
  chmod 0644 "$STATE/metrics/.deploy.new" && sync "$STATE/metrics/.deploy.new" &&
    mv "$STATE/metrics/.deploy.new" "$STATE/metrics/deploy.prom"
}

# Since boot where both ends lie in one boot; only a reboot in between makes it ask the clock.
seconds_taken() {
  read -r since_boot since_epoch <"$D/begun"
  boot_id
  now
  if [ "$BOOT" = "$BOOT_ID" ]; then echo $((NOW - since_boot)); else echo $(($(date +%s) - since_epoch)); fi
}

# Nobody supervises this deploy any more: settle it by what its record and the machine say.

recover() { # what happened
  lock 600 || return
  read_record
  boot_id
  case $VERDICT in
    '') ;;
    lost) [ "$BOOT" != "$BOOT_ID" ] || return 0 ;;
    *) clean_up "$VERDICT" && return ;;
  esac
  if ! has activating; then finish abandoned why "$1, before anything was changed"
  elif new_but_for_boot && [ "$(boot_default)" = "$NEW" ]; then
    finish committed why "$1, after all was done"
  elif new_but_for_boot && [ -z "$(boot_default)" ]; then commit # untold: it is written once more
  elif [ "$KIND" = reboot ] && [ "$BOOT" != "$BOOT_ID" ]; then after_boot "$1"
  else restore "$1"; fi
}

# Confirmed, and all that a commit does was done, as far as it is not about the boot loader.
new_but_for_boot() {
  has committing && ! has rolling-back && [ "$(current)" = "$NEW" ] && [ "$(profile)" = "$NEW" ]
}

# The new system was to be booted. It gets one boot to be confirmed in.
after_boot() {
  if has rolling-back; then restore "$1"
  elif [ "$(current)" != "$NEW" ]; then
    if has confirmed; then restore "$1, before all was done"
    elif has booted; then restore "$1, before the new system was confirmed"
    elif has awaiting-boot; then restore "the new system did not come up"
    else restore "$1, before the new system was to boot"; fi
  elif has confirmed; then commit
  elif has booted; then restore "$1, before it was confirmed"
  else
    event booted boot_id "$BOOT"
    arm "$((CONFIRM_SECONDS * 2 + ACTIVATE_SECONDS * 4 + 300))"
    unlock
    await_way_in
    await_confirm
  fi
}

# Nobody can confirm what cannot be reached yet; for as long again it may take to come up.
await_way_in() {
  now
  rest=$((NOW + CONFIRM_SECONDS))
  until reachable || [ "$NOW" -ge "$rest" ]; do
    pause
    now
  done
}

rollback() {
  # A supervisor that holds the lock for so long hangs.
  lock "$((ACTIVATE_SECONDS < 60 ? ACTIVATE_SECONDS : 60))" || systemctl kill -s KILL emily-deploy.service
  recover "the dead man's timer ran out"
  unlock
  # One that hangs without it would keep everybody out for ever.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    systemctl is-active --quiet emily-deploy.service || return 0
    pause
  done
  other=$(readlink "$DEPLOYS/pending")
  [ "${other:-$ID}" != "$ID" ] || systemctl kill -s KILL emily-deploy.service
}

# After the supervisor's end, whatever ended it. A shutdown is settled after the next boot.
stopped() { going_down || recover "its supervisor was killed"; }

guard() {
  HEALTH_SECONDS=$((HEALTH_SECONDS * 6)) # much is only starting
  recover "a reboot or a power cut interrupted it"
}
