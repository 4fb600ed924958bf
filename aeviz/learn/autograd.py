"""The gradient of one batch by autograd on the plain formulas: for all that step.py does not cover."""

from __future__ import annotations

import torch
from torch import Tensor

from aeviz.learn.loss import Loss
from aeviz.learn.network import Network


class AutogradGradient:
    """The same as `step.BatchGradient`, several times slower, for every network and loss, on any device.

    On a GPU the launch of each small kernel costs more than its work; there the whole of it is
    captured once as a CUDA graph and replayed.
    """

    def __init__(self, network: Network, loss: Loss, parameters: Tensor, columns: int, batch: int) -> None:
        self._network, self._loss, self._parameters, self._batch = network, loss, parameters, batch
        self.gradient = torch.zeros_like(parameters)
        self._points = torch.zeros(2, 2, columns, dtype=parameters.dtype)
        self.noisy, self.clean = self._points.numpy()
        self._there = self._points.to(parameters.device)  # the very same memory, unless it is a GPU's
        self._strength = torch.zeros((), dtype=parameters.dtype, device=parameters.device)
        self._totals = torch.zeros(2, dtype=parameters.dtype, device=parameters.device)
        self.strength, self.penalty = loss.strength, 0.0
        width = network.widths[network.code] if network.sampled else 0
        code_eps = torch.zeros(width, columns, dtype=parameters.dtype)
        self.code_eps, self._code_eps = code_eps.numpy(), code_eps
        self._code_there = code_eps.to(parameters.device)
        self._graph = self._captured() if parameters.is_cuda else None

    def __call__(self) -> float:
        """Write `gradient` for the points in `noisy` and `clean`; return the sum of their F."""
        self._strength.fill_(self.strength)
        if self._graph is None:
            self._differentiate()
        else:
            self._there.copy_(self._points)
            self._code_there.copy_(self._code_eps)
            self._graph.replay()
        total, self.penalty = self._totals.tolist()
        return float(total)

    def _differentiate(self) -> None:
        with torch.enable_grad():
            flat = self._parameters.detach().requires_grad_()  # shares the memory
            noisy, clean = self._there
            code_eps = self._code_there if self._network.sampled else None
            C, R = self._loss.per_point(self._network, flat, noisy, clean, self._strength, code_eps)
            F = (C + R).sum()
            (gradient,) = torch.autograd.grad(F / self._batch, flat)
        self.gradient.copy_(gradient)
        self._totals.copy_(torch.stack((F.detach(), R.detach().sum())))

    def _captured(self) -> torch.cuda.CUDAGraph:
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # the first calls allocate, which no graph may
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._differentiate()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._differentiate()
        return graph
