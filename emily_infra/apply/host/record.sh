#!/bin/sh
# The host's own part of a deploy: it holds the lock, switches, waits for the operator's word, and
# goes back by itself when that does not come. It is copied to the host for each deploy and lies
# outside of both systems, so that neither can take away what is needed to leave it.
#
# Deadlines count the seconds since boot, so that a clock that is set moves none of them. Whatever is
# decided is written to the record, and to the disk, before it is done; whoever finds the record
# later (the dead man's timer, the boot guard, the next operator) goes on from there.
set -u
PATH=/run/booted-system/sw/bin:/run/current-system/sw/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
LC_ALL=C
export PATH HOME LC_ALL
umask 077

STATE=/var/lib/emily
DEPLOYS=$STATE/deploys
PROFILE=/nix/var/nix/profiles/system
ROOTS=/nix/var/nix/gcroots/emily
LOCKED=75 STALE=76 WRONG=77 TOO_LATE=78
# D  the deploy's folder: what must outlive a power cut
# R  its folder in memory: what is worth nothing after one, and must not meet a full disk

# What is asked at each look, the shell answers by itself: a slow machine has better things to do.
now() { read -r NOW _ </proc/uptime && NOW=${NOW%.*}; }
boot_id() { read -r BOOT </proc/sys/kernel/random/boot_id; }
pause() { sleep "${TICK:-0.5}"; }

# Standard input becomes the file $1: all of it or nothing, also after a power cut.
put() { cat >"$1.new" && sync "$1.new" && mv "$1.new" "$1" && sync "${1%/*}"; }

text() { printf %s "$1" | tr '\n\t' '  ' | tr -d '\000-\037' | sed 's/[\\"]/\\&/g'; }

# event WORD [KEY VALUE]...
event() {
  echo "$*" >&2
  now
  entry="{\"at\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\", \"event\": \"$1\", \"uptime\": $NOW"
  shift
  while [ $# -gt 1 ]; do
    case $1 in
      status | seconds) entry="$entry, \"$1\": $2" ;;
      *) entry="$entry, \"$1\": \"$(text "$2")\"" ;;
    esac
    shift 2
  done
  # A line that a power cut tore must not swallow this one.
  [ -z "$(tail -c 1 "$D/events" 2>/dev/null)" ] || entry="
$entry"
  write_line "$entry}" && return
  rm -f "$D/ballast" # the disk is full: this was kept for it
  sync
  write_line "$entry}"
}

write_line() { printf '%s\n' "$1" 2>/dev/null >>"$D/events" && sync "$D/events"; }

# The record so far: its words, its verdict, and why it went back.
read_record() {
  WORDS=' ' VERDICT='' WHY=''
  [ -r "$D/events" ] || return 0
  while read -r line; do
    case $line in '{'*'"event": "'*'}') ;; *) continue ;; esac
    word=${line#*\"event\": \"}
    word=${word%%\"*}
    WORDS="$WORDS$word "
    case $word in
      committed | abandoned | rolled-back | lost) VERDICT=$word ;;
      rolling-back) WHY=${line##*\"why\": \"} && WHY=${WHY%\"\}} ;;
    esac
  done <"$D/events"
}

has() {
  read_record
  case $WORDS in *" $1 "*) ;; *) false ;; esac
}

is_open() { ! has rolling-back && [ -z "$VERDICT" ]; }

# The file $1 was written by who knows the deploy's secret; its other lines say why.
said() {
  [ -f "$R/$1" ] || return
  read -r secret <"$R/$1"
  read -r token <"$D/token"
  [ "$secret" = "$token" ]
}

# Opened for reading: a disk that takes no more writing must not keep anybody from going back.
lock() {
  [ -e "$DEPLOYS/.lock" ] || : >"$DEPLOYS/.lock"
  exec 9<"$DEPLOYS/.lock" && flock -w "$1" 9
}
unlock() { exec 9>&-; }
