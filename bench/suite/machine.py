"""What the figures depend on: the machine and the versions."""

import os
import platform
import re
import subprocess
from pathlib import Path

from .server import Server


def describe(server: Server) -> dict[str, str]:
    with server.connect() as connection:
        postgres = connection.value("SHOW server_version")
        versions = connection.value("SELECT wasm.version()")
        interruption = connection.value("SHOW wasm.interruption")
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_bytes() / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "PostgreSQL": postgres,
        "extension": versions,
        "wasm.interruption": interruption,
        "C compiler": _first_line(["gcc", "--version"]),
    }


def _processor() -> str:
    match = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match.group(1) if match else platform.machine()


def _memory_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _first_line(command: list[str]) -> str:
    return subprocess.check_output(command, text=True).splitlines()[0]
