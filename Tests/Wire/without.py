"""Runs a command for which a system call fails: without.py CALL ERRNO [FLAGS] -- COMMAND...

The kernel answers instead of the call (seccomp), so this works for every kind of program. With FLAGS the
call fails only where its third argument is that number.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {"x86_64": {"getrandom": 318}, "aarch64": {"getrandom": 278}}

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, FAIL = 0x7FFF0000, 0x00050000
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER_OFFSET, THIRD_ARGUMENT_OFFSET = 0, 32


def is_possible():
    return platform.machine() in NUMBERS


def instruction(code, value, is_equal=0, is_other=0):
    return struct.pack("HBBI", code, is_equal, is_other, value)


def main():
    split = sys.argv.index("--")
    (call, error, *flags), command = sys.argv[1:split], sys.argv[split + 1:]
    steps = [instruction(LOAD, NUMBER_OFFSET),
             instruction(JUMP_EQUAL, NUMBERS[platform.machine()][call], 0, 3 if flags else 1)]
    if flags:
        steps += [instruction(LOAD, THIRD_ARGUMENT_OFFSET),
                  instruction(JUMP_EQUAL, int(flags[0]), 0, 1)]
    steps += [instruction(RETURN, FAIL | getattr(errno, error)), instruction(RETURN, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.prctl(
            PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.create_string_buffer(program), 0, 0) != 0:
        sys.exit(f"no seccomp: {os.strerror(ctypes.get_errno())}")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
