"""The network, its training step and its training loop: torch, no Qt."""
