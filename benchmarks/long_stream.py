"""Does an hour-long stream cost per chunk what its first minute did?

Streams an hour of the bundled recordings through one stream of the tiny model, unpaced, and compares
the CPU time per chunk of the last minutes with that of the first, and the memory in use at both ends.
"""

from __future__ import annotations

import itertools
import statistics
import time

import numpy as np

from asr_server.paraformer.catalog import ONLINE, resolve_model
from asr_server.paraformer.sessions import RuntimeSettings
from asr_server.paraformer.streaming import OnlineRecogniser
from asr_server.process_memory import read_heap_usage
from soak.load.clips import load_clips

CHUNK_SAMPLES = 9600
HOUR_CHUNKS = 6000
MINUTE_CHUNKS = 100


def main() -> None:
    """Print the cost of each tenth of the hour relative to its first minute."""
    recogniser = OnlineRecogniser.load(resolve_model("tiny") / ONLINE, RuntimeSettings())
    pcm = np.concatenate([np.frombuffer(clip.pcm, dtype="<i2") for clip in load_clips()])
    samples = (pcm / 32768).astype(np.float32)
    starts = range(0, len(samples) - CHUNK_SAMPLES, CHUNK_SAMPLES)
    chunks = itertools.cycle([samples[start : start + CHUNK_SAMPLES] for start in starts])
    stream = recogniser.new_stream()
    for _ in range(MINUTE_CHUNKS):  # first touch of everything
        stream.accept(next(chunks))
    stream.reset()
    cpu_s, heap_bytes = [], []
    for _ in range(HOUR_CHUNKS // MINUTE_CHUNKS):
        began_s = time.process_time()
        for _ in range(MINUTE_CHUNKS):
            stream.accept(next(chunks))
        cpu_s.append(time.process_time() - began_s)
        usage = read_heap_usage()
        heap_bytes.append(0 if usage is None else usage.in_use_bytes)
    first_s = statistics.median(cpu_s[:3])
    print("minutes   CPU per chunk, against the first three minutes   heap in use, KiB more")
    for begin in range(0, len(cpu_s), 10):
        ratio = statistics.median(cpu_s[begin : begin + 10]) / first_s
        grown_kib = (heap_bytes[min(begin + 9, len(heap_bytes) - 1)] - heap_bytes[0]) / 1024
        print(f"{begin:2d} to {begin + 10:2d}  {ratio:8.3f} x {grown_kib:40.1f}")


if __name__ == "__main__":
    main()
