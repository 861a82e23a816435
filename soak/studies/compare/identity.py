"""What must be equal for a comparison of two runs to mean anything, and what may well be the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.targets import Capability

if TYPE_CHECKING:
    from collections.abc import Mapping

    from soak.capabilities import Capabilities
    from soak.record import Run

GIB = 2**30
NOT_THE_SCENARIO = {
    "url",
    "duration_s",
    "connections",
    "until_decided",
    "seed",
    "rate_per_s",
    "max_rate_per_s",
    "check_references",
    "verify_tls",
    "certificate",
}
"""Settings of the load that two like runs may differ in: how long it lasted, how fast the machine was, and
whether transcripts were compared with what is said."""


def identity_of(run: Run) -> dict[str, str]:
    """Return what makes runs comparable, in words: target, model, threads, scenario, machine."""
    if not run.manifest.is_recorded:
        axis = None if run.origin is None else run.origin.step
        return {"axis": f"readings by {axis or 'time'}"}
    server, load, host = run.manifest.configuration.server, run.manifest.configuration.load, run.manifest.host
    identity = {"target": _target_in_words(run.manifest.target.abilities)}
    if server is not None:
        passes = f", second pass {server.second_pass}"
        float_graphs = ", float graphs" if server.quantize is False else ""
        threads = map(str, (server.decoder_thread_num, server.io_thread_num, server.model_thread_num))
        identity["model"] = f"{server.model}{passes}{float_graphs}"
        identity["threads"] = f"decoder/io/model {'/'.join(threads)}"
    scenario = {name: value for name, value in load.items() if name not in NOT_THE_SCENARIO}
    identity["scenario"] = ", ".join(f"{name} {scenario[name]}" for name in sorted(scenario))
    memory_gib = round((host.memory_bytes or 0) / GIB)
    identity["machine"] = f"{host.architecture}, {host.cores} cores, {memory_gib} GiB"
    return identity


def versions_of(run: Run) -> dict[str, str]:
    """Return versions of packages, Python, libc and kernel, and the processor's name.

    The processor is no part of the identity: hosted runners of one class have several, and what they change
    is speed, which a check does not judge.
    """
    host = run.manifest.host
    found = {"python": host.python, "libc": host.libc, "kernel": host.kernel, "cpu_model": host.cpu_model}
    return {name: version for name, version in {**run.manifest.versions, **found}.items() if version}


def unlike(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """Say in what two identities differ, one sentence each; nothing when they may be compared."""
    said = []
    for name in sorted(ours.keys() | theirs.keys()):
        left, right = (_comparable(identity.get(name, "not recorded")) for identity in (ours, theirs))
        if left != right:
            said.append(f"{name}: {_short(left, right)} against {_short(right, left)}")
    return said


def _comparable(text: str) -> str:
    """Leave out what was part of a scenario in older baselines."""
    return ", ".join(part for part in text.split(", ") if part.partition(" ")[0] not in NOT_THE_SCENARIO)


def _short(text: str, other: str) -> str:
    """Keep of a list only what the other does not have."""
    parts = [part for part in text.split(", ") if part not in other.split(", ")]
    return ", ".join(parts) or "nothing else"


def _target_in_words(target: Capabilities) -> str:
    if Capability.REFERENCE in target:
        return "the bundled server"
    return "a server that was started" if Capability.STOPPED in target else "a server that was attached"
