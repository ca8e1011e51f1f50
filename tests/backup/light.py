"""Repositories whose passwords are quick to try: restic makes each try cost half a second.

The key file of a repository says itself how its key is derived from the password, so one of the
tests says that it takes next to nothing. The format is in restic's references, under "Keys,
Encryption and MAC": scrypt, AES-256 in counter mode, and Poly1305-AES.
"""

import hashlib
import json
import os
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

PASSWORD = "correct horse battery staple"
"""Of every world."""
_NONCE, _TAG = 16, 16
_CHEAP = {"N": 2, "r": 1, "p": 1}


def lighten(repository: Path, password: str = PASSWORD) -> None:
    """Seal the one key of a repository anew, by the same password and without its labour."""
    (file,) = (repository / "keys").iterdir()
    key = json.loads(file.read_text())
    master = _opened(b64decode(key["data"]), _derived(password, key))
    key |= {**_CHEAP, "salt": b64encode(os.urandom(64)).decode()}
    key["data"] = b64encode(_sealed(master, _derived(password, key))).decode()
    text = json.dumps(key).encode()
    file.unlink()
    (repository / "keys" / hashlib.sha256(text).hexdigest()).write_bytes(text)


def _derived(password: str, key: dict[str, object]) -> bytes:
    """64 bytes: 32 to encrypt, 32 to authenticate."""
    numbers = {name: int(str(key[name])) for name in _CHEAP}
    salt = b64decode(str(key["salt"]))
    return hashlib.scrypt(
        password.encode(), salt=salt, n=numbers["N"], r=numbers["r"], p=numbers["p"],
        maxmem=1 << 30, dklen=64,
    )  # fmt: skip


def _opened(data: bytes, key: bytes) -> bytes:
    nonce, sealed, tag = data[:_NONCE], data[_NONCE:-_TAG], data[-_TAG:]
    assert _tag(nonce, sealed, key) == tag
    return _crypted(nonce, sealed, key)


def _sealed(text: bytes, key: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    sealed = _crypted(nonce, text, key)
    return nonce + sealed + _tag(nonce, sealed, key)


def _crypted(nonce: bytes, text: bytes, key: bytes) -> bytes:
    return Cipher(algorithms.AES(key[:32]), modes.CTR(nonce)).encryptor().update(text)


def _tag(nonce: bytes, sealed: bytes, key: bytes) -> bytes:
    aes = Cipher(algorithms.AES(key[32:48]), modes.ECB()).encryptor()
    return Poly1305.generate_tag(key[48:] + aes.update(nonce), sealed)
