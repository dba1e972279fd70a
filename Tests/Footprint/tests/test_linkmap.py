"""The map reader: every octet of a section has one holder, and a map that does not add up is
refused.
"""

import pytest

import holders
import linkmap
from linkmap import ALIGNMENT, C_LIBRARY, LINKER, LITERALS, MBEDTLS, RUNTIME, STANDARD_LIBRARY
from measure import file_figures

BUILD = "/x/swift/release"
MAP = f"""\
             VMA              LMA     Size Align Out     In      Symbol
             2e0              2e0       30    16 .rodata
             2e0              2e0       20    16         <internal>:(.rodata.str1.1)
             300              300       10     4         {BUILD}/MartletHTTP.build/Status.swift.o:(.rodata.$e11MartletHTTP6StatusV1)
            1000             1000       5c    16 .text
            1000             1000       10    16         /x/usr/lib/rcrt1.o:(.text)
            1000             1000        0     1                 _start
            1010             1010       20    16         {BUILD}/login_example.build/LoginExample.swift.o:(.text.$e13MartletServer6ServerV4turn)
            1010             1010       20     1                 $e13MartletServer6ServerV4turn
            1030             1030        3     4         /x/usr/lib/libc.a(memcpy.lo):(.text.memcpy)
            1030             1030        3     1                 memcpy
            1040             1040       1c    16         /x/usr/lib/libmbedcrypto.a(sha256.o):(.text)
            1040             1040       10     1                 mbedtls_sha256
            1040             1040       10     1                 the_same_by_another_name
            1050             1050        8     1                 mbedtls_second
            2000             2000       40    16 .bss
            2000             2000       40    16         {BUILD}/CMartletPlatform.build/memory.c.o:(.bss.receive_memory)
            2000             2000       40     1                 receive_memory
            3000             3000      100     1 .relro_padding
               0                0       20     1 .shstrtab
"""


def test_every_octet_of_a_section_has_one_holder():
    read = linkmap.read_map(MAP)
    for name, (address, size) in read.sections.items():
        at = address
        for part in (part for part in read.parts if part.section == name):
            assert part.address == at, part
            at += part.size
        assert at == address + size


def test_holders_and_what_is_alignment():
    table = linkmap.read_map(MAP).by_holder()
    assert table == {
        LITERALS: {
            ".rodata": 0x20
        },
        "MartletHTTP": {
            ".rodata": 0x10
        },
        C_LIBRARY: {
            ".text": 0x13
        },
        "MartletServer": {
            ".text": 0x20
        },
        ALIGNMENT: {
            ".text": 0xd
        },
        MBEDTLS: {
            ".text": 0x1c
        },
        "CMartletPlatform": {
            ".bss": 0x40
        }
    }


def test_what_is_not_loaded_is_not_read():
    assert set(linkmap.read_map(MAP).sections) == {".rodata", ".text", ".bss"}


def test_octets_between_symbols_are_the_input_sections():
    names = [(part.name, part.size) for part in linkmap.read_map(MAP).parts
             if part.holder == MBEDTLS]
    assert names == [("mbedtls_sha256", 0x10), ("mbedtls_second", 8), (".text", 4)]


@pytest.mark.parametrize("old, new", [
    ("            1040             1040       1c ", "            1050             1050       0c "),
    ("            1030             1030        3     4  ",
     "            1028             1028        3     4  "),
    ("             2e0              2e0       30    16 .rodata",
     "             2e0              2e0       28    16 .rodata"),
])
def test_gaps_overlaps_and_wrong_sums_are_refused(old, new):
    assert old in MAP
    with pytest.raises(linkmap.BadMap):
        linkmap.read_map(MAP.replace(old, new))


def test_something_else_is_refused():
    with pytest.raises(linkmap.BadMap):
        linkmap.read_map("GNU ld prints another map\n")


@pytest.mark.parametrize(
    "symbol, module",
    [("$e7Martlet6SessionV5claimF", "Martlet"), ("$e13login_example4SiteV", "login_example"),
     ("$e13MartletServer6ServerV4turnyyF13login_example4SiteV_Tg5", "MartletServer"),
     ("$es4SpanV12MartletBytesE7matchesF", "MartletBytes"), ("$es6UInt32V1mmF", STANDARD_LIBRARY),
     ("$eSS5countSivg", STANDARD_LIBRARY), ("$eSo13martlet_entryV", None), ("memcpy", None)])
def test_swift_symbols_are_of_the_module_that_declares_them(symbol, module):
    assert linkmap.module_of(symbol) == module


@pytest.mark.parametrize("origin, section, holder",
                         [("<internal>", ".got", LINKER), ("<internal>", ".rodata.cst16", LITERALS),
                          ("/x/12/libgcc.a(_udivsi3.o)", ".text", RUNTIME),
                          ("/x/12/crtbeginS.o", ".text", RUNTIME),
                          ("/x/crti.o", ".init", C_LIBRARY),
                          ("/x/libc.a(exit.lo)", ".text.exit", C_LIBRARY)])
def test_other_files(origin, section, holder):
    assert linkmap.holder_of(origin, section, "") == holder


@pytest.mark.parametrize("section, symbol, holder", [
    (".text.martlet_tls_open", "martlet_tls_open", "CMartletTLS"),
    (".bss.memory.12", "memory.12", "CMartletTLS"),
    (".rodata..Lswitch.table.martlet_error_class", "", "CMartletPlatform"),
    (".text.mbedtls_ssl_read", "mbedtls_ssl_read", MBEDTLS),
    (".text.OUTLINED_FUNCTION_3", "OUTLINED_FUNCTION_3", MBEDTLS),
])
def test_what_is_compiled_when_a_program_is_linked(monkeypatch, section, symbol, holder):
    names = {"martlet_tls_open": "CMartletTLS", "memory": "CMartletTLS", "martlet_error_class": "CMartletPlatform"}
    monkeypatch.setattr(linkmap, "c_names", lambda folder: names)
    assert linkmap.holder_of(f"{BUILD}/hello-example.lto.o", section, symbol) == holder


def test_a_map_of_another_program_is_noticed(tmp_path):
    import sys
    elf, figures = file_figures(sys.executable)
    assert figures["text"] > 0 and elf.size == figures["file"]
    with pytest.raises(linkmap.BadMap, match="build both anew"):
        holders.check_sizes(linkmap.read_map(MAP), elf)
