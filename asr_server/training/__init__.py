"""Development only: the network in PyTorch, and what exports it. Nothing here is imported at run time."""
