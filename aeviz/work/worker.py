"""The worker: drives the training and answers the window between epochs."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection

import torch

from aeviz.learn.training import DivergedError
from aeviz.work import messages as m
from aeviz.work.driver import Driver


class Worker:
    """One run at a time: its training, its timeline, and the messages about them."""

    def __init__(self, connection: Connection, send: Callable[[m.FromWorker], None]) -> None:
        torch.set_num_threads(1)  # at these sizes a second thread costs more than it brings
        torch.set_grad_enabled(False)
        self._connection, self._send = connection, send
        self._run = 0
        self._driver: Driver | None = None
        self._drive = m.Drive(playing=False, speed=math.inf)

    def serve(self) -> None:
        """Answer and train until told to stop.

        Raises
        ------
        EOFError, BrokenPipeError, ConnectionResetError
            When the other end of the pipe is gone.
        """
        self._send(m.Ready(str(torch.__version__)))  # its own class would load torch in the window
        while True:
            wait = self._driver.wait(self._drive) if self._driver else None
            if self._connection.poll(wait):
                message = self._connection.recv()
                if isinstance(message, m.Stop):
                    return
                self._guarded(message)
            elif self._driver is not None:
                self._train(self._driver)

    def _guarded(self, message: m.ToWorker) -> None:
        try:
            self._handle(message)
        except (EOFError, OSError):
            raise
        except Exception:
            self._send(m.Failed(traceback.format_exc(), over=self._driver is None))

    def _handle(self, message: m.ToWorker) -> None:
        match message:
            case m.Build():
                self._run, self._driver = (
                    message.run,
                    None,
                )  # should the new one fail, the old one is over too
                self._driver = Driver(message)
                self._send_record()
            case m.Drive():
                self._drive = message
            case _ if self._driver is None:
                pass  # there is no run; what ended it has been told
            case m.Change():
                self._driver.change(message.settings)
                self._send_record()
            case m.Step():
                self._drive = m.Drive(playing=False, speed=self._drive.speed)
                self._driver.single = True
            case m.Ask():
                self._send(self._driver.frame(message, self._drive))
            case m.AskMetrics():
                self._send(m.Measured(self._run, self._driver.metrics()))

    def _train(self, driver: Driver) -> None:
        try:
            driver.train(self._drive)
        except DivergedError as error:
            driver.go_back()
            self._drive = m.Drive(playing=False, speed=self._drive.speed)
            self._send(m.Diverged(self._run, driver.training.epoch, str(error)))
        except Exception:
            self._drive = m.Drive(playing=False, speed=self._drive.speed)
            self._driver = None
            self._send(m.Failed(traceback.format_exc()))
        self._send_record()

    def _send_record(self) -> None:
        if self._driver is not None:
            for message in self._driver.record:
                self._send(message)
            self._driver.record.clear()
