"""Who runs a sweep's tasks: processes on this machine, or a Dask cluster; both are `concurrent.futures`."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, ParamSpec, TypeVar

from aeviz.version import __version__
from aeviz.work.cores import ALL, keep_to
from aeviz.work.starting import fit_to_start

PATIENCE = 5.0  # seconds in which a cluster has to answer

_P = ParamSpec("_P")
_T = TypeVar("_T")


class WorkerLostError(RuntimeError):
    """The process that ran a task ended in the middle of it."""


class ClusterError(RuntimeError):
    """There is no such cluster, or it is of no use; the text is one line that says what to do."""


def cores() -> int:
    """How many tasks run at a time unless it is said."""
    return len(ALL) or os.cpu_count() or 1


class ClusterLostError(ClusterError):
    """The cluster has gone while it was used."""


class LocalPool(Executor):
    """So many processes of this machine; one that dies costs its own task alone.

    A `ProcessPoolExecutor` breaks as a whole when a process of it dies, and does not tell which task that
    was. So each process is a pool of its own, which a thread waits for.
    """

    def __init__(self, jobs: int) -> None:
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="aeviz-sweep")
        self._own = threading.local()  # each thread's pool
        self._pools: list[ProcessPoolExecutor] = []
        self._context = _Context()

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have `fn` called in a process; a `WorkerLostError` where that one dies of it."""
        run: Callable[..., _T] = self._run
        return self._threads.submit(run, fn, *args, **kwargs)

    def _run(self, fn: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
        if not hasattr(self._own, "pool"):
            self._own.pool = ProcessPoolExecutor(1, self._context, initializer=_begin, initargs=(ALL,))
            self._pools.append(self._own.pool)
        try:
            future: Future[_T] = self._own.pool.submit(fn, *args, **kwargs)
        except (BrokenProcessPool, OSError) as error:  # also of one that ends while it is being started
            raise self._lost() from error
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise self._lost() from error

    def _lost(self) -> WorkerLostError:
        self._pools.remove(self._own.pool)
        self._own.pool.shutdown()
        del self._own.pool
        return WorkerLostError("the process that ran it ended")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes once their tasks are done, or at once where what is to come is cancelled."""
        if cancel_futures:
            self._context.kill()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for pool in self._pools:
            pool.shutdown(wait)


class _Context(SpawnContext):
    """Knows the processes that it has started, to end them all at once."""

    def __init__(self) -> None:
        self._started: list[SpawnProcess] | None = []
        self._starting = threading.Lock()

    def Process(self, *args: Any, **kwargs: Any) -> SpawnProcess:  # type: ignore[override]
        """A process of this context."""
        return _Process(self, *args, **kwargs)

    def begin(self, start: Callable[[], None], process: SpawnProcess) -> None:
        """Start a process, unless all are ended already."""
        with self._starting:
            if self._started is None:
                raise WorkerLostError("the sweep is over")
            with fit_to_start():
                start()
            self._started = [each for each in self._started if each.is_alive()] + [process]

    def kill(self) -> None:
        """End all processes at once, and start no more."""
        with self._starting:
            started, self._started = self._started or [], None
        for process in started:
            process.kill()


class _Process(SpawnProcess):
    def __init__(self, context: _Context, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._begin = context.begin

    def start(self) -> None:
        begin = self.__dict__.pop("_begin")  # what is left of this goes to the process
        begin(super().start, self)


def _begin(cores: frozenset[int]) -> None:
    """Begin as a process of the pool, on all cores, whichever the window keeps to itself.

    Ctrl-C is for who started it, and with that one it ends.
    """
    keep_to(cores)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


@contextmanager
def local_pool(jobs: int) -> Iterator[LocalPool]:
    """So many processes of this machine, which end at once where what is done with them fails."""
    pool = LocalPool(jobs)
    try:
        yield pool
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def dask_pool(address: str) -> Iterator[Executor]:
    """A Dask cluster that is there, as its own client's executor.

    Raises
    ------
    ClusterError
        Where distributed is not installed, where the cluster does not answer, and where its workers cannot
        run this aeviz.
    """
    import asyncio

    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError("--scheduler needs Dask's distributed: pip install 'aeviz[dask]'") from error
    for name in logging.root.manager.loggerDict:
        if name.startswith("distributed"):  # what it reports of a lost connection is told in one line
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        asyncio.run(_knock(address))  # first: a client that finds none takes long to close
        client: Any = Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        raise ClusterError(
            f"no Dask cluster answers at {address}: start one with `dask scheduler`, and give its address, "
            "as in tcp://127.0.0.1:8786"
        ) from error
    with client:
        _check_workers(client, address)
        pool = client.get_executor(pure=False)
        try:
            yield pool
        finally:
            pool.shutdown(wait=False)  # drops what is not done yet


async def _knock(address: str) -> None:
    from distributed.comm import connect
    from distributed.security import Security

    arguments = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
    comm: Any = await connect(address, timeout=PATIENCE, **arguments)  # type: ignore[no-untyped-call]
    await comm.close()


def _check_workers(client: Any, address: str) -> None:
    try:
        versions = client.run(_version)
    except Exception as error:
        raise ClusterError(
            f"the workers at {address} cannot run aeviz ({type(error).__name__}: {error}): install aeviz "
            f"{__version__} there"
        ) from error
    for worker, version in versions.items():
        if version != __version__:
            raise ClusterError(
                f"the worker {worker} has aeviz {version}, not {__version__}: its numbers may be others"
            )


def _version() -> str:
    return __version__
