import io
import tarfile
from pathlib import Path

from emily_infra.lab.config import archive
from emily_infra.lab.disks import disks
from emily_infra.lab.image import Image
from emily_infra.lab.network import world
from emily_infra.lab.places import Files
from emily_infra.lab.qemu import TCG, Accelerator, Hardware, Ports, arguments, wires
from tests.hosts import shipped

EMBER = shipped("ember").spec
CARDS = {name: uplink.mac for name, uplink in EMBER.network.uplinks.items()}


def _arguments(accelerator: Accelerator = TCG, folder: str = "/labs/ember") -> tuple[str, ...]:
    around = wires(world(EMBER), Ports(4022, 4023), CARDS)
    hardware = Hardware(2048, disks(EMBER), CARDS)
    return arguments(Files(Path(folder)), Image(Path("/images/1")), accelerator, hardware, around)


def test_each_disk_is_known_by_its_serial() -> None:
    found = [word for word in _arguments() if word.startswith("virtio-blk-pci")]

    assert len(found) == 3 + 16
    assert sum("serial=ata-HDD_7," in word for word in found) == 1


def test_disks_share_slots_because_a_bus_has_only_32() -> None:
    places = [word.split("addr=")[1].split(",")[0] for word in _arguments() if "addr=" in word]

    assert len(set(places)) == 16
    assert {place.split(".")[0] for place in places} == {"0x8", "0x9"}


def test_an_uplink_is_joined_to_its_other_end() -> None:
    found = " ".join(_arguments())

    assert "hubport,id=host0,hubid=0" in found
    assert "hubport,id=peer0,hubid=0" in found
    assert "netdev=host0,mac=a0:36:9f:00:00:01" in found


def test_only_loopback_reaches_the_machine() -> None:
    (net,) = [word for word in _arguments() if word.startswith("user,")]

    assert "restrict=on" in net
    assert "hostfwd=tcp:127.0.0.1:4022-198.18.0.15:22," in net
    assert net.endswith("hostfwd=tcp:127.0.0.1:4023-198.18.0.15:2222")


def test_an_emulated_machine_has_one_processor() -> None:
    words = _arguments()

    assert words[words.index("-smp") + 1] == "1"
    assert words[words.index("-cpu") + 1] == "qemu64,-cx16"


def test_a_folder_with_a_comma_stays_one_path() -> None:
    assert any(word.endswith("file=/labs/a,,b/boot.img") for word in _arguments(TCG, "/labs/a,b"))


def test_what_the_machine_is_told_is_for_root_alone() -> None:
    with tarfile.open(fileobj=io.BytesIO(archive({"boot": b"x", "secrets/a": b"y"}))) as tar:
        modes = {entry.name: entry.mode for entry in tar}

    assert modes == {"secrets": 0o700, "secrets/a": 0o600, "boot": 0o700}
