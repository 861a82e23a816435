"""The heap in use of any process with glibc's malloc, read from outside through `/proc/P/mem`."""

from soak.sources.heap.reading import HeapGap, HeapReader, HeapReading

__all__ = ["HeapGap", "HeapReader", "HeapReading"]
