"""The world the judge learns from: servers and machines whose memory is the sum of small processes."""

from soak.learn.world.world import Example, example

__all__ = ["Example", "example"]
