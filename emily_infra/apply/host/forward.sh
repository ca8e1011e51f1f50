
# Forward: wait for the word, switch, wait for the word, commit.

supervise() {
  trap '' HUP
  await_go || return 0
  lock 60 && is_open || return 0
  take_snapshot
  if why=$(doubt); then finish abandoned why "$why" && return; fi
  remember || { finish abandoned why "the record cannot be written: the disk is full" && return; }
  patience=$((ACTIVATE_SECONDS * 4 + CONFIRM_SECONDS + 900))
  arm "$patience" || { finish abandoned why "the dead man's timer could not be armed" && return; }
  within "$patience"
  event armed seconds "$patience" && event activating ||
    { finish abandoned why "the record cannot be written: the disk is full" && return; }
  if [ "$KIND" = reboot ]; then into_reboot; else activate; fi
}

# The data as it was before, on hosts that take snapshots; without another word from the operator's
# side. A pool that is full or hangs is often what the new system is to mend: it is told, no more.
take_snapshot() {
  [ "$NEW" != "$RUNNING" ] && [ -r /etc/emily/host.json ] && command -v emily-infra >/dev/null || return 0
  words=$(timeout -k 5 60 emily-infra backup snapshot --reason apply --wait 20 </dev/null 2>&1 9>&-) && return
  event warning text "no snapshot was taken before the switch: ${words:-it did not end within 60 s}"
}

# The seconds until the host decides by itself, for whoever asks.
within() { now && echo $((NOW + $1)) >"$R/until"; }

await_go() {
  while is_open; do
    said go && return
    said cancel && { settle_open "$(tail -n +2 "$R/cancel")" && return 1; }
    read -r renewed <"$R/lease"
    now
    [ $((NOW - renewed)) -le "$LEASE_SECONDS" ] ||
      { settle_open "its operator has not been heard of for $LEASE_SECONDS s" && return 1; }
    pause
  done
  return 1
}

settle_open() { lock 60 && { ! is_open || finish abandoned why "${1:-cancelled}"; }; }

# Why not to begin, if there is a reason.
doubt() {
  stale && return
  [ -n "$OLD_GENERATION" ] || { echo "the system's profile has no generation to go back to" && return; }
  [ -x "$NEW/bin/switch-to-configuration" ] || { echo "$NEW is not on the machine" && return; }
  [ -x "$OLD/bin/switch-to-configuration" ] || { echo "$OLD has no way back in it" && return; }
  [ "$KIND" = reboot ] || return
  [ -e "$NEW/etc/systemd/system/emily-boot-guard.service" ] ||
    { echo "$NEW has no emily-boot-guard.service: nobody would go back after the reboot" && return; }
  # It outweighs every default that a deploy could write, at the end too.
  wish=$(efi_default)
  [ -z "$wish" ] ||
    { echo "the firmware's variable LoaderEntryDefault says $wish; remove it: bootctl set-default ''" && return; }
  # A default that no generation stands for loses its entry with the next writing of the menu.
  wish=$(boot_default)
  [ -z "$wish" ] || is_generation "$wish" ||
    { echo "$wish boots by default, and is no generation any more; first: $(profile)/bin/switch-to-configuration boot" && return; }
  # One more in the menu must not be one too many for what boots by default.
  [ "$(newer "$OLD_GENERATION")" -lt $((MENU - 1)) ] ||
    { echo "the boot menu holds $MENU generations, and with one more it would lose number $OLD_GENERATION, which boots by default; make that the newest first: nix-env --profile $PROFILE --set $OLD && $OLD/bin/switch-to-configuration boot" && return; }
  false
}

# What is otherwise than when the plan was made, if anything.
stale() {
  boot_id
  if [ "$BOOT" != "$BOOT_ID" ]; then echo "stale: the machine has rebooted"
  elif [ "$(current)" != "$RUNNING" ]; then echo "stale: $(current) runs, not $RUNNING"
  elif [ "$(generation)" != "$AT_GENERATION" ]; then
    echo "stale: the profile is at generation $(generation), not $AT_GENERATION"
  else false; fi
}

# What going back will be held against.
remember() {
  failed_units | put "$D/failed-before" && boot_default | put "$D/default-before" &&
    newest | put "$D/newest-before" && network | put "$D/network-before" && firewall | put "$D/firewall-before"
}

activate() {
  STATUS=0
  if [ "$NEW" != "$OLD" ]; then
    start_switch "$NEW" test
    unlock # whoever finds this too slow may go back meanwhile
    await_switch
    lock 600 && is_open || return 0
  fi
  event activated status "$STATUS" failed "$(new_failures)"
  case $STATUS in
    0 | 4) unlock && await_confirm ;; # 4: some unit failed; whether that matters is not ours to know
    11) finish abandoned why "another switch-to-configuration is running" ;;
    100) finish abandoned why "needs-reboot: the new system's init differs; nothing was switched" ;;
    124) restore "the activation did not end in time" ;;
    *) restore "the activation failed with status $STATUS" ;;
  esac
}

await_confirm() {
  within "$CONFIRM_SECONDS"
  read -r until <"$R/until"
  while is_open; do
    # First the time, then the word: what was said in time is never overlooked.
    now
    late=$((NOW >= until))
    if said confirm; then lock 600 && is_open && commit && return
    elif said cancel; then restore "$(tail -n +2 "$R/cancel")" && return
    elif [ "$late" = 1 ]; then restore "nobody confirmed within $CONFIRM_SECONDS s" && return; fi
    pause
  done
}

commit() {
  has confirmed || event confirmed
  has committing || event committing
  if set_new && boot_new; then finish committed; else restore "$trouble"; fi
}

set_new() {
  trouble="the system's profile could not be set"
  [ "$(profile)" = "$NEW" ] && return
  if [ "$(readlink -f "$PROFILE-${NEW_GENERATION:-0}-link")" = "$NEW" ] && in_menu; then
    timeout 300 nix-env --profile "$PROFILE" --switch-generation "$NEW_GENERATION"
  else
    timeout 300 nix-env --profile "$PROFILE" --set "$NEW"
  fi && [ "$(profile)" = "$NEW" ]
}

# The boot menu holds the newest generations only: one that is older has to be the newest once more.
in_menu() { [ -z "$(boot_default)" ] || [ -n "$(entry_of "$NEW")" ]; }

# By the program of the system $1, which becomes the default; what boots then as $next.
write_menu() {
  start_switch "$1" boot
  await_switch
  trouble="the boot entry could not be written (status $STATUS; is /boot full?)"
  [ "$STATUS" = 0 ] && next=$(boot_default)
}

boot_new() {
  [ "$(boot_default)" = "$NEW" ] && return
  write_menu "$NEW" || return
  trouble="the machine would boot $next, although the boot entry was written"
  [ -z "$next" ] || [ "$next" = "$NEW" ]
}
