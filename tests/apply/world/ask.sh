#!/bin/sh
# Stands for systemctl, systemd-run and journalctl: asks process 1 and says what it says. A shell and
# two pipes, because a deploy asks a hundred times.
answer=/run/world/$$
mkfifo "$answer"
line="$$ ${0##*/}"
for word; do line="$line$(printf '\001')$word"; done
printf '%s\n' "$line" >/run/world/asked
{
  read -r code
  if [ "$code" = 1 ]; then cat >&2; else cat; fi
} <"$answer"
rm "$answer"
exit "$code"
