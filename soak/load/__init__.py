"""The load: what connections do and when they come, and the driver that opens and closes them.

`plan`, `messages`, `arrivals` and `scenarios` need no network library; `python -m soak.load` is the driver, a
process of its own. How servers are talked to stands in `soak.dialects`.
"""
