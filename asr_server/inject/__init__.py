"""Leaks put in on purpose, so that a soak test can be shown a server that really does leak."""

from asr_server.inject.injection import FORM, Injection, parse_injection
from asr_server.inject.injector import Injected, LeakInjector
from asr_server.inject.kinds import KINDS, kinds_in_words
from asr_server.inject.leak import Event, Resource

__all__ = [
    "FORM",
    "KINDS",
    "Event",
    "Injected",
    "Injection",
    "LeakInjector",
    "Resource",
    "kinds_in_words",
    "parse_injection",
]
