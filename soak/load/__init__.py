"""The load: the client side of the dialogue, and the driver that opens and closes connections.

`plan` and `messages` are plain data, importable without a network library; `python -m soak.load` is
the driver, a process of its own.
"""
