"""soak: is a streaming speech server leaking memory, or only warming up?"""

__version__ = "0.1.0"
