# What emily_infra imports; pyproject.toml says which versions will do.
python3Packages: [
  python3Packages.cryptography
  python3Packages.jinja2
  python3Packages.paramiko
  python3Packages.prometheus-client
  python3Packages.pydantic
  python3Packages.pyyaml
  python3Packages.rich
  python3Packages.typer
]
