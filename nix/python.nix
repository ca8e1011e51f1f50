# Python with everything that the programs import, and the extra `dev` of pyproject.toml.
pkgs:
pkgs.python3.withPackages (
  packages:
  import ./dependencies.nix packages
  ++ import ./runtime-dependencies.nix packages
  ++ [
    packages.hypothesis
    packages.jsonschema
    packages.mkdocs
    packages.mkdocs-material
    packages.mypy
    packages.pymdown-extensions
    packages.pytest
    packages.pytest-xdist
    packages.schemathesis
    packages.setuptools
    packages.types-paramiko
    packages.types-pyyaml
  ]
)
