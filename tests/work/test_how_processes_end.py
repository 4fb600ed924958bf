"""How trainer and observer end, and what they are made of."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from processes import children, descendants, ended
from talk import AT_REST, ENDLESS, NEVER_STOPS, SMALL, bits, main_that_cannot_fork, on_linux, same

from aeviz.core.clean_data import clean_data
from aeviz.work import cores, entry
from aeviz.work import forked as forked_module
from aeviz.work import messages as m

PLAIN = SMALL.replace(optimiser="sgd")  # diverges at a learning rate of 1, as nothing scales its steps


# How they end


def test_divergence_stops_at_a_good_epoch_and_can_be_mended(talk):
    run = talk.build(PLAIN.replace(epochs=20))
    talk.train_to_end()
    # At rest first, else it might diverge before it is told to train.
    talk.send(AT_REST, m.Change(PLAIN.replace(learning_rate=1.0)), NEVER_STOPS)
    told = talk.wait_for(m.Diverged)
    assert told.run == run
    assert told.epoch <= 22  # soon after the change
    assert "lower the learning rate (it is 1)" in told.reason
    stands = talk.look()
    assert stands.epoch == stands.progress.epoch == told.epoch
    assert stands.progress.phase == "paused"
    assert np.abs(stands.field.displacement).max() < 10.0  # weights that are worth going on with
    assert same(talk.look(), stands)
    past = talk.look(epoch=told.epoch)  # with the rate with which that epoch was trained
    assert bits((past.field, past.marks)) == bits((stands.field, stands.marks))
    assert past.settings.learning_rate == PLAIN.learning_rate
    talk.send(m.Change(PLAIN.replace(learning_rate=0.01)))
    assert talk.train_to_end()[-1].epoch == PLAIN.epochs
    assert talk.losses()[-1, 0] < talk.losses()[told.epoch, 0]


def test_stop_ends_both_with_exit_code_0(new_talk, both_ways):
    talk = new_talk()
    talk.build(ENDLESS)
    talk.send(NEVER_STOPS, m.Stop())
    with pytest.raises(AssertionError, match="Died"):
        talk.wait_for(m.Measured)
    assert talk.said[-1] == m.Died(0)


@on_linux
@pytest.mark.parametrize("which", ["trainer", "observer"])
@pytest.mark.parametrize("drive", [NEVER_STOPS, AT_REST], ids=["training", "at rest"])
def test_sigkill_is_told_at_once(new_talk, which, drive, both_ways):
    talk = new_talk()
    talk.build(ENDLESS)
    talk.send(drive)
    pids = talk.client.pids
    assert [*pids] == ["trainer", "observer"]
    os.kill(pids[which], signal.SIGKILL)
    with pytest.raises(AssertionError, match="Died"):
        talk.wait_for(m.Measured)
    assert talk.said[-1] == m.Died(-signal.SIGKILL, which)
    talk.send(m.Ask(1, SMALL), m.Step())  # to no one, and no error
    talk.client.stop()
    assert all(ended(pid, within=0.0) for pid in talk.client.pids.values())


@on_linux
def test_stopped_while_they_load_they_are_gone(new_talk):
    before = descendants(os.getpid())
    talk = new_talk()
    (loading,) = talk.client.pids.values()
    talk.client.stop()
    assert ended(loading, within=0.0)
    assert all(ended(pid, within=2.0) for pid in descendants(os.getpid()) - before)


@on_linux
def test_an_observer_that_is_not_told_of_ends_with_the_trainer(new_talk):
    talk = new_talk()
    trainer = talk.client.pids["trainer"]
    while not (forked := children(trainer)):
        assert not ended(trainer, within=0.0)
    os.kill(trainer, signal.SIGKILL)
    with pytest.raises(AssertionError, match="Died"):
        talk.wait_for(m.Measured)
    assert talk.said[-1] == m.Died(-signal.SIGKILL, "trainer")
    talk.client.stop()
    assert all(ended(pid, within=2.0) for pid in forked)


@on_linux
def test_where_no_process_can_be_forked_the_next_ones_are_started_one_by_one(new_talk, monkeypatch):
    monkeypatch.setattr(forked_module, "_forks", True)  # and back, after this test
    monkeypatch.setattr(entry, "main", main_that_cannot_fork)
    talk = new_talk()
    with pytest.raises(AssertionError, match="Died"):
        talk.wait_for(m.Ready)
    assert talk.said == [m.Died(1, "trainer")]
    talk = new_talk()
    talk.wait_for(m.Ready)
    assert [*talk.client.pids] == ["trainer", "observer"]
    talk.build(SMALL)
    assert talk.train_to_end()[-1].epoch == SMALL.epochs


@on_linux
@pytest.mark.parametrize("which", ["trainer", "observer"])
def test_a_stopped_process_is_ended_within_two_seconds(new_talk, which, both_ways):
    talk = new_talk()
    talk.build(ENDLESS)
    os.kill(talk.client.pids[which], signal.SIGSTOP)
    for number in range(2_000):  # a slider is dragged meanwhile; no send may wait for a process
        talk.send(m.Change(ENDLESS.replace(noise=number / 2_000)), m.Ask(number, SMALL))
    began = time.monotonic()
    talk.client.stop()
    assert time.monotonic() - began < 2.0
    assert all(ended(pid, within=0.0) for pid in talk.client.pids.values())


def test_interrupts_are_for_the_window_alone(talk):
    talk.build(SMALL)
    for pid in talk.client.pids.values():
        os.kill(pid, signal.SIGINT)
    assert talk.train_to_end()[-1].epoch == SMALL.epochs


def test_an_interrupt_while_a_process_is_started_waits(start):
    program = (
        "import os, signal, numpy\n"  # whose BLAS has threads of its own, which block nothing
        "from aeviz.work.starting import interrupts_held\n"
        "try:\n"
        "    with interrupts_held():\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        for _ in range(100_000): pass\n"
        "        print('held')\n"
        "except KeyboardInterrupt:\n"
        "    print('then')\n"
    )
    assert start("-c", program).end() == (0, "held\nthen\n", "")


@on_linux
def test_a_process_ends_when_its_pipe_closes():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    observer, observers = context.Pipe()
    process = context.Process(target=entry.main, args=(entry.Post("trainer", theirs, observers, cores.ALL),))
    process.start()
    theirs.close(), observers.close()
    for message in (m.Build(1, ENDLESS, clean_data(ENDLESS)), NEVER_STOPS):
        ours.send(message)
    observer.send(m.AskState())
    assert observer.recv().run == 1
    ours.close()
    assert ended(process.pid, within=2.0)
    process.join()
    assert process.exitcode == 0


@on_linux
def test_the_window_keeps_off_a_core_that_the_trainer_may_use(talk):
    talk.build(SMALL)
    given = {name: os.sched_getaffinity(pid) for name, pid in talk.client.pids.items()}
    assert given["trainer"] == cores.ALL
    assert given["observer"] == cores.ALL_BUT_ONE
    assert len(cores.ALL - cores.ALL_BUT_ONE) == (len(cores.ALL) > 1)


# What they are made of


def test_the_processes_load_no_qt():
    program = (
        "import sys, aeviz.work.trainer, aeviz.work.observer; "
        "print({name.split('.')[0] for name in sys.modules} "
        "& {'PyQt6', 'pyqtgraph', 'superqt', 'aeviz', 'torch'})"
    )
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert eval(out) == {"aeviz", "torch"}  # noqa: S307


@on_linux
def test_the_running_processes_have_torch_and_no_qt_mapped(talk):
    talk.build(SMALL)
    talk.train_to_end()
    talk.look()
    mapped = {name: Path(f"/proc/{pid}/maps").read_text() for name, pid in talk.client.pids.items()}
    assert mapped.keys() == {"trainer", "observer"}
    assert all("libtorch" in each for each in mapped.values())
    assert not any("Qt6" in each for each in mapped.values())
