"""A generated fleet: every tenth host is like ember, the others like pebble."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
EMBER_EVERY = 10


def write_fleet(folder: Path, count: int) -> None:
    """`count` hosts under FOLDER/hosts, without an error among them."""
    texts = {
        name: (ROOT / "hosts" / name / "host.yaml").read_text() for name in ("ember", "pebble")
    }
    for index in range(count):
        kind = "ember" if index % EMBER_EVERY == 0 else "pebble"
        home = folder / "hosts" / f"{kind}-{index:04}"
        home.mkdir(parents=True)
        (home / "host.yaml").write_text(_one_of(texts[kind], index))


def _one_of(text: str, index: int) -> str:
    high, low = divmod(index, 250)
    changes = {
        r"host_id: \w+": f"host_id: {index + 0xA0000000:08x}",
        r'mac: "[^"]+"': f'mac: "02:00:00:00:{index >> 8:02x}:{index & 255:02x}"',
        r"192\.168\.1\.": f"192.{168 + high}.{low}.",
        r"(10\.\d+)\.0\.2/24": rf"\g<1>.{high}.{low + 2}/16",
        r"10\.10\.0\.2\b": f"10.10.{high}.{low + 2}",
        r"(10\.(?:10|0))\.0\.0/24": r"\g<1>.0.0/16",
        r"/(ember|pebble)(/?)\n": rf"/\g<1>-{index}\g<2>\n",
    }
    for pattern, replacement in changes.items():
        text = re.sub(pattern, replacement, text)
    return text
