"""What a boot loader loads: the initramfs, and a kernel that needs no decompressor.

    image.py initramfs FILE PANEL ROOT MODULE...   the panel as /init, and kernel modules of ROOT
    image.py unpack ZIMAGE FILE ADDRESS            a 32-bit ARM kernel, for memory from ADDRESS on
"""

import gzip
import lzma
import re
import struct
import sys
from pathlib import Path


def depends(module):
    """The names that a module's own section says it needs."""
    found = re.search(rb"\0depends=([^\0]*)\0", module.read_bytes())
    return [name for name in found[1].decode().split(",") if name] if found else []


def in_order(root, wanted):
    """The files of the modules and of what they need, that first."""
    files = {path.stem.replace("-", "_"): path for path in root.glob("lib/modules/**/*.ko")}
    builtin = {Path(line).stem.replace("-", "_") for path in
               root.glob("lib/modules/*/modules.builtin") for line in path.read_text().split()}
    order = []

    def add(name):
        name = name.replace("-", "_")
        if name in builtin or any(path.stem.replace("-", "_") == name for path in order):
            return
        if name not in files:
            sys.exit(f"scripts/boot: the kernel's package has no module {name}.")
        for needed in depends(files[name]):
            add(needed)
        order.append(files[name])

    for name in wanted:
        add(name)
    return order


def archive(entries):
    """The entries as a cpio archive of the kind that the kernel unpacks (newc)."""
    octets = bytearray()
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")]):
        head = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        octets += b"070701" + b"".join(b"%08X" % value for value in head)
        octets += name.encode() + b"\0"
        octets += bytes(-len(octets) % 4)
        octets += content
        octets += bytes(-len(octets) % 4)
    return bytes(octets)


def make_initramfs(file, panel, root, *wanted):
    modules = in_order(Path(root), wanted)
    names = "".join(f"{path.name}\n" for path in modules)
    entries = [("init", 0o100755, Path(panel).read_bytes()),
               ("modules", 0o040755, b""), ("modules/list", 0o100644, names.encode()),
               *((f"modules/{path.name}", 0o100644, path.read_bytes()) for path in modules)]
    octets = gzip.compress(archive(entries), mtime=0)
    Path(file).write_bytes(octets)
    print(f"initramfs: {len(octets):,} octets; in it martlet-panel as /init ({len(entries[0][2]):,}"
          f" octets) and of the kernel's package {', '.join(path.name for path in modules)}"
          f" ({sum(len(content) for _, _, content in entries[3:]):,})", flush=True)


def unpack(zimage, file, address):
    """Writes the decompressed kernel as a U-Boot image, which has its load address in its head.

    A zImage has a table of numbered values (arch/arm/boot/compressed/vmlinux.lds.S); one tells how
    much zeroed memory the kernel needs behind it and where in the memory it wants to lie.
    """
    octets = Path(zimage).read_bytes()
    magic, at = struct.unpack_from("<II", octets, 0x34)
    assert magic == 0x45454545, "the zImage has no table"
    values = None
    while values is None:
        count, tag = struct.unpack_from("<II", octets, at)
        assert count, "the zImage's table does not tell the kernel's size"
        if tag == 0x5A534C4B:
            values = struct.unpack_from("<4I", octets, at + 8)
        at += 4 * count
    _, zeros, offset, _ = values
    kernel = None
    # The decompressor itself contains the format's mark too.
    for found in re.finditer(rb"\xfd7zXZ\0", octets):
        try:
            kernel = lzma.LZMADecompressor().decompress(octets[found.start():])
            break
        except lzma.LZMAError:
            continue
    assert kernel, "the zImage holds no xz stream"
    kernel += bytes(zeros)
    start = int(address, 16) + offset
    # ih_magic … ih_name of U-Boot's image.h: Linux, ARM, a kernel, not compressed.
    head = struct.pack(">7I4B32s", 0x27051956, 0, 0, len(kernel), start, start, 0, 5, 2, 2, 0, b"")
    Path(file).write_bytes(head + kernel)


{"initramfs": make_initramfs, "unpack": unpack}[sys.argv[1]](*sys.argv[2:])
