# Appends a frame with a valid checksum and a commit mark behind the published end of a log, and
# publishes nothing: what a program leaves that dies between writing and publishing its commit.
import struct, sys

db = sys.argv[1]
with open(db + "-shm", "rb") as f:
    header = f.read(48)
mx = struct.unpack_from("=I", header, 16)[0]
s1, s2 = struct.unpack_from("=II", header, 24)
salts = header[32:40]
size = 4096
with open(db + "-wal", "r+b") as wal:
    magic = struct.unpack(">I", wal.read(4))[0]
    wal.seek(32 + (mx - 1) * (24 + size))
    frame = wal.read(24 + size)
    page = bytearray(frame[24:])
    page[-8:] = b"PHANTOM!"
    head = frame[:8]
    words = "<" if magic == 0x377F0682 else ">"
    for data in (head, bytes(page)):
        for a, b in struct.iter_unpack(words + "II", data):
            s1 = (s1 + a + s2) & 0xFFFFFFFF
            s2 = (s2 + b + s1) & 0xFFFFFFFF
    wal.seek(32 + mx * (24 + size))
    wal.write(head + salts + struct.pack(">II", s1, s2) + bytes(page))
