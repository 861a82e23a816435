"""How servers are talked to, without sockets and clocks: one module for each protocol.

The driver, the benchmarks and the tests move the messages. Another package adds a dialect by an entry point
of the group `soak.dialects` (see docs/extending.md).
"""

from soak.dialects.dialect import (
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    AudioFrame,
    Conversation,
    Dialect,
    Event,
    Fault,
    Final,
    Message,
    MessageError,
    Partial,
    Ready,
    Send,
)
from soak.dialects.registry import DIALECTS

__all__ = [
    "DIALECTS",
    "SAMPLE_BYTES",
    "SAMPLE_RATE_HZ",
    "AudioFrame",
    "Conversation",
    "Dialect",
    "Event",
    "Fault",
    "Final",
    "Message",
    "MessageError",
    "Partial",
    "Ready",
    "Send",
]
