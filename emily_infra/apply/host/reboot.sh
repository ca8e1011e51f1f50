
# Into the new system by a reboot: once, until it is confirmed.

# The new system is booted once: any boot after that, whatever ended this one, is the old system's.
into_reboot() {
  if why=$(cannot_try_once); then
    event warning text "this machine cannot boot a system just once ($why): the new one is its default before it is proven, and a kernel that does not come up takes somebody at the console"
    set_new && boot_new
  else
    try_once
  fi || { restore "$trouble" && return; }
  event awaiting-boot
  sleep $((LEASE_SECONDS < 3 ? LEASE_SECONDS : 3)) # the operator hears of it
  unlock
  reboot_now
  ! is_open || restore "the machine did not reboot"
}

# The reason, if there is one.
cannot_try_once() {
  [ -n "$(boot_default)" ] || { echo "its boot loader does not tell what it boots" && return; }
  said=$(bootctl set-oneshot "" 2>&1) && return 1
  echo "$said" | tail -n 1
}

# The entries are written by the program of what is the default, which makes one for the new system's
# generation too and leaves the default where it is, at every moment.
try_once() {
  set_new || return
  trouble="generation $OLD_GENERATION of the profile cannot be kept"
  timeout 300 nix-env --profile "$PROFILE" --switch-generation "$OLD_GENERATION" || return
  before=$(default_before)
  write_menu "$before" || return
  trouble="the machine would boot $next from now on, not $before"
  [ "$next" = "$before" ] || return
  entry=$(entry_of "$NEW")
  trouble="/boot has no whole entry for $NEW, although it was written"
  [ -n "$entry" ] || return
  said=$(bootctl set-oneshot "$entry" 2>&1)
  status=$?
  trouble="the boot loader was not told to boot the new system once: $(echo "$said" | tail -n 1)"
  [ "$status" = 0 ]
}

# What the machine boots unless it is told otherwise: what it did before. Somebody may have made the
# new system the default by hand, and what is only tried, or has just failed, is no way back.
default_before() {
  before=$(cat "$D/default-before" 2>/dev/null)
  if [ "$before" = "$NEW" ] && [ "$(readlink -f "$PROFILE-$OLD_GENERATION-link")" = "$OLD" ]; then
    before=$OLD
  fi
  echo "$before"
}

# Going back, nobody's inhibitor is asked.
reboot_now() {
  sync
  if has rolling-back; then systemctl reboot --check-inhibitors=no; else systemctl reboot; fi
  sleep "$ACTIVATE_SECONDS"
}
