"""The templates: all there, loud when something is missing, and the same whatever the key order."""

import random
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_infra.render import CONCERNS, render
from emily_infra.render.templates import Templates, modules_folder
from emily_infra.spec.host import Host
from tests.fuzz.mutate import shuffled
from tests.fuzz.run import said
from tests.hosts import as_host, findings, over, pebble, shipped

TEMPLATES = Templates()
HOSTS = ("ember", "pebble")


def files(host: Host) -> dict[str, str]:
    return render(host, TEMPLATES).files


def in_another_order(host: Host, seed: int) -> Host:
    """The same host from a file whose mappings are written in another order."""
    data = shuffled(host.source.data, random.Random(seed))
    return as_host(host.name, yaml.safe_dump(data, sort_keys=False))


def test_every_concern_has_a_template_and_every_template_a_concern() -> None:
    names = {path.name.removesuffix(".nix.j2") for path in modules_folder().glob("*.nix.j2")}

    assert names == {*CONCERNS, "default"}


@pytest.mark.parametrize("name", HOSTS)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_keys_changes_no_byte(name: str, seed: int) -> None:
    host = shipped(name)

    assert files(in_another_order(host, seed)) == files(host)


@pytest.mark.parametrize("name", HOSTS)
@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_keys_changes_no_finding(name: str, seed: int) -> None:
    host = shipped(name)

    assert said(findings(in_another_order(host, seed))) == said(findings(host))


MORE = """
system:
  admins: { abe: { keys: [KEY1] }, zoe: { keys: [KEY2] } }
storage:
  disks: { ata-a: { size: 4TB }, ata-b: { size: 4TB } }
  pools:
    aaa:
      data: [{ mirror: [ata-a, ata-b] }]
      datasets: { z: { mountpoint: /z }, a: { mountpoint: /a } }
network:
  uplinks: { aux: { mac: "a0:36:9f:00:00:02" }, wan: { mac: "a0:36:9f:00:00:03" } }
  zones:
    aux: { on: aux, address: 10.40.0.2/24 }
    wan: { on: wan, address: dhcp }
    seoul: { wireguard: wg1 }
  services: { zeta: { tcp: [7001] }, alpha: { tcp: [7002], udp: [7003] } }
  allow:
    - { from: management, to: host, services: [ssh, grafana, zeta, alpha] }
    - { from: seoul, to: ai, services: [https, alpha] }
    - { from: minnesota, to: host, services: [smb] }
wireguard:
  wg0:
    peers:
      attic:
        public_key: iO+eTz3fOYI5oy3cRUX/iP5fIHvmuXv0YvIwz6amu+4=
        allowed_ips: [10.99.0.0/24, fd99::/64]
  wg1:
    address: 10.1.0.2/24
    private_key: secret:wg1
    port: 51821
    peers:
      z: { public_key: 4jvHMWnE5LtTvBvBJFr4cxF4bLvnwQT/fYHEyYLrDVI=, allowed_ips: [10.1.0.0/25] }
      a: { public_key: XbK8VCQz4Y8hT3tTqBqTzEyWnNDqVyWkIY3kXEhd6Ss=, allowed_ips: [10.1.0.128/25] }
samba:
  users: { abe: { password: secret:smb-abe }, zoe: { password: secret:smb-zoe } }
  shares:
    zzz: { dataset: aaa/z, users: [zoe, abe], zones: [seoul, data] }
    aaa: { dataset: aaa/a, users: [abe], zones: [minnesota] }
backup:
  snapshots: { often: { hourly: 9 }, another: { yearly: 2, daily: 3 } }
  offsite:
    zzz: { repository: /mnt/z, password: secret:restic, datasets: [aaa/z, aaa/a] }
    aaa: { repository: /mnt/a, password: secret:restic, datasets: [aaa/a] }
runtime:
  order: [openai, anthropic]
  providers:
    openai: { key: secret:openai, model: o, price: { written: 2, read: 1 } }
    anthropic: { key: secret:anthropic, model: a, price: { read: 3, written: 4 } }
  flags: { z: { since: 2026-11-02, owner: jihyun }, a: { owner: colter, since: 2026-11-01 } }
secrets: { smb-abe: {}, smb-zoe: {}, wg1: {}, openai: {}, anthropic: { file: /run/agenix/a } }
"""
KEYS = [key for admin in shipped("ember").spec.system.admins.values() for key in admin.keys]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_keys_changes_no_byte_of_a_host_with_several_of_everything(seed: int) -> None:
    host = over(shipped("ember"), MORE.replace("KEY1", KEYS[0]).replace("KEY2", KEYS[1]))
    other = in_another_order(host, seed)

    assert files(other) == files(host)
    assert said(findings(other)) == said(findings(host))


