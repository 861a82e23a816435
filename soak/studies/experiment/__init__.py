"""The same load over several mitigations, side by side: which lowers the memory, and at what price."""
