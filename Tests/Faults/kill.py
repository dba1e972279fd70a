"""Kills the panel at random moments of account changes, and looks at what is left.

    kill.py [COUNT] [--seed NUMBER]

Each round starts the panel, logs in, begins a change (of the password, a login, a logout: the first
writes the accounts file anew, all of them the file of sessions) and kills the panel with SIGKILL: half of the time at a moment evenly
spread over as long as such a change has taken, otherwise at an event of the file's replacement (the
new file is made, written, closed, renamed) and up to half a millisecond later. One round in ten is a
first start or a set-up in an empty folder. Then it must hold:

- the file is whole, and it is the old one or the new one; the new one if the change was answered;
- the panel starts again; the password that goes with the file logs in, the other one does not;
- the session that the change was about is alive or over, as the file says;
- nothing is left over after the next change of the same file;
- a copy whose files are then damaged starts, with the generation before or a page that says what to do.

MARTLET_BIN is the folder of the programs. The last line is the sum; status 0 if nothing failed.
"""

import argparse
import collections
import ctypes
import functools
import hashlib
import os
import random
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Wire"))

from client import PanelVisitor, form_request
from faulty import FILES, NAME, accounts_text, names, read_accounts, read_sessions, write
from program import Program, command_of

PASSWORDS = ("the old password", "the new password")
CHANGES = ("password", "login", "logout")
PATIENCE = 20.0

# inotify's numbers (sys/inotify.h).
EVENTS = {"made": 0x100, "written": 0x2, "closed": 0x8, "renamed": 0x80}


class Watch:
    """Waits for an event in a folder."""

    def __init__(self, folder):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.mask = sum(EVENTS.values())
        if self.libc.inotify_add_watch(self.descriptor, os.fsencode(folder), self.mask) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch")

    def events(self):
        """What has happened since the last time, as masks."""
        masks = []
        try:
            octets = os.read(self.descriptor, 65536)
        except BlockingIOError:
            return masks
        while octets:
            _, mask, _, size = struct.unpack_from("iIII", octets)
            masks.append(mask)
            octets = octets[16 + size:]
        return masks

    def wait(self, mask, within):
        """Whether that event came in time."""
        end = time.monotonic() + within
        while True:
            if any(seen & mask for seen in self.events()):
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            select.select([self.descriptor], [], [], left)

    def close(self):
        os.close(self.descriptor)


class Failed(Exception):
    """A round has not ended as it must."""


def ensure(condition, text):
    if not condition:
        raise Failed(text)


def spin(seconds):
    """Waits more exactly than sleep() does."""
    end = time.perf_counter() + seconds
    if seconds > 0.002:
        time.sleep(seconds - 0.001)
    while time.perf_counter() < end:
        pass


def took(address, octets):
    """How long the answer to a request takes, in seconds."""
    started = time.perf_counter()
    with socket.create_connection(address, timeout=PATIENCE) as connection:
        connection.sendall(octets)
        while connection.recv(65536):
            pass
    return time.perf_counter() - started


@functools.cache
def password_of(text):
    """Which of the passwords a hash is of; the panel may have hashed the same one anew."""
    _, salt, iterations, key = text.split(":")
    for number, password in enumerate(PASSWORDS):
        if hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt),
                               int(iterations)).hex() == key:
            return number
    raise Failed(f"no password has the hash {text}")


