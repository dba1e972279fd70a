"""Who gets the CPU, and how long a process had to wait for one."""

import os
import time


def come_first(pid=0):
    """Before other work of the machine, where that is permitted: it shall not be measured. So do the
    program under load, its control and who measures; the crowd comes last.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -10)
    except PermissionError:
        pass


class WithoutCPU:
    """The share of a context's time that a process was ready to run and got no CPU."""

    def __init__(self, pid):
        self.pid, self.share = pid, 0.0

    def waited(self):
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as stat:
            return int(stat.read().split()[1]) / 1e9

    def __enter__(self):
        self.started, self.before = time.monotonic(), self.waited()
        return self

    def __exit__(self, *_):
        self.share = (self.waited() - self.before) / (time.monotonic() - self.started)
