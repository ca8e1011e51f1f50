# What the next boot would find below $root, told line by line. It changes nothing: a boot partition
# that is not mounted is mounted to be read, in a namespace of its own that ends with this.
#   root     where the new system is mounted        spares   devices of copies of /boot
#   sizes    bytes of the kernel and of the initrd
set -u
LC_ALL=C
export LC_ALL

# A file as lines behind a word, the number of the boot partition, and its name.
text() { sed "s|^|text $1 $2 |" "$2"; }

esp() {
  number=$1
  cd "$2" || exit
  echo "esp $number"
  for file in loader/loader.conf loader/entries/*.conf; do
    [ ! -f "$file" ] || text "$number" "$file"
  done
  find EFI -iname '*.efi' -type f -printf "file $number %s %p\n"
  for file in EFI/nixos/*; do
    [ -f "$file" ] || continue
    for size in $sizes; do
      echo "hash $number $size $(head -c "$size" "$file" | sha256sum | cut -d ' ' -f 1) $file"
    done
  done
}

spare() {
  folder=$(mktemp -d /run/emily-esp.XXXXXX) || exit
  trap 'cd /; umount "$folder"; rmdir "$folder"' EXIT
  mount -t vfat -o ro "$2" "$folder" && esp "$1" "$folder"
}

variables() {
  cd /sys/firmware/efi/efivars 2>/dev/null || return 0
  for file in LoaderEntryDefault-* LoaderEntryOneShot-*; do
    [ ! -r "$file" ] || echo "variable $file $(tr -cd '[:print:]' <"$file")"
  done
  for file in Boot0*; do
    [ ! -r "$file" ] || echo "entry $(tr -cd '[:print:]' <"$file")"
  done
}

profile=$root/nix/var/nix/profiles/system
link=$(readlink "$profile")
echo "profile $(readlink "${profile%/*}/${link##*/}")"
(esp 0 "$root/boot")
number=0
for device in $spares; do
  number=$((number + 1))
  (spare "$number" "$device")
done
(variables)
