"""The heap in use of any process with glibc's malloc, read from outside through `/proc/P/mem`."""

from soak.sources.heap.reading import HeapGap, HeapReader, HeapReading
from soak.sources.heap.tree import HeapOfTree

__all__ = ["HeapGap", "HeapOfTree", "HeapReader", "HeapReading"]
