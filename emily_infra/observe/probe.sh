# One look at a machine. It changes nothing: what it finds goes to a folder in memory, from there to
# standard output, and is gone. The answer is read by emily_infra/observe/answer.py.
#
# POSIX sh, and the programs that NixOS and Debian always have. As few of them as will do: on a small
# or busy machine it is the starting of programs that takes the time. Set by the client before this:
#   expected  the toplevel that ought to run, or nothing    wants     what to read beyond the basics
#   firewall  what table inet emily ought to hold           disks     names under /dev/disk/by-id
#   keep      how many deploys to read                      patience  seconds
#   programs  what to look for where a system is to be installed

# A program stuck on a dead disk or server survives even SIGKILL. So each one runs in the background
# with files of its own, reports its end to descriptor 3, and is left behind when it does not.
job() {
  name=$1
  shift
  count=$((count + 1))
  {
    "$@" >"$folder/$name" 2>"$folder/$name.error" 3>&-
    echo "$name $?" >&3
  } </dev/null >/dev/null 2>&1 &
  started="$started $!"
}

have() { command -v "$1" >/dev/null 2>&1; }

# Text files as lines behind their path and a NUL byte; what does not exist is passed over.
texts() { grep -asHZ '' "$@" || :; }

# Names and values between NUL bytes, so that no value can be taken for a name.
pair() { printf '%s\0%s\0' "$1" "$2"; }

# Of a folder's files, as they stand behind their links, a tar.
folder_of_texts() {
  cd "$1" 2>/dev/null || return 0
  shift
  find -L . -type f -size -512k "$@" -print0 |
    tar --null -hcf - --format=ustar --hard-dereference --no-recursion -T -
}

basics() {
  profiles=/nix/var/nix/profiles
  texts /proc/sys/kernel/hostname /proc/sys/kernel/random/boot_id /proc/sys/kernel/osrelease \
    /proc/sys/kernel/arch /proc/uptime /proc/meminfo /proc/self/mounts /proc/locks \
    /sys/devices/system/cpu/online /etc/machine-id /etc/os-release /etc/passwd \
    /etc/samba/smb.conf /run/systemd/transient/emily-deploy.service \
    /run/current-system/nixos-version /run/current-system/init-interface-version \
    /run/current-system/kernel-params /run/current-system/switch-inhibitors \
    /run/booted-system/nixos-version /run/booted-system/init-interface-version \
    /run/booted-system/kernel-params /run/booted-system/switch-inhibitors \
    $profiles/system/nixos-version $profiles/system/init-interface-version \
    $profiles/system/kernel-params $profiles/system/switch-inhibitors \
    $profiles/system-*-link/nixos-version
}

