from __future__ import annotations

import pytest

from soak.studies.profile.frames import Frame, is_standard, site_index, without_parameters

SERVE = Frame("Server::serve(int)", "/src/server.cc", 40, "server")
STDLIB = "/usr/lib/python3.11"


@pytest.mark.parametrize(
    "frame",
    [
        Frame("prof_backtrace", None, None, "libjemalloc.so.2"),
        Frame("operator new(unsigned long)", None, None, "server"),
        Frame(
            "std::make_unique<Session, unsigned long&>",
            "/usr/include/c++/12/bits/unique_ptr.h",
            1065,
            "server",
        ),
        Frame(
            "void std::vector<float, std::allocator<float> >::_M_realloc_insert<float>(int)",
            None,
            None,
            "server",
        ),
        Frame("__libc_start_main", None, None, "libc.so.6"),
        Frame("libffi.so.8.1.2+0x6f79", None, None, "libffi.so.8.1.2"),
        Frame("_PyEval_Vector", "/build/Python/ceval.c", 6434, "python3.11"),
        Frame("append", f"{STDLIB}/collections/__init__.py", 12),
        Frame("_run_code", "<frozen runpy>", 88),
    ],
)
def test_allocators_and_standard_libraries_are_not_the_site(frame: Frame) -> None:
    assert is_standard(frame)
    assert site_index((frame, SERVE)) == 1


@pytest.mark.parametrize(
    "frame",
    [
        Frame("Session::Session(std::string const&)", "/src/session.cc", 7, "server"),
        Frame("WebSocketServer::on_close(std::weak_ptr<void>)", None, None, "server"),
        Frame("std_like_but_ours()", None, None, "server"),
        Frame("server+0x1234", None, None, "server", 0x1234),
        Frame("keep", "/home/me/server/objects.py", 26),
    ],
)
def test_the_programs_own_calls_are(frame: Frame) -> None:
    assert not is_standard(frame)
    assert site_index((frame, SERVE)) == 0


def test_an_installed_package_is_the_site_only_where_all_are() -> None:
    installed = Frame("feed", "/opt/venv/lib/python3.11/site-packages/lib/a.py", 3)
    own = Frame("keep", "/home/me/server.py", 9)
    assert site_index((installed, own)) == 1
    assert site_index((installed,)) == 0


def test_a_stack_of_libraries_alone_has_its_innermost_call_as_site() -> None:
    assert site_index((Frame("malloc", None, None, "libc.so.6"), Frame("free", None, None, "libc.so.6"))) == 0
    assert site_index(()) == -1


def test_parameters_are_left_out_of_a_name() -> None:
    assert without_parameters("Server::on(std::function<void(int)>, int)::{lambda()#1}") == "Server::on"
    assert without_parameters("(anonymous namespace)::keep(int)") == "{anonymous}::keep"
    assert without_parameters("Holder<void (*)(int)>::keep(int)") == "Holder<void (*)(int)>::keep"
    assert SERVE.short == "Server::serve (server.cc:40)"
