
# Back: one way for everybody, as often as it takes, to one verdict.

restore() { # why
  lock 600 || return
  read_record
  case $VERDICT in '' | lost) ;; *) return 0 ;; esac
  if has rolling-back; then set -- "$WHY"; else event rolling-back why "$1"; fi
  boot_id
  # What ran before a reboot was tried is as good as ever, as long as nothing else was booted.
  if [ "$NEW" = "$RUNNING" ] && [ "$BOOT" = "$BOOT_ID" ]; then OLD=$NEW OLD_GENERATION=$AT_GENERATION; fi
  for _ in 1 2 3; do
    trouble=
    restore_profile
    restore_default
    restore_running
    [ -n "$trouble" ] || await_health
    [ -n "$trouble" ] || { finish rolled-back why "$1" && return; }
    echo "not yet back: $trouble" >&2
    pause
  done
  finish lost why "$trouble"
}

restore_profile() {
  [ "$(generation)" = "$OLD_GENERATION" ] ||
    timeout 300 nix-env --profile "$PROFILE" --switch-generation "$OLD_GENERATION" ||
    trouble="generation $OLD_GENERATION of the profile cannot be restored"
  # A generation that was never proven has no place in the boot menu.
  added=$(newest)
  if [ "$added" -gt "$(grep . "$D/newest-before" || echo "$added")" ] &&
    [ "$added" != "$(generation)" ] && [ "$(readlink -f "$PROFILE-$added-link")" = "$NEW" ]; then
    timeout 300 nix-env --profile "$PROFILE" --delete-generations "$added"
  fi
}

restore_default() {
  before=$(default_before)
  [ "$before" != "$(cat "$D/default-before" 2>/dev/null)" ] ||
    has committing || [ "$KIND" = reboot ] || return 0
  stays=
  [ -z "$before" ] || [ "$(boot_default)" != "$before" ] || stays=yes
  [ "$KIND" != reboot ] || bootctl set-oneshot "" 2>/dev/null # given up, it must not be taken
  # Also where it stays: that takes the entry of a system that was never proven out of the menu.
  start_switch "${before:=$(profile)}" boot
  await_switch
  next=$(boot_default)
  [ -n "$stays" ] && [ "$next" = "$before" ] && return
  [ "$STATUS" = 0 ] && { [ -z "$next" ] || [ "$next" = "$before" ]; } ||
    trouble="the old boot entry could not be written (status $STATUS)"
}

restore_running() {
  [ "$NEW" != "$OLD" ] || return
  if [ "$KIND" = reboot ]; then
    [ "$(current)" != "$NEW" ] || reboot_back
    return
  fi
  [ "$BOOT" = "$BOOT_ID" ] || [ "$(current)" = "$NEW" ] || return
  # shellcheck disable=SC2046 # names of units hold no blanks
  set -- $(new_failures)
  [ $# -eq 0 ] || systemctl reset-failed "$@"
  switch_back
  [ "$(current)" = "$OLD" ] || trouble="the old system could not be activated (status $STATUS)"
  restart_access
}

# 11: somebody else is switching, for whom it waits.
switch_back() {
  now
  begun_back=$NOW
  while
    start_switch "$OLD" test
    await_switch
    now
    [ "$STATUS" = 11 ] && [ $((NOW - begun_back)) -lt 300 ]
  do pause; done
}

# A switch leaves alone what it takes for unchanged, and these are the way in.
restart_access() {
  for name in systemd-networkd.service NetworkManager.service sshd.service sshd.socket ssh.service; do
    file=etc/systemd/system/$name
    [ -e "$OLD/$file" ] || continue
    cmp -s "$OLD/$file" "$NEW/$file" || timeout 60 systemctl try-restart "$name"
    systemctl is-active --quiet "$name" || timeout 60 systemctl start "$name"
  done
  restore_network
}

# What a unit or a person did by hand to links and rules, no switch knows of.
restore_network() {
  if other_firewall && systemctl is-active --quiet nftables.service; then
    timeout 60 systemctl restart nftables.service
  fi
  [ -n "$(lost_network)" ] || return 0
  lost_network | while read -r kind name _; do [ "$kind" != link ] || ip link set "$name" up; done
  [ -n "$(lost_network)" ] || return 0
  for name in systemd-networkd.service NetworkManager.service; do
    if systemctl is-active --quiet "$name"; then timeout 60 systemctl restart "$name"; fi
  done
}

# Once: a machine that boots the wrong system again would do so for ever.
reboot_back() {
  has rebooting && trouble="the new system booted again, although the old one is the default"
  [ -z "$trouble" ] || return
  event rebooting
  reboot_now
  trouble="the machine does not reboot"
}

# What failed only under the new system, and the network, may need a moment.
await_health() {
  now
  rest=$((NOW + HEALTH_SECONDS))
  while
    trouble=
    broken=$(new_failures)
    [ -z "$broken" ] || trouble="back on the old system, but failed: $broken"
    reachable || trouble="back on the old system, but nothing listens on ${SSH_ADDRESS:-} port $SSH_PORT"
    now
    [ -n "$trouble" ] && [ "$NOW" -lt "$rest" ]
  do pause; done
}
