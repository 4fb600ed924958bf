"""The trainer: drives the training, and answers the window and the observer between epochs."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait

import torch

from aeviz.learn.training import DeviceError, DivergedError
from aeviz.work import messages as m
from aeviz.work.driver import Driver


class Trainer:
    """One run at a time: its training, and the messages about it."""

    def __init__(
        self, window: Connection, observer: Connection, send: Callable[[m.FromWorker], None]
    ) -> None:
        self._window, self._observer, self._send = window, observer, send
        self._run = 0
        self._driver: Driver | None = None
        self._drive = m.Drive(playing=False, speed=math.inf)

    def serve(self) -> None:
        """Answer and train until told to stop.

        Raises
        ------
        EOFError, BrokenPipeError, ConnectionResetError
            When the other end of a pipe is gone.
        """
        self._send(m.Ready(str(torch.__version__)))  # its own class would load torch in the window
        while True:
            heard = wait([self._window, self._observer], self._driver.wait() if self._driver else None)
            if self._window in heard or (heard and self._window.poll()):
                # First, for what the observer asks comes after what the window had said before.
                message = self._window.recv()
                if isinstance(message, m.Stop):
                    return
                self._guarded(message)
            elif heard:
                asked: m.AskState = self._observer.recv()
                self._observer.send(self._driver.state(asked) if self._driver else None)
            elif self._driver is not None:
                self._train(self._driver)

    def _guarded(self, message: m.ToTrainer) -> None:
        try:
            self._handle(message)
        except (EOFError, OSError):
            raise
        except Exception:
            self._send(m.Failed(traceback.format_exc(), over=self._driver is None, run=self._run))

    def _handle(self, message: m.ToTrainer) -> None:
        match message:
            case m.Build():
                self._run, self._driver = message.run, None  # if the new one fails, the old one is over too
                self._build(message)
            case m.Drive():
                self._set_drive(message)
            case _ if self._driver is None:
                pass  # there is no run; what ended it has been told
            case m.Change():
                self._driver.change(message.settings)
                self._send_record()
            case m.Step():
                self._rest()
                self._driver.single = True

    def _build(self, message: m.Build) -> None:
        try:
            self._driver = Driver(message, self._drive)
        except DeviceError as error:
            self._send(m.Refused(message.run, str(error)))
        self._send_record()

    def _train(self, driver: Driver) -> None:
        try:
            driver.train()
        except DivergedError as error:
            self._send_record()  # first, so that what has to be forgotten comes before it is
            driver.go_back()
            self._rest()
            self._send(m.Diverged(self._run, driver.training.epoch, str(error)))
        except Exception:
            self._rest()
            self._driver = None
            self._send(m.Failed(traceback.format_exc(), run=self._run))
        self._send_record()

    def _rest(self) -> None:
        self._set_drive(m.Drive(playing=False, speed=self._drive.speed))

    def _set_drive(self, drive: m.Drive) -> None:
        self._drive = drive
        if self._driver is not None:
            self._driver.drive = drive

    def _send_record(self) -> None:
        if self._driver is not None:
            for message in self._driver.record:
                self._send(message)
            self._driver.record.clear()
