
# Running a system's switch-to-configuration, in a unit of its own: it outlives who started it, and
# all that it started can be stopped with it.

stop_switch() {
  systemctl stop emily-switch.service 2>/dev/null
  systemctl reset-failed emily-switch.service 2>/dev/null
  rm -f "$R/status"
}

start_switch() { # toplevel action
  stop_switch
  unit --unit=emily-switch.service --property=TimeoutStopSec=10s \
    "$(shell)" "$D/host.sh" stc "$ID" "$1" "$2" && return
  has rolling-back || { echo 125 >"$R/status" && return; }
  # systemd does not listen; better in this process than not at all.
  timeout -k 10 "$ACTIVATE_SECONDS" "$(shell)" "$D/host.sh" stc "$ID" "$1" "$2" 9>&-
}

# Its exit code as STATUS; 124 when it took too long, 137 when it was killed.
await_switch() {
  now
  STATUS='' begun_switch=$NOW looks=0 gone=0
  while [ -z "$STATUS" ]; do
    pause
    now
    looks=$((looks + 1))
    if [ $((looks % 10)) = 0 ]; then switch_gone && gone=$((gone + 1)) || gone=0; fi
    if [ -s "$R/status" ]; then read -r STATUS <"$R/status"
    elif [ "$gone" -ge 2 ]; then STATUS=137
    elif switch_is_late "$((NOW - begun_switch))"; then
      stop_switch
      STATUS=124
    fi
  done
  systemctl reset-failed emily-switch.service 2>/dev/null
}

# Not merely out of reach: systemd answers nobody while it executes itself anew.
switch_gone() {
  case $(systemctl is-active emily-switch.service 2>/dev/null) in inactive | failed) ;; *) false ;; esac
}

# Past its time it may go on while systemd still works at jobs, up to four times as long.
switch_is_late() {
  [ "$1" -ge $((ACTIVATE_SECONDS * 4)) ] || { [ "$1" -ge "$ACTIVATE_SECONDS" ] && ! jobs_run; }
}

jobs_run() { systemctl list-jobs --no-legend --no-pager 2>/dev/null | grep -q '^ *[0-9]'; }

# Inside emily-switch.service: nothing of its own environment, and nobody who answers questions. The
# way back is not put to the vote of a system's own checks before a switch.
stc() { # toplevel action
  cd / && umask 022
  if has rolling-back; then set -- "$@" NIXOS_NO_CHECK=1; fi
  [ "$2" != boot ] || clear_boot
  env -i PATH="$PATH" HOME=/root ${3:+"$3"} "$1/bin/switch-to-configuration" "$2" </dev/null
  echo $? | put "$R/status"
}

# What a power cut or a full partition left half written: the boot loader's program leaves it there,
# stumbles over it, and frees no room before it has written. Never while somebody else writes.
clear_boot() {
  flock --nonblock /run/nixos/switch-to-configuration.lock \
    rm -f /boot/loader/loader.tmp /boot/loader/entries/*.tmp /boot/EFI/nixos/*.tmp 2>/dev/null
}
