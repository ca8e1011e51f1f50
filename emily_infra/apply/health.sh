# The words that checks are written in; POSIX sh, for NixOS and the lab alike. Each succeeds, or says
# why not and ends the check. What is said must be the same as long as the trouble is the same.
PATH=/run/current-system/sw/bin:/run/wrappers/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

fail() {
  printf '%s\n' "$*"
  exit 1
}

# tcp ADDRESS PORT: something takes a connection. bash, because every host has it; curl and nc vary.
tcp() {
  bash -c 'exec 3<>"/dev/tcp/$1/$2"' tcp "$1" "$2" 2>/dev/null ||
    fail "nothing takes a connection at $1 port $2"
}

# http ADDRESS PORT PATH: the answer is 200.
http() {
  tcp "$1" "$2"
  answer=$(bash -c '
    exec 3<>"/dev/tcp/$1/$2" || exit 1
    printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" "$3" >&3
    IFS= read -r line <&3
    printf "%s" "${line%?}"
  ' http "$1" "$2" "$3" 2>/dev/null)
  case $answer in
    'HTTP/1.'[01]' 200'*) ;;
    '') fail "$1 port $2 takes the connection and does not answer" ;;
    *) fail "$1 port $2 answers $3 with: $answer" ;;
  esac
}

# carrier INTERFACE: the line is up.
carrier() {
  [ -e "/sys/class/net/$1" ] || fail "there is no interface $1"
  [ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" = 1 ] || fail "$1 has no carrier"
}

# address INTERFACE ADDRESS/PREFIX...: the interface has these, and no other machine has them too.
address() {
  interface=$1
  shift
  [ -e "/sys/class/net/$interface" ] || fail "there is no interface $interface$(untold "$interface")"
  found=$(ip -o address show dev "$interface")
  for wanted in "$@"; do
    case $(printf '%s\n' "$found" | grep -F -e " $wanted ") in
      '') fail "$interface does not have $wanted$(untold "$wanted")" ;;
      *dadfailed*) fail "another machine on $interface has $wanted as well" ;;
    esac
  done
}

# untold WORD: whether networkd was never told of it, which is another trouble than networkd's own.
untold() {
  grep -RqF -e "$1" /etc/systemd/network 2>/dev/null ||
    printf ', and networkd was not told of it'
}

# learned INTERFACE FAMILY: the interface has got an address from the network.
learned() {
  [ -e "/sys/class/net/$1" ] || fail "there is no interface $1$(untold "$1")"
  [ -n "$(ip -o "-$2" address show dev "$1" scope global)" ] ||
    fail "$1 has not got an IPv$2 address from the network"
}

# firewall TABLE: the rules are loaded.
firewall() {
  nft list table inet "$1" >/dev/null 2>&1 || fail "nftables has no table $1"
}

# handshake INTERFACE KEY PEER SECONDS: the peer has been heard of lately. WireGuard keeps the time
# of day of it, so one from before the clock was set is as old as it is without that step.
handshake() {
  [ -e "/sys/class/net/$1" ] || fail "there is no interface $1"
  latest=$(wg show "$1" latest-handshakes | while read -r key at; do
    [ "$key" = "$2" ] && printf '%s' "$at"
  done)
  [ -n "$latest" ] || fail "$1 does not know the peer $3"
  age=$(($(date +%s) - latest))
  [ "$age" -gt "$4" ] || return 0
  [ "$latest" = 0 ] || for step in $(steps); do
    real=$((age - step))
    [ "$real" -ge 0 ] && [ "$real" -le "$4" ] && return
  done
  fail "no handshake with $3 on $1 in the last $4 s"
}

# steps: the seconds by which the clock was set since this deploy was armed, and since the boot.
# systemd remembers of both what the time of day was and how long the machine had run.
steps() {
  systemctl show --timestamp=unix emily-dead-man.timer \
    --property=ActiveEnterTimestamp,ActiveEnterTimestampMonotonic 2>/dev/null | stepped
  systemctl show --timestamp=unix \
    --property=UserspaceTimestamp,UserspaceTimestampMonotonic 2>/dev/null | stepped
}

# stepped: how far the time of day has moved on beside the time since the boot. systemctl writes
# the one with an at sign before it, the other in microseconds.
stepped() {
  day='' ran=''
  while IFS='=' read -r name value; do
    case $name in *Monotonic) ran=${value%??????} ;; *) day=${value#?} ;; esac
  done
  read -r now _ </proc/uptime
  case $day in '' | *[!0-9]*) return ;; esac # never armed, or not understood
  printf '%s\n' "$(($(date +%s) - day - ${now%.*} + ${ran:-0}))"
}

# share NAME FOLDER: Samba's configuration has it, and the folder is there.
share() {
  testparm --suppress-prompt 2>/dev/null | grep -qixF -e "[$1]" || fail "Samba has no share $1"
  [ -d "$2" ] || fail "the share's folder $2 is not there"
}

# mounted DATASET FOLDER: for datasets that zfs itself mounts.
mounted() {
  while read -r source target _; do
    [ "$source $target" = "$1 $2" ] && return
  done </proc/self/mounts
  zfs list -H -o name "$1" >/dev/null 2>&1 || fail "there is no dataset $1"
  fail "$1 is not mounted at $2"
}

# pool NAME DISK...: imported, every part of it ONLINE, and every disk of host.yaml in it.
pool() {
  name=$1
  shift
  state=$(zpool list -H -o health "$name" 2>/dev/null) ||
    if [ -e "/etc/systemd/system/zfs-import-$name.service" ]; then
      fail "pool $name is not imported"
    else
      fail "pool $name is not imported, and systemd was not told to"
    fi
  devices='' bad='' inside=''
  while read -r device status _; do
    case "$inside$device" in
      "$name") inside=yes: ;;
      'yes:errors:') break ;;
      'yes:'*)
        case $status in
          '' | ONLINE | AVAIL | INUSE) ;;
          *) bad="$bad, $device is $status" ;;
        esac
        devices="$devices $device"
        ;;
    esac
  done <<END
$(zpool status -LP "$name")
END
  for disk in "$@"; do
    link=/dev/disk/by-id/$disk
    real=$(readlink -f "$link")
    case "$devices " in
      *" $link "* | *" $link-part1 "* | *" $real "* | *" ${real}1 "* | *" ${real}p1 "*) ;;
      *) bad="$bad, $disk is not one of its disks" ;;
    esac
  done
  [ "$state" = ONLINE ] && [ -z "$bad" ] || fail "pool $name is $state$bad"
}

# synchronised: a time server has set the clock.
synchronised() {
  [ "$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)" = yes ] ||
    fail "no time server has set the clock"
}