BROKEN = """
storage:
  disks: { nvme-A: { size: 1TB, media: ssd }, nvme-B: { size: 2TB }, ata-9: { size: 4TB } }
  pools:
    tank: { special: [{ disk: nvme-A }], log: [{ mirror: [nvme-B, ata-9] }] }
    other: { data: [{ mirror: [ata-9, nvme-A] }], datasets: { a: {}, b: { snapshots: x } } }
network:
  zones: { b: { on: nowhere, vlan: 5, address: 192.168.1.10/24 }, a: { wireguard: wg7 } }
  allow: [{ from: z, to: y, services: [x, ssh] }, { from: b, to: host, services: [nothing] }]
  services: { zzz: { tcp: [22, 445] }, aaa: { udp: [22], tcp: [445] } }
samba:
  shares: { two: { dataset: tank/none, users: [x, y], zones: [q, r] } }
  users: { q: { password: secret:q } }
backup:
  offsite:
    b: { repository: /srv/home/b, password: secret:p, datasets: [tank/none, other/a] }
    a: { repository: /srv/home/b, password: secret:o, datasets: [other/b] }
  exempt: { other/q: "no reason at all", other/z: "no reason at all" }
secrets: { b: {}, a: {}, c: { file: /etc/x } }
"""


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_keys_changes_no_finding_of_a_host_full_of_faults(seed: int) -> None:
    host = pebble(BROKEN)

    assert said(findings(in_another_order(host, seed))) == said(findings(host))


@pytest.mark.parametrize("name", HOSTS)
def test_the_order_of_hosts_changes_no_finding(name: str) -> None:
    one, other = shipped(name), pebble(BROKEN, "other")

    assert findings(one, other) == findings(other, one)


@pytest.mark.parametrize("name", HOSTS)
def test_every_file_says_where_it_came_from_and_what_it_is(name: str) -> None:
    for file, text in files(shipped(name)).items():
        first, second, *_ = text.split("\n")

        assert first.startswith(f'# Generated from "hosts/{name}/host.yaml"; edit that file')
        assert second.startswith("#") or file == "default.nix"


@pytest.mark.parametrize("name", HOSTS)
def test_every_file_is_laid_out_with_care(name: str) -> None:
    for file, text in files(shipped(name)).items():
        lines = text.split("\n")

        assert text.endswith("\n"), file
        assert not text.endswith("\n\n"), file
        assert not any(line != line.rstrip() for line in lines), file
        assert "\n\n\n" not in text, file
        assert "\t" not in re.sub(r"''.*?''", "", text, flags=re.DOTALL), file


@pytest.mark.parametrize("name", HOSTS)
def test_the_default_module_imports_all_the_others(name: str) -> None:
    rendered = files(shipped(name))

    assert re.findall(r"\./(\S+)", rendered["default.nix"]) == sorted({*rendered} - {"default.nix"})


def test_a_cache_of_compiled_templates_changes_nothing(tmp_path: Path) -> None:
    first = render(shipped("ember"), Templates(cache=tmp_path)).files
    second = render(shipped("ember"), Templates(cache=tmp_path)).files

    assert first == second == files(shipped("ember"))
    assert list(tmp_path.iterdir())
