"""The part of bcrypt's interface that Ceph's mgr calls, by the C library's crypt(3).

ceph-mgr runs each of its modules in a Python interpreter of its own, and mgr_util, which all of them import, imports bcrypt.
python3-bcrypt is written with PyO3, which refuses to be loaded into a second interpreter of a process: in Debian 13 every
module but the first fails with that. libcrypt makes the same $2b$ hashes and has no such limit.
"""

import ctypes
import hmac

_libcrypt = ctypes.CDLL("libcrypt.so.1")
_libcrypt.crypt_rn.restype = ctypes.c_char_p
_libcrypt.crypt_gensalt_rn.restype = ctypes.c_char_p

# sizeof(struct crypt_data) and CRYPT_GENSALT_OUTPUT_SIZE of libxcrypt's crypt.h.
_DATA_SIZE = 32768
_SALT_SIZE = 192


def gensalt(rounds: int = 12, prefix: bytes = b"2b") -> bytes:
    """A new salt from the kernel's random numbers. Raises ValueError for rounds out of 4 to 31 or an unknown prefix."""
    if prefix not in (b"2a", b"2b") or not 4 <= rounds <= 31:
        raise ValueError("prefix must be 2a or 2b, rounds 4 to 31")
    output = ctypes.create_string_buffer(_SALT_SIZE)
    salt = _libcrypt.crypt_gensalt_rn(b"$" + prefix + b"$", ctypes.c_ulong(rounds), None, 0, output, _SALT_SIZE)
    if salt is None:
        raise ValueError("the C library can't make a bcrypt salt")
    return salt


def hashpw(password: bytes, salt: bytes) -> bytes:
    """The hash of the password, of which bcrypt takes 72 bytes. Raises ValueError for a salt that isn't one of bcrypt's."""
    if b"\x00" in password:
        raise ValueError("password may not contain NUL bytes")
    data = ctypes.create_string_buffer(_DATA_SIZE)
    hashed = _libcrypt.crypt_rn(password, salt, data, _DATA_SIZE)
    if hashed is None or not hashed.startswith(b"$2"):
        raise ValueError("Invalid salt")
    return hashed


def checkpw(password: bytes, hashed_password: bytes) -> bool:
    """Whether the hash is of that password."""
    return hmac.compare_digest(hashpw(password, hashed_password), hashed_password)
