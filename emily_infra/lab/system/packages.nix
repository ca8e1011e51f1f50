# The packages that rendered modules name, as folders of links to Debian's programs: nothing but what
# a package is known for, so that a unit whose `path` forgets one fails here as it would on NixOS.
{
  names,
  sources,
}:
let
  programs = builtins.fromJSON (builtins.readFile ./programs.json);

  build = import ./run.nix;

  debian =
    name:
    build "${name}-debian"
      ''
        mkdir -p $out/bin
        [ -z "$programs" ] || ln -s $programs "$out/bin/"
        for alias in $aliases; do
          ln -s "''${alias#*=}" "$out/bin/''${alias%%=*}"
        done
        ln -s bin $out/sbin
      ''
      {
        programs = programs.${name}.programs or [ ];
        aliases = programs.${name}.aliases or [ ];
      };

  # Nothing may write compiled modules into the store, whose content is settled by the build.
  # `libraries` are folders of the image, which go before Debian's own.
  python =
    {
      name,
      version,
      source,
      module,
      libraries,
    }:
    build "${name}-${version}"
      ''
        mkdir -p $out/bin $out/lib
        cp -R "$source/." $out/lib/
        cat >$out/bin/${name} <<EOF
        #!/bin/sh
        PYTHONPATH=$out/lib$libraries PYTHONDONTWRITEBYTECODE=1 exec /usr/bin/python3 -s -P -m ${module} "\$@"
        EOF
        chmod 0555 $out/bin/${name}
      ''
      {
        source = builtins.path {
          name = "${name}-source";
          path = source;
        };
        libraries = builtins.concatStringsSep "" (map (folder: ":${folder}") libraries);
      };

  named =
    name:
    if sources ? ${name} then
      python (sources.${name} // { inherit name; })
    else
      debian name;
in
builtins.listToAttrs (
  map (name: {
    inherit name;
    value = named name;
  }) names
)
