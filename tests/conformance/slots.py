"""Which slot of a cluster a key belongs to: CRC-16 (XMODEM) of its hash tag, or of all of it."""

import binascii


def slot(key):
    start = key.find(b"{")
    end = key.find(b"}", start + 1)
    tag = key[start + 1 : end] if start >= 0 and end > start + 1 else key
    return binascii.crc_hqx(tag, 0) % 16384
