"""Two machines in one: each has a network, a name, processes and a state folder of its own, and no view of the others.

They are namespaces of the kernel, which only root can make; a cable leads from each to this machine.
"""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

NETWORK = "10.203.77.0/24"


class Host:
    """A machine.

    Args:
        name: Its name.
        number: Which one it is, from 0.
    """

    def __init__(self, name, number):
        self.name = name
        self.gateway = f"10.203.77.{4 * number + 1}"
        self._address = f"10.203.77.{4 * number + 2}"
        self._space = f"tauro-{os.getpid()}-{number}"
        self._cable = f"tau{os.getpid() % 100_000}n{number}"

    def plug(self):
        """Make it, with a cable to this machine."""
        _ip("netns", "add", self._space)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        _ip("addr", "add", f"{self.gateway}/30", "dev", self._cable)
        _ip("link", "set", self._cable, "up")
        for line in (f"addr add {self._address}/30 dev eth0", "link set eth0 up", "link set lo up"):
            _ip("-n", self._space, *line.split())

    def unplug(self):
        """Take it away."""
        subprocess.run(["ip", "link", "del", self._cable], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self._space], check=False, capture_output=True)

    def cut_off(self):
        """Pull the cable: what it sends is lost, and nobody tells it so."""
        _ip("link", "set", self._cable, "down")

    def join(self):
        """Put the cable back."""
        _ip("link", "set", self._cable, "up")

    def programs(self):
        """Return the command lines of its processes."""
        numbers = subprocess.run(
            ["ip", "netns", "pids", self._space], check=True, capture_output=True, text=True
        ).stdout.split()
        return [_command_line(number) for number in numbers]

    @contextmanager
    def running(self, *arguments, log, **more):
        """Run a program of Python there until the end of the block; then all of its processes are ended."""
        own = ["unshare", "--uts", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child"]
        named = ["sh", "-c", f'hostname {self.name} && "$@"', "sh", sys.executable, *map(str, arguments)]
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self._space, *own, *named], stdout=output, stderr=output, **more
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _command_line(number):
    try:
        return Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")
    except OSError:  # it has ended meanwhile
        return ""


def _ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def two_hosts():
    """Yield two machines; skip the test where this one gives no right to make them."""
    if os.geteuid() != 0 or shutil.which("ip") is None or not Path("/proc/self/ns/net").exists():
        pytest.skip("Only root can make networks of its own, with ip of iproute2")
    with ExitStack() as stack:
        hosts = Host("host-a", 0), Host("host-b", 1)
        try:
            for host in hosts:
                stack.callback(host.unplug)
                host.plug()
            with hosts[0].running("-c", "pass", log=Path(os.devnull)) as tried:
                code = tried.wait(30)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"This machine gives no right to make networks: {error.stderr.strip()}")
        if code:
            pytest.skip("This machine gives no right to namespaces of processes and names (unshare)")
        yield hosts
