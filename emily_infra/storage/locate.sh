# Make a disk visible in its bay, for a while, and say how. POSIX sh; set before this by the client:
#   device   the kernel's name of the disk      seconds  how long      enclosures  their folder in sysfs
# However this ends, the light goes out.

slot() {
  for entry in "$enclosures"/*/*/device/block/"$device"; do
    [ -e "$entry" ] || continue
    slot=${entry%/device/block/*}
    [ -w "$slot/locate" ] && return
  done
  return 1
}

by_enclosure() {
  echo "enclosure ${slot##*/}"
  trap 'echo 0 >"$slot/locate"' EXIT
  echo 1 >"$slot/locate" && sleep "$seconds"
}

by_ledctl() {
  ledctl "locate=/dev/$device" >/dev/null 2>&1 || return 1
  echo ledctl
  trap 'ledctl "locate_off=/dev/$device" >/dev/null 2>&1' EXIT
  sleep "$seconds"
}

# Its own light, on and off by the second. What is cached does not light it, so it is read past the
# cache; a disk that is dead or hangs must not hold this up.
by_reading() {
  echo reading
  ends=$(($(date +%s) + seconds))
  at=0
  while [ "$(date +%s)" -lt "$ends" ]; do
    timeout -k 1 1 dd if="/dev/$device" of=/dev/null bs=1M skip=$at iflag=direct 2>/dev/null
    at=$(((at + 4096) % 40960))
    sleep 1
  done
}

trap 'exit 0' HUP INT TERM PIPE
if slot; then
  by_enclosure
elif ! { command -v ledctl >/dev/null && by_ledctl; }; then
  by_reading
fi
