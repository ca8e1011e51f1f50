# The store paths of one generation: `texts` by name and, out of a staged tree, the toplevel. What a
# text refers to is interpolated, so that Nix itself knows what belongs to the closure.
{
  names,
  sources,
  texts,
}:
let
  pkgs = import ./packages.nix { inherit names sources; };
  run = import ./run.nix;
  made = builtins.mapAttrs (
    name:
    { text, executable }:
    run name ''
      cp "$contentPath" "$out"
      chmod ${if executable then "0555" else "0444"} "$out"
    '' {
      content = text pkgs made;
      passAsFile = [ "content" ];
    }
  ) texts;
in
{
  texts = builtins.mapAttrs (_: path: "${path}") made;
  packages = builtins.mapAttrs (_: path: "${path}") pkgs;

  # A kernel and an initrd of a few MiB, so that a full /boot is really full. They differ only when
  # the settings do that would make NixOS build another one.
  boot =
    settings:
    run "linux-lab" ''
      mkdir -p $out/lib/modules
      line="$settings $(printf '%s' "$settings" | cksum)"
      fill() {
        yes "$1 $line" | head -c "$2" >"$out/$1"
      }
      fill bzImage 2097152
      fill initrd 4194304
      printf '%s\n' "$settings" >$out/lib/modules/lab
    '' { inherit settings; };

  toplevel =
    {
      name,
      tree,
      boot,
      inputs,
      software,
    }:
    run name ''
      cp -R "$tree" "$out"
      chmod -R u+w "$out"
      ln -s "$boot/bzImage" "$out/kernel"
      ln -s "$boot/initrd" "$out/initrd"
      ln -s "$boot" "$out/kernel-modules"
      mkdir -p "$out/sw/bin"
      for package in $software; do
        ln -sf "$package"/bin/* "$out/sw/bin/"
      done
    '' {
      inherit boot;
      inputs = inputs pkgs made;
      software = software pkgs made;
      tree = builtins.path {
        name = "tree";
        path = tree;
      };
    };
}
