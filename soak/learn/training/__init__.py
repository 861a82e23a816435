"""Training the posterior's network, with PyTorch."""
