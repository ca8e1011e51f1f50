"""The first host.yaml of a new host."""

import json
from dataclasses import dataclass

from emily_infra.spec.host import json_schema

_PLACEHOLDER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + " REPLACE-with-your-own-key"

_HOST_YAML = """\
# yaml-language-server: $schema=../host.schema.json
# {name}: say in a sentence what this machine is for.
# `emily-infra check {name}` says what is wrong; `emily-infra explain CODE` says why.
emily: 1

deploy:
  address: 192.168.1.10            # where SSH connects to
  operators: [192.168.1.0/24]      # where you sit; check keeps this door open

system:
  state_version: "26.05"           # the NixOS release of the first install; never raise it later
  host_id: {host_id}               # made for this host; ZFS knows it by this for life
  time_zone: UTC
  admins:
    admin:
      keys:
        - {key}
  memory: {{ total: 16GiB, arc: 6GiB }}    # installed RAM, and the ceiling of the ZFS cache

storage:
  disks:                           # names as under /dev/disk/by-id, never sda: those move
    ata-REPLACE_1: {{ size: 4TB, bay: 1 }}
    ata-REPLACE_2: {{ size: 4TB, bay: 2 }}
  pools:
    tank:
      data:
        - mirror: [ata-REPLACE_1, ata-REPLACE_2]
      datasets:
        home: {{ mountpoint: /srv/home, snapshots: daily }}

network:
  uplinks:
    lan: {{ mac: "02:00:00:00:00:10" }}    # REPLACE: ip link shows it
  zones:
    home: {{ on: lan, address: 192.168.1.10/24, gateway: 192.168.1.1 }}
  dns: [192.168.1.1]
  allow:                           # what no line allows is dropped
    - {{ from: home, to: host, services: [ssh] }}

backup:
  snapshots:
    daily: {{ hourly: 24, daily: 30, monthly: 6 }}
  exempt:
    tank/home: REPLACE with a repository under offsite, or say why there is none
  # offsite:
  #   shed:
  #     repository: rest:https://backup.example.org/{name}/
  #     password: secret:restic
  #     datasets: [tank/home]
  # drill: weekly                  # restores real files and compares them

# secrets:
#   restic: {{}}                     # the value belongs at /run/secrets/restic
"""

_HARDWARE_NIX = """\
# What a person knows of the machine {name}; nixos-generate-config --show-hardware-config says it.
{{ lib, ... }}:
{{
  nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";

  boot.initrd.availableKernelModules = [
    "ahci"
    "nvme"
    "xhci_pci"
  ];

  fileSystems."/" = {{
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  }};

  fileSystems."/boot" = {{
    device = "/dev/disk/by-label/ESP";
    fsType = "vfat";
    options = [ "umask=0077" ];
  }};
}}
"""


@dataclass(frozen=True)
class Starter:
    """What `init` writes for a name, a fresh hostId and the operator's own key if there is one."""

    name: str
    host_id: str
    key: str | None

    def host_yaml(self) -> str:
        """A commented host.yaml that passes `check`."""
        key = self.key or _PLACEHOLDER_KEY
        return _HOST_YAML.format(name=self.name, host_id=self.host_id, key=key)

    def hardware_nix(self) -> str:
        """A NixOS module with the usual disks and controllers."""
        return _HARDWARE_NIX.format(name=self.name)

    def schema(self) -> str:
        """The JSON Schema that the first line of host.yaml points an editor at."""
        return json.dumps(json_schema(), indent=2) + "\n"