class Rounds:
    """One data directory, killed over and over."""

    def __init__(self, data, dice):
        self.data = data
        self.dice = dice
        # Seconds that each change has taken, from its first octet to its answer.
        self.durations = {}
        self.counts = collections.Counter()
        self.moments = collections.Counter()
        self.reset()

    def reset(self):
        """Begins with a new folder and the first password."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(0o700)
        write(self.data / "secret", "0f" * 32 + "\n")
        for name in ("accounts", "accounts.old"):
            write(self.data / name, accounts_text(PASSWORDS[0]))
        self.current = 0
        self.secret = (self.data / "secret").read_bytes()

    def file(self, name="accounts"):
        octets = (self.data / name).read_bytes()
        parsed = read_accounts(octets)
        ensure(parsed is not None, f"{name} is damaged: {octets!r}")
        text, generation = parsed
        path = self.data / "sessions"
        sessions = read_sessions(path.read_bytes(), generation) if path.exists() else []
        ensure(sessions is not None, f"the file is damaged: {path.read_bytes()!r}")
        return password_of(text), sessions

    def start(self, data=None):
        return Program.start("martlet-panel", "--listen", "127.0.0.1:0", "--data",
                             str(data or self.data))

    def log_in(self, program, password):
        visitor = PanelVisitor(program.address, PATIENCE)
        response = visitor.post("/login", {"username": NAME, "password": password})
        return visitor, response.status == 302 and visitor.jar.value("session") is not None

    def request(self, change, visitor):
        """The octets of a change."""
        fields = [("Connection", "close")]
        if change == "login":
            form, target = {"username": NAME, "password": PASSWORDS[self.current]}, "/login"
        elif change == "logout":
            form, target = {}, "/logout"
        else:
            new = PASSWORDS[1 - self.current]
            form = {"current": PASSWORDS[self.current], "password": new, "password_again": new}
            target = "/password"
        if change != "login":
            fields.append(("Cookie", visitor.jar.header(target)))
        return form_request(target, form, fields, host=visitor.host)

    def measure(self):
        """How long the changes take when they are left alone."""
        program = self.start()
        try:
            # The first change takes the iterations of new hashes, which all others have then.
            for change in ("password", *CHANGES):
                visitor, _ = self.log_in(program, PASSWORDS[self.current])
                self.durations[change] = took(program.address, self.request(change, visitor))
                if change == "password":
                    self.current = 1 - self.current
        finally:
            program.kill()
        data = self.data.with_name("measured")
        started = time.perf_counter()
        program = self.start(data)
        self.durations["first start"] = time.perf_counter() - started
        try:
            self.durations["set-up"] = took(program.address, self.set_up_request(program))
        finally:
            program.kill()
            shutil.rmtree(data)

    @staticmethod
    def set_up_request(program):
        form = {"code": program.wait_for("set-up code: ([0-9A-Z-]+)")[1], "username": NAME,
                "password": PASSWORDS[0], "password_again": PASSWORDS[0]}
        host = "%s:%d" % program.address
        return form_request("/setup", form, [("Connection", "close")], host=host)

    def kill(self, program, change, watch):
        """Kills the panel at a moment that the dice choose."""
        event = None if self.dice.random() < 0.5 else self.dice.choice(list(EVENTS))
        if event is None:
            spin(self.dice.uniform(0, self.durations[change] * 1.05))
        elif watch.wait(EVENTS[event], self.durations[change] * 5 + 1):
            # Half of them at once.
            spin(self.dice.choice((0, 1)) * self.dice.uniform(0, 0.0005))
        program.kill()
        self.moments[event or "anywhere"] += 1

    def answer(self, connection):
        """The status that had been sent when the panel ended, or None."""
        octets = b""
        try:
            while True:
                more = connection.recv(65536)
                if not more:
                    break
                octets += more
        except OSError:
            pass
        return int(octets[9:12]) if octets[:5] == b"HTTP/" and b"\r\n\r\n" in octets else None

    def check_start(self, visitor, change, is_new, session):
        """The panel starts, with the state of the file."""
        password, sessions = self.file()
        program = self.start()
        try:
            ensure("set-up code" not in program.output(), "it believes that nobody has set it up")
            # The cookie's name says the port, which is another one now.
            visitor = PanelVisitor(program.address, PATIENCE, session=visitor.jar.value("session"))
            alive = visitor.get("/").status == 200
            ensure(alive == (session in sessions), f"alive: {alive}, the file has {sessions}")
            if change in ("password", "logout"):
                ensure(alive != is_new, f"a session that is {alive} after {change}, new: {is_new}")
            visitor, works = self.log_in(program, PASSWORDS[self.current])
            ensure(works, f"the password of the file does not log in: {password}")
            _, works = self.log_in(program, PASSWORDS[1 - self.current])
            ensure(not works, "the other password logs in too")
            # A login writes the sessions only.
            ensure({*names(self.data)} - {*FILES} <= {"accounts.new", "accounts.old.new"},
                   f"left over after a login: {names(self.data)}")
            if names(self.data) != FILES:
                took(program.address, self.request("password", visitor))
                self.current = 1 - self.current
                ensure(self.file()[0] == self.current, "the next change of the password is lost")
                ensure(names(self.data) == FILES, f"left over after a change: {names(self.data)}")
        finally:
            program.kill()

    def ask_and_kill(self, program, change, octets, data):
        """Begins a change and kills the panel; the status that it had answered, or None."""
        watch = Watch(data)
        try:
            with socket.create_connection(program.address, timeout=PATIENCE) as connection:
                connection.sendall(octets)
                self.kill(program, change, watch)
                status = self.answer(connection)
        finally:
            watch.close()
        ensure(status in (None, 302, 303), f"{change} is answered {status}")
        return status

    def count(self, is_new, status, data):
        self.counts["new" if is_new else "old"] += 1
        self.counts["answered"] += status is not None
        self.counts["left behind"] += any(name.endswith(".new") for name in names(data))
        ensure(status is None or is_new, f"it was answered {status} and is not in the file")

    def round(self):
        dice = self.dice.random()
        if dice >= 0.1:
            return self.round_of_change()
        data = self.data.with_name("empty")
        try:
            return self.round_of_set_up(data) if dice < 0.03 else self.round_of_first_start(data)
        finally:
            shutil.rmtree(data, ignore_errors=True)

    def round_of_first_start(self, data):
        with subprocess.Popen([*command_of("martlet-panel"), "--listen", "127.0.0.1:0", "--data",
                               str(data)], stdout=subprocess.DEVNULL) as process:
            spin(self.dice.uniform(0, self.dice.choice((0.012, self.durations["first start"]))))
            process.kill()
        self.moments["start"] += 1
        left = names(data)
        certificates = {"authority.pem", "tls.crt", "tls.key"}
        ensure(set(left) <= {"secret", *certificates, *(f"{name}.new" for name in ("secret", *certificates))},
               f"what is {left}?")
        secret = (data / "secret").read_bytes() if "secret" in left else None
        ensure(secret is None or len(secret) == 65, f"half a secret: {secret}")
        self.count(secret is not None, None, data)
        program = self.start(data)
        try:
            program.wait_for("set-up code: ")
            ensure(names(data) == sorted(["secret", *certificates]), f"left over: {names(data)}")
            ensure(secret in (None, (data / "secret").read_bytes()), "the secret has changed")
        finally:
            program.kill()

    def round_of_set_up(self, data):
        program = self.start(data)
        try:
            octets = self.set_up_request(program)
            status = self.ask_and_kill(program, "set-up", octets, data)
        finally:
            program.kill()
        is_new = "accounts" in names(data)
        if is_new:
            ensure(read_accounts((data / "accounts").read_bytes()), "the file is damaged")
        self.count(is_new, status, data)
        program = self.start(data)
        try:
            if is_new:
                _, works = self.log_in(program, PASSWORDS[0])
                ensure(works and "set-up code" not in program.output(), "the account is not there")
            else:
                took(program.address, self.set_up_request(program))
                ensure(names(data) == FILES, f"set-up does not work: {names(data)}")
        finally:
            program.kill()

    def round_of_change(self):
        change = self.dice.choice(CHANGES)
        program = self.start()
        try:
            visitor, works = self.log_in(program, PASSWORDS[self.current])
            ensure(works, "the login before does not work")
            password, sessions = self.file()
            session = sessions[-1]
            octets = self.request(change, visitor)
            status = self.ask_and_kill(program, change, octets, self.data)
        finally:
            program.kill()
        new_password, new_sessions = self.file()
        ensure((self.data / "secret").read_bytes() == self.secret, "the secret has changed")
        ensure(set(names(self.data)) <= {*FILES, "accounts.new", "accounts.old.new", "sessions.new"},
               f"what is {names(self.data)}?")
        is_new = (new_password, new_sessions) != (password, sessions)
        if change == "password":
            ensure((new_password != password) == is_new, "half a change of the password")
            if is_new:
                ensure(len(new_sessions) <= 1 and session not in new_sessions,
                       f"sessions after a new password: {new_sessions}")
                self.current = 1 - self.current
        else:
            ensure(new_password == password, f"{change} has changed the password")
            if is_new and change == "logout":
                ensure(new_sessions == sessions[:-1], f"logout: {sessions} to {new_sessions}")
            if is_new and change == "login":
                # Of eight the one that has been unused for longest has gone, in whatever place.
                kept = new_sessions[:-1]
                ensure(kept == [number for number in sessions if number in kept]
                       and len(kept) == min(len(sessions), 7) and session in kept
                       and new_sessions[-1] not in sessions, f"login: {sessions} to {new_sessions}")
        self.count(is_new, status, self.data)
        self.check_start(visitor, change, is_new, session)
        if self.dice.random() < 0.25:
            self.check_damage(self.file("accounts.old")[0] == self.file()[0])

    def check_damage(self, is_same):
        """Whatever is damaged afterwards, it starts, and nobody can set it up."""
        folder = self.data.with_name("damaged")
        shutil.copytree(self.data, folder)
        try:
            damaged = [name for name in names(folder) if self.dice.random() < 0.5]
            for name in damaged:
                octets = (folder / name).read_bytes()
                size = self.dice.randrange(len(octets))
                octets = self.dice.choice((octets[:size], octets[:size] + bytes(len(octets) - size),
                                           bytes(4096)))
                (folder / name).write_bytes(octets)
            program = self.start(folder)
            try:
                ensure("set-up code" not in program.output(), f"{damaged} open it to everybody")
                if {"accounts", "accounts.old"} <= set(damaged):
                    status = PanelVisitor(program.address, PATIENCE).get("/login").status
                    ensure(status == 503, f"without a good file {status}")
                else:
                    passwords = [PASSWORDS[self.current], PASSWORDS[1 - self.current]]
                    if "accounts" in damaged and not is_same:
                        passwords.reverse()
                    for password, expected in zip(passwords, (True, False), strict=True):
                        _, works = self.log_in(program, password)
                        ensure(works == expected, f"{damaged}: {password!r} logs in: {works}")
            finally:
                program.kill()
            self.counts["damaged"] += bool(damaged)
        finally:
            shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description="Kills the panel at random moments of changes.")
    parser.add_argument("count", nargs="?", type=int, default=1000, help="how often; 1,000")
    parser.add_argument("--seed", type=int, default=None, help="of the dice; the clock's otherwise")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 1_000_000
    print(f"{options.count} kills, seed {seed}", flush=True)
    failed = 0
    started = told = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="martlet-kill-") as folder:
        rounds = Rounds(Path(folder) / "data", random.Random(seed))
        rounds.measure()
        print("Left alone they take: " + ", ".join(
            f"{change} {seconds * 1000:.0f} ms" for change, seconds in rounds.durations.items()),
            flush=True)
        for number in range(options.count):
            try:
                rounds.round()
            except (Failed, AssertionError, OSError) as problem:
                failed += 1
                print(f"Kill {number + 1}: {problem}", flush=True)
                rounds.reset()
                if failed >= 3:
                    print(f"Ended after {number + 1} kills.")
                    break
            if time.monotonic() - told >= 10:
                told = time.monotonic()
                print(f"{number + 1} kills after {told - started:.0f} s …", flush=True)
        counts, done = rounds.counts, number + 1
        print(f"Killed at: {', '.join(f'{n} {moment}' for moment, n in rounds.moments.items())}; "
              f"{counts['answered']} changes had been answered, {counts['left behind']} times half "
              f"a file lay beside the whole one; {counts['damaged']} times files were damaged "
              f"afterwards.")
    print(f"{done} kills, {counts['old']} old, {counts['new']} new, {failed} damaged "
          f"({time.monotonic() - started:.0f} s)")
    print(f"{done - failed} passed, {failed} failed")
    return 1 if failed or done < options.count else 0


if __name__ == "__main__":
    sys.exit(main())
