"""CRC-32C (Castagnoli), the second of the two checks of a program (protocol.md, "Programs")."""

import numpy as np

_POLYNOMIAL = 0x82F63B78
# The bytes are cut into strips of this many bytes. The CRCs of all strips are computed side by side.
_STRIP_BYTES = 1024


def _byte_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


_TABLE = _byte_table()
_TABLE_LIST = _TABLE.tolist()


def _after_zeros(count: int) -> list:
    """For each bit of the register: the register after `count` zero bytes, if only this bit was set before.
    The result for several bits is the XOR of theirs, because the register is linear in its bits."""
    columns = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for _ in range(count):
        columns = columns >> 8 ^ _TABLE[columns & 0xFF]
    return columns.tolist()


_STRIP_COLUMNS = _after_zeros(_STRIP_BYTES)


def crc32c(data: bytes) -> int:
    """The CRC of all bytes, u32."""
    register = 0xFFFFFFFF
    whole = len(data) // _STRIP_BYTES * _STRIP_BYTES
    if whole > 0:
        strips = np.frombuffer(data, np.uint8, whole).reshape(-1, _STRIP_BYTES)
        registers = np.zeros(len(strips), np.uint32)
        for column in strips.T:
            registers = registers >> 8 ^ _TABLE[(registers ^ column) & 0xFF]
        for strip in registers.tolist():
            register = _shifted(register) ^ strip
    for byte in data[whole:]:
        register = register >> 8 ^ _TABLE_LIST[(register ^ byte) & 0xFF]
    return register ^ 0xFFFFFFFF


def _shifted(register: int) -> int:
    """The register after one strip of zeros."""
    shifted, bit = 0, 0
    while register >> bit:
        if register >> bit & 1:
            shifted ^= _STRIP_COLUMNS[bit]
        bit += 1
    return shifted
