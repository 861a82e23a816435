"""The facts about machine and software that a reader of a run needs before believing it."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path

import psutil

from soak.record.manifest import Host
from soak.redaction import TOLD_VARIABLES
from soak.sources.cgroup import cgroup_of

PACKAGES = ("onnxruntime", "numpy", "websockets", "kaldi-native-fbank", "psutil", "soak")
"""Packages whose versions bear on the memory of the bundled server, or on the measurement."""


def host_facts() -> Host:
    """Return architecture, processor, cores, memory, kernel, libc, Python, huge pages, the cgroup's limit."""
    cgroup = cgroup_of(os.getpid())
    return Host(
        architecture=platform.machine(),
        cpu_model=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=psutil.virtual_memory().total,
        kernel=platform.release(),
        libc=" ".join(platform.libc_ver()).strip(),
        python=platform.python_version(),
        os=_os_name(),
        thp=_first_text([Path("/sys/kernel/mm/transparent_hugepage/enabled")]),
        cgroup_limit_bytes=None if cgroup is None else cgroup.limit_bytes(),
    )


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that matter here; absent ones are left out."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def allocator_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that steer allocators, thread pools and Python's own memory."""
    return {name: value for name, value in environment.items() if TOLD_VARIABLES.match(name)}


def _first_text(paths: list[Path]) -> str | None:
    for path in paths:
        try:
            return path.read_text(encoding="ascii").strip()
        except OSError:
            continue
    return None


def _cpu_model() -> str:
    text = _first_text([Path("/proc/cpuinfo")]) or ""
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match.group(1).strip() if match else platform.machine()


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    except OSError:
        return "Linux"
