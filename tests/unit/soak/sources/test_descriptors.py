"""What a process has open, by kind, and its TCP sockets by state."""

import os
import socket
import tempfile
from pathlib import Path

from soak.sources.descriptors import count_descriptors, count_socket_states

SELF = Path("/proc/self")


def test_every_kind_is_counted_as_what_it_is() -> None:
    before = count_descriptors(SELF / "fd")
    ends = os.pipe()
    with tempfile.TemporaryFile() as gone, tempfile.NamedTemporaryFile() as there, socket.socket() as talks:
        memory_file = os.memfd_create("held")
        after = count_descriptors(SELF / "fd")
        assert min(gone.fileno(), there.fileno(), talks.fileno()) >= 0
        os.close(memory_file)
    for end in ends:
        os.close(end)
    assert before is not None
    assert after is not None
    assert after.fd_pipes - before.fd_pipes == 2
    assert after.fd_deleted - before.fd_deleted == 1
    assert after.fd_files - before.fd_files == 1
    assert after.sockets - before.sockets == 1
    assert after.fd_other - before.fd_other == 1
    assert after.fds == sum((after.fd_files, after.fd_deleted, after.fd_pipes, after.fd_other, after.sockets))


def test_a_socket_the_peer_has_closed_is_waiting_to_be_closed() -> None:
    before = count_socket_states(SELF)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        both_open = count_socket_states(SELF)
        peer.close()
        assert accepted.recv(1) == b""  # the peer's end has arrived
        one_left = count_socket_states(SELF)
        accepted.close()
    assert before is not None
    assert both_open is not None
    assert one_left is not None
    assert both_open.sockets_listen - before.sockets_listen == 1
    assert both_open.sockets_established - before.sockets_established == 2
    assert one_left.sockets_close_wait - before.sockets_close_wait == 1


def test_a_process_that_is_gone_is_a_gap(tmp_path: Path) -> None:
    assert count_descriptors(tmp_path / "fd") is None
    assert count_socket_states(tmp_path) is None