# systemd-boot heeds the firmware's variables before its own file.
boot_loader() {
  vendor=4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
  texts /boot/loader/loader.conf /boot/loader/entries/*.conf \
    /sys/firmware/efi/efivars/LoaderEntryDefault-$vendor \
    /sys/firmware/efi/efivars/LoaderEntryOneShot-$vendor
}

state() {
  for file in /var/lib/emily/deploys/[0-9]*T[0-9]*Z-*; do set -- "$@" "$file"; done
  while [ $# -gt "$keep" ]; do shift; done
  for file in "$@"; do
    set -- "$@" "$file/settings" "$file/events"
    shift
  done
  texts "$@" /var/lib/emily/storage/events /var/lib/emily/metrics/*.prom
}

# Where links lead and what lies in a few folders: path, kind, target, time and inode.
links() {
  find /nix/var/nix/profiles /nix/var/nix/profiles/system-*-link/kernel /dev/disk/by-id \
    /run/systemd/system /run/systemd/system.control /etc/systemd/system.control \
    /etc/systemd/system /var/lib/emily/deploys/pending /etc/NIXOS \
    /run/nixos/switch-to-configuration.lock \
    -maxdepth 2 ! -type d -printf '%p\0%y\0%l\0%T@\0%i\0' 2>/dev/null || :
}

# Real paths of what a switch and a reboot would change, three systems by four lines.
systems() {
  for system in /run/current-system /run/booted-system /nix/var/nix/profiles/system; do
    set -- "$@" $system $system/kernel $system/initrd $system/kernel-modules
  done
  readlink -zm "$@"
}

clock() { date +%s; }

space() {
  for path in / /nix /boot /var; do [ ! -d $path ] || set -- "$@" $path; done
  stat -f --printf '%n\0%S\0%b\0%a\0%c\0%d\0' "$@"
}

units() {
  types=service,timer,socket,mount,target,path,swap,automount
  systemctl list-units --all --no-pager --output=json --type=$types
}

unit_files() {
  folder_of_texts /etc/systemd/system ! -path '*.wants/*' ! -path '*.requires/*' \
    ! -path '*.upholds/*'
}

# The kernel's own words on pools: they come while zpool waits. The times in txgs are of a clock that
# no shell can ask; the head of fm ends in its present time.
kernel_on_pools() {
  texts /proc/spl/kstat/zfs/fm /proc/spl/kstat/zfs/*/state /proc/spl/kstat/zfs/*/txgs
}

# One walk over all datasets: the kernel opens each of them for every walk. And not "all": for what is
# settled when a file system is made (casesensitivity, normalization, utf8only and version) it opens
# each once more. To list snapshots takes longer the more there are; snapshots_changed is always there.
datasets() {
  names=type,guid,used,available,referenced,mounted,creation,volsize,keystatus,encryption
  names=$names,aclinherit,aclmode,acltype,atime,canmount,checksum,compression,copies,dedup,devices
  names=$names,dnodesize,exec,filesystem_limit,keylocation,logbias,mountpoint,nbmand,overlay
  names=$names,primarycache,quota,readonly,recordsize,redundant_metadata,refquota,refreservation
  names=$names,relatime,reservation,secondarycache,setuid,sharenfs,sharesmb,snapdev,snapdir
  names=$names,snapshot_limit,snapshots_changed,special_small_blocks,sync,volmode,xattr
  walk "$1" "$names"
  status=$?
  [ "$status" -eq 2 ] || return "$status" # 2: it does not know a name; snapshots_changed came in 2.2
  walk "$1" all
}

walk() { zfs get -Hp -r -t filesystem,volume -o name,property,source,value "$2" "$1"; }

block_devices() {
  columns=NAME,TYPE,PKNAME,SIZE,SERIAL,MODEL,WWN,TRAN,ROTA,RO,RM,LOG-SEC,PHY-SEC
  columns=$columns,PTTYPE,PARTUUID,FSTYPE,LABEL,UUID,MOUNTPOINTS
  lsblk --json --bytes --list --output "$columns"
}

# Reads the disk itself, partition by partition. Of what no program has a name for, the first and
# last 16 MiB still show that it is there: tables stand in them, and what begins behind a table. Where
# they are zeros there is no label, so that zdb, which is slow to start, has nothing to look for.
signatures() {
  whole=$(readlink -f "/dev/disk/by-id/$1")
  case $whole in *[0-9]) parts=${whole}p ;; *) parts=$whole ;; esac # nvme0n1 and nvme0n10
  for device in "$whole" "$parts"[0-9]*; do
    [ -b "$device" ] || continue
    text=$(wipefs --json --no-act "$device")
    pair "exit $device" $?
    pair "wipefs $device" "$text"
    has_zero_ends "$device"
    zeros=$?
    pair "bytes $device" $zeros
    have zdb || continue
    text=$([ $zeros -eq 0 ] || zdb -l "$device" 2>/dev/null)
    # 2: it holds no label. 1 is of a label that is not whole in all its copies, and of all errors.
    case "$? $text" in
      "0 "* | "2 "* | "1 "*"    state: "*)
        pair "label $device" "$(printf '%s\n' "$text" | head -n 60)"
        ;;
    esac
  done
}

# 0 is yes, and nothing else: what cannot be read is not known to be blank.
has_zero_ends() {
  size=$(blockdev --getsize64 "$1") || return
  end=16777216
  [ "$size" -gt "$end" ] || end=$size
  cmp -s -n "$end" "$1" /dev/zero && cmp -s -n "$end" -i "$((size - end)):0" "$1" /dev/zero
}

# Whether a system can be installed from here.
ready() {
  for program in $programs; do
    ! have "$program" || pair "has $program" yes
  done
  [ ! -d /sys/firmware/efi ] || pair efi yes
  pair zfs "$(cat /sys/module/zfs/version 2>/dev/null || modinfo -F version zfs 2>/dev/null)"
}

# sudo hides the variable; the process that sshd started still has it.
way_in() {
  process=$$
  while [ -z "$SSH_CONNECTION" ] && [ "${process:-0}" -gt 1 ]; do
    SSH_CONNECTION=$(tr '\0' '\n' <"/proc/$process/environ" | sed -n 's/^SSH_CONNECTION=//p')
    read -r line <"/proc/$process/stat"
    line=${line##*) ? }
    process=${line%% *}
  done
  printf %s "$SSH_CONNECTION"
}

table() { nft -s list table inet emily; }

# The wished-for table as this very nft prints it: loaded where no packet passes.
wished_table() {
  printf 'table inet emily {\n%s\n}\n' "$firewall" | unshare -n sh -c \
    'nft -f - && nft -s list table inet emily'
}

wanted() {
  case " $wants " in *" $1 "*) ;; *) return 1 ;; esac
  [ -z "$expected" ] || [ "$(readlink -f /run/current-system)" != "$expected" ]
}

look() {
  job basics basics
  job boot_loader boot_loader
  job state state
  job links links
  job systems systems
  job clock clock
  job host_id hostid
  job space space
  job way_in way_in
  ! have systemctl || job units units
  ! have lsblk || job block_devices block_devices
  ! have ip || job interfaces ip -j -d address
  [ ! -d /sys/module/wireguard ] || ! have wg || job handshakes wg show all latest-handshakes
  ! have nft || job table table
  [ -z "$firewall" ] || ! have nft || job wished_table wished_table
  ! wanted units || job unit_files unit_files
  ! wanted source || job source folder_of_texts /etc/emily/source
  ! wanted packages || ! have nix-store ||
    job packages nix-store --query --requisites /run/current-system
  [ -z "$programs" ] || job ready ready
  look_at_pools
  number=0
  for disk in $disks; do
    number=$((number + 1))
    echo "$disk" >"$folder/disk.$number.name"
    job "disk.$number.signatures" signatures "$disk"
  done
}

look_at_pools() {
  [ -d /proc/spl/kstat/zfs ] || return 0
  job kernel_on_pools kernel_on_pools
  # Where there is no zpool the first one fails, which tells that more is there than is seen.
  job pools zpool get -Hp -o name,property,source,value all
  if have zpool; then
    job pool_status zpool status -P -p
    job pool_guids zpool status -g -p
    job pool_sizes zpool list -vHPp
  fi
  number=0
  for pool in /proc/spl/kstat/zfs/*/state; do
    [ -r "$pool" ] || continue
    number=$((number + 1))
    pool=${pool%/state}
    pool=${pool##*/}
    printf %s "$pool" >"$folder/pool.$number.name"
    have zfs || continue
    # One by one: a pool that hangs must not hide the others, and a list of all leaves it out.
    job "pool.$number.datasets" datasets "$pool"
  done
}

# The ends of all jobs, how many there are, and the end of patience; in any order.
begin() {
  exec 3>&1
  count=0 started=
  look
  {
    sleep "$patience"
    echo late >&3
  } </dev/null >/dev/null 2>&1 &
  echo "=$count $! $started" >&3
}

# Until all are done or it is too late.
collect() {
  done=0 count=-1
  while [ "$done" -ne "$count" ] && read -r name rest; do
    case $name in
      =*) count=${name#=} started=$rest ;;
      late) break ;;
      *)
        done=$((done + 1))
        echo "$name $rest" >>"$folder/statuses"
        ;;
    esac
  done
  # What still runs are the clock of our patience, and what can be ended of what is stuck.
  for process in $started; do
    [ -r "/proc/$process/task/$process/children" ] || continue
    read -r children <"/proc/$process/task/$process/children"
    kill -KILL "$process" $children
  done 2>/dev/null
}

answer() {
  # Where gzip is missing the answer is only longer.
  if have gzip; then pack='gzip -c'; else pack=cat; fi
  echo "emily-probe 1 ${pack%% *}"
  tar -C "$folder" --format=ustar -cf - . 2>/dev/null | $pack | base64
  echo "emily-probe end"
}

main() {
  export LC_ALL=C TZ=UTC
  # What the machine says first; these are for a shell that was given nothing.
  PATH=$PATH:/run/current-system/sw/bin:/run/booted-system/sw/bin:/nix/var/nix/profiles/system/sw/bin
  export PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  umask 077
  for tool in tar base64 find grep mktemp; do
    have "$tool" || { echo "emily-probe lacks $tool" && return; }
  done
  folder=
  for place in /run /dev/shm "${TMPDIR:-/tmp}"; do
    folder=$(mktemp -d "$place/emily-probe.XXXXXX" 2>/dev/null) && break
  done
  [ -n "$folder" ] || { echo "emily-probe lacks a folder to write to" && return; }
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 1' HUP INT TERM PIPE
  begin | collect
  answer
}

# Read to its end before anything runs: a program must not take the rest of this text for its input.
main </dev/null
