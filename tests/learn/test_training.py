"""The training loop: exact repetition and replay, what an epoch is, how it ends badly, how it learns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from torch import Tensor

from aeviz.core.manifolds import clean_data
from aeviz.core.metrics import Probe
from aeviz.core.settings import Settings
from aeviz.core.timeline import Keyframe, Timeline
from aeviz.learn.training import AVERAGING, BREATH, DivergedError, Training

SMALL = Settings(points=20, hidden=(6,), code=4, batch=7, noise=0.25)


def new(settings: Settings) -> Training:
    return Training(settings, clean_data(settings))


def train(training: Training, epochs: int) -> list[float]:
    """Losses of so many more epochs."""
    losses = (loss for loss in training.epochs() if loss is not None)
    return list(itertools.islice(losses, epochs))


def assert_same(one: Keyframe, other: Keyframe) -> None:
    """All of the state is the same, bit for bit."""
    assert one.epoch == other.epoch
    assert one.state.keys() == other.state.keys()
    for name, array in one.state.items():
        assert array.dtype == other.state[name].dtype
        assert array.tobytes() == other.state[name].tobytes(), name


class Still:
    """An optimiser that leaves the network as it is, so that an epoch's loss says what was in it."""

    def __init__(self) -> None:
        self.state: dict[str, Tensor] = {}
        self.steps = 0

    def step(self, gradient: Tensor, learning_rate: float) -> None:
        self.steps += 1


def still(settings: Settings) -> Training:
    training = new(settings)
    training.optimiser = Still()
    return training


def costs(training: Training, data: np.ndarray, noisy: np.ndarray) -> np.ndarray:
    """‖r(ŷ) − y‖² of each point with the weights as they are, (N,)."""
    return np.square(training.network.reconstruct(training.parameters.double(), noisy) - data).sum(axis=1)


# The same again


@pytest.mark.parametrize("optimiser", ["adam", "momentum", "sgd"])
def test_the_same_settings_give_the_same_run_bit_for_bit(optimiser: str) -> None:
    settings = SMALL.replace(optimiser=optimiser, learning_rate=0.01)
    one, other = new(settings), new(settings)
    assert train(one, 15) == train(other, 15)
    assert_same(one.keyframe(), other.keyframe())


def test_neither_other_draws_nor_other_trainings_change_a_run() -> None:
    undisturbed = new(SMALL)
    train(undisturbed, 6)
    disturbed, beside = new(SMALL), new(SMALL.replace(seed=5, batch=3))
    for _ in range(6):
        torch.manual_seed(0)
        train(disturbed, 1)
        train(beside, 1)
    assert_same(disturbed.keyframe(), undisturbed.keyframe())


def test_the_state_does_not_depend_on_when_the_run_ends_or_how_it_is_drawn() -> None:
    one = new(SMALL.replace(epochs=3))
    other = new(SMALL.replace(epochs=1_000_000, grid=(7, 9), threshold=5.0, theme="light"))
    train(one, 12)
    train(other, 12)
    assert_same(one.keyframe(), other.keyframe())


def test_seeds_give_other_weights_and_no_epoch_of_one_is_an_epoch_of_another() -> None:
    runs = [still(SMALL.replace(seed=seed)) for seed in range(5)]
    first = runs[0].parameters.clone()
    assert not any(torch.equal(run.parameters, first) for run in runs[1:])
    for run in runs:
        run.parameters.copy_(first)  # from here on the losses tell the noise alone
    losses = [loss for run in runs for loss in train(run, 20)]
    assert len(set(losses)) == len(losses)


def test_the_given_data_are_not_touched() -> None:
    data = clean_data(SMALL)
    training = Training(SMALL, data)
    train(training, 3)
    assert np.array_equal(data, clean_data(SMALL))
    own = (data - training.network.centre) / training.network.unit
    assert np.abs(training.data.T - own).max() < 1e-6  # float32 of numbers up to 2


# Keyframes and replay


class Recorded:
    """A run with a timeline, driven as the worker does it.

    `keyframes` are the epochs after which one is taken, `changes` the settings that are changed after
    an epoch, one after another; a keyframe of the same epoch is taken before them or after them.
    """

    def __init__(
        self,
        settings: Settings,
        epochs: int,
        keyframes: Iterable[int],
        changes: dict[int, list[dict[str, Any]]],
        keyframe_first: bool = True,
    ) -> None:
        self.timeline = Timeline()
        self.training = new(settings)
        self.states: list[Keyframe] = []
        keyframes = set(keyframes) | {0}
        running = self.training.epochs()
        for epoch in range(epochs + 1):
            if epoch:
                while next(running) is None:
                    pass
            self.states.append(self.training.keyframe())
            if keyframe_first and epoch in keyframes:
                self.timeline.add(self.training.keyframe())
            for change in changes.get(epoch, []):
                self.training.change(self.training.settings.replace(**change))
                self.timeline.note(epoch, self.training.settings)
            if not keyframe_first and epoch in keyframes:
                self.timeline.add(self.training.keyframe())


EPOCHS = 24
live_changes = st.fixed_dictionaries(
    {},
    optional={
        "noise": st.sampled_from([0.0, 0.1, 0.25, 0.7]),
        "learning_rate": st.sampled_from([1e-3, 0.01, 0.03]),
        "batch": st.sampled_from([1, 3, 7, 20, 33]),
        "epochs": st.integers(1, 99),
    },
)


@effort(max_examples=40)
@given(
    st.sets(st.integers(1, EPOCHS), max_size=6),
    st.dictionaries(st.integers(0, EPOCHS), st.lists(live_changes, min_size=1, max_size=3), max_size=5),
    st.sampled_from(["adam", "momentum", "sgd"]),
    st.booleans(),
    st.lists(st.integers(0, EPOCHS), min_size=1, max_size=3),
)
def test_any_epoch_is_brought_back_bit_for_bit(
    keyframes: set[int],
    changes: dict[int, list[dict[str, Any]]],
    optimiser: str,
    keyframe_first: bool,
    places: list[int],
) -> None:
    run = Recorded(SMALL.replace(optimiser=optimiser), EPOCHS, keyframes, changes, keyframe_first)
    again = new(SMALL.replace(optimiser=optimiser))
    for epoch in places:
        again.replay(run.timeline, epoch)
        assert_same(again.keyframe(), run.states[epoch])


@pytest.mark.parametrize("keyframe_first", [True, False], ids=["keyframe, change", "change, keyframe"])
@pytest.mark.parametrize("change", [{"noise": 0.5}, {"learning_rate": 0.1}, {"batch": 20}], ids=str)
def test_a_change_at_the_epoch_of_a_keyframe_is_replayed(
    change: dict[str, Any], keyframe_first: bool
) -> None:
    for epoch in (0, 5):
        run = Recorded(SMALL, 9, {0, epoch}, {epoch: [change]}, keyframe_first)
        unchanged = Recorded(SMALL, 9, {0}, {})
        assert (
            run.states[9].state["parameters"].tobytes() != unchanged.states[9].state["parameters"].tobytes()
        )
        again = new(SMALL)
        for place in range(10):  # one after another: a past training is used again and again
            again.replay(run.timeline, place)
            assert_same(again.keyframe(), run.states[place])


def test_a_slider_dragged_to_and_fro_is_as_if_it_had_not_moved() -> None:
    dragged = Recorded(SMALL, 20, {10}, {10: [{"noise": 0.9}, {"batch": 2}, {"noise": 0.25, "batch": 7}]})
    assert_same(dragged.states[20], Recorded(SMALL, 20, (), {}).states[20])
    again = new(SMALL)
    again.replay(dragged.timeline, 20)
    assert_same(again.keyframe(), dragged.states[20])


def test_after_replay_the_run_goes_on_as_it_did() -> None:
    run = Recorded(SMALL, 30, {8, 16}, {5: [{"noise": 0.4}], 16: [{"learning_rate": 0.02}]})
    again = new(SMALL)
    again.replay(run.timeline, 20)
    train(again, 10)
    assert_same(again.keyframe(), run.states[30])
    assert torch.equal(again.parameters, run.training.parameters)
    assert torch.equal(again.average, run.training.average)
    assert again.loss == run.training.loss


def test_a_replay_is_of_the_settings_in_force_in_that_epoch() -> None:
    run = Recorded(SMALL, 10, {0, 4}, {6: [{"noise": 0.5}]})
    again = new(SMALL)
    for epoch, noise in ((7, 0.5), (5, 0.25), (10, 0.5), (2, 0.25)):
        again.replay(run.timeline, epoch)
        assert again.settings.noise == noise


def test_the_timelines_own_keyframes_bring_every_epoch_back(monkeypatch: pytest.MonkeyPatch) -> None:
    training, timeline, states = new(SMALL), Timeline(), []
    monkeypatch.setattr("aeviz.core.timeline.MEMORY", 12 * training.keyframe().nbytes)
    epochs = training.epochs()
    for epoch in range(121):
        if epoch:
            while next(epochs) is None:
                pass
        if timeline.due(epoch):
            timeline.add(training.keyframe())
        states.append(training.keyframe())
    assert len(timeline) <= 12
    again = new(SMALL)
    for epoch in (120, 119, 60, 7, 1, 0):
        again.replay(timeline, epoch)
        assert_same(again.keyframe(), states[epoch])


def test_a_keyframe_is_a_copy_and_may_be_read_only() -> None:
    training = new(SMALL)
    train(training, 3)
    frame = training.keyframe()
    before = {name: array.copy() for name, array in frame.state.items()}
    for array in frame.state.values():
        array.flags.writeable = False  # as those that are read from a file
    train(training, 3)
    training.restore(frame)
    first = train(training, 2)
    assert all(frame.state[name].tobytes() == array.tobytes() for name, array in before.items())
    training.restore(frame)
    assert train(training, 2) == first


def test_the_loss_belongs_to_the_state() -> None:
    training = new(SMALL)
    assert math.isnan(training.loss)
    losses = train(training, 5)
    assert training.loss == losses[-1]
    frame = training.keyframe()
    train(training, 1)
    training.restore(frame)
    assert training.loss == losses[-1]


# What an epoch is


@pytest.mark.parametrize(("points", "batch"), [(12, 12), (12, 4), (12, 1), (12, 3), (1, 1)])
def test_an_epoch_uses_each_point_once(points: int, batch: int) -> None:
    settings = Settings(points=points, batch=batch, noise=0.0, hidden=(6,), code=4)
    training, data = still(settings), clean_data(settings)
    each = costs(training, data, data)
    # One point in another's place would show: float32 has 1e-6 of the largest.
    assert points == 1 or np.diff(np.sort(each)).min() > 1e-4 * each.max()
    for loss in train(training, 4):
        assert abs(loss - each.mean()) <= 2e-6 * each.max()
    assert training.optimiser.steps == 4 * points // batch


@pytest.mark.parametrize(("points", "batch"), [(10, 4), (10, 7), (10, 9), (5, 6), (5, 12), (3, 20), (1, 6)])
def test_slots_that_are_left_are_filled_with_other_points(points: int, batch: int) -> None:
    """Each point ⌊slots/N⌋ times, and some of them once more."""
    settings = Settings(points=points, batch=batch, noise=0.0, hidden=(6,), code=4)
    training, data = still(settings), clean_data(settings)
    each = costs(training, data, data)
    slots = -(-points // batch) * batch
    rounds, more = divmod(slots, points)
    possible = [(rounds * each.sum() + sum(extra)) / slots for extra in itertools.combinations(each, more)]
    for loss in train(training, 6):
        assert np.abs(np.array(possible) - loss).min() <= 2e-6 * each.max()
    assert training.optimiser.steps == 6 * slots // batch


def test_the_order_of_the_points_is_new_in_every_epoch() -> None:
    settings = Settings(points=10, batch=9, noise=0.0, hidden=(6,), code=4)
    # 18 slots: 8 points a second time, so a loss tells which two were left out; 45 such pairs.
    assert len({round(loss, 6) for loss in train(still(settings), 30)}) > 10


@pytest.mark.parametrize("batch", [12, 4, 5, 40])
def test_noise_is_new_in_every_epoch_and_for_every_use_of_a_point(batch: int) -> None:
    noisy = still(Settings(points=12, batch=batch, hidden=(6,), code=4))
    losses = train(noisy, 10)
    assert len(set(losses)) == 10


def test_the_first_loss_is_the_mean_cost_of_fresh_noise() -> None:
    settings = Settings(points=20_000, batch=20_000, noise=0.3, hidden=(8,), code=8)
    training, data = new(settings), clean_data(settings)
    rng = np.random.default_rng(99)
    ours = costs(training, data, data + 0.3 * rng.standard_normal(data.shape))
    (loss,) = train(training, 1)
    # Two independent means of 20,000 costs each; five standard deviations of their difference.
    assert abs(loss - ours.mean()) < 5 * ours.std() * np.sqrt(2 / 20_000)


def test_the_first_loss_is_exactly_the_mean_cost_without_noise() -> None:
    settings = Settings(noise=0.0)
    training, data = new(settings), clean_data(settings)
    best = costs(training, data, data).mean()
    (loss,) = train(training, 1)
    assert abs(loss - best) < 2e-6 * best  # float32, a sum of 151 points


def test_the_noise_has_the_standard_deviation_sigma() -> None:
    """With r(x) = x the cost is the noise: E‖ŷ − y‖² = 2σ²."""
    settings = Settings(points=50_000, batch=10_000, noise=0.4, hidden=(), code=2, activation="identity")
    training = still(settings)
    for matrix in training.network.matrices(training.parameters.zero_()):
        matrix[:, :2] = torch.eye(2)
    (loss,) = train(training, 1)
    # ‖ε‖² has mean 2 and variance 4: five standard errors over 50,000 points.
    assert abs(loss / 0.4**2 - 2.0) < 5 * 2.0 / math.sqrt(50_000)


@pytest.mark.parametrize(("points", "batch"), [(151, 151), (160, 10), (161, 10), (151, 2), (16, 1), (17, 1)])
def test_a_long_epoch_lets_its_caller_breathe(points: int, batch: int) -> None:
    settings = Settings(points=points, batch=batch, hidden=(3,), code=2)
    steps = -(-points // batch)
    training = new(settings)
    epochs = training.epochs()
    for epoch in range(2):
        answers = []
        while not answers or answers[-1] is None:
            assert training.epoch == epoch
            answers.append(next(epochs))
        assert len(answers) == 1 + (steps - 1) // BREATH  # never 16 steps in silence


def test_a_change_within_an_epoch_waits_for_the_next() -> None:
    settings = Settings(points=100, batch=2, hidden=(3,), code=2)
    change = settings.replace(noise=0.9, batch=30, learning_rate=0.1)
    early, late = new(settings), new(settings)
    epochs = early.epochs()
    assert next(epochs) is None
    early.change(change)
    while next(epochs) is None:
        pass
    train(late, 1)
    late.change(change)
    assert_same(early.keyframe(), late.keyframe())
    next(epochs)
    train(late, 1)
    assert_same(early.keyframe(), late.keyframe())


def test_changes_take_effect_from_the_next_epoch_on() -> None:
    training = still(SMALL)
    before = train(training, 2)
    training.change(SMALL.replace(noise=0.0, batch=20))
    silent = train(training, 3)
    data = clean_data(SMALL)
    best = costs(training, data, data).mean()
    assert max(abs(loss - best) for loss in silent) < 2e-6 * best
    assert min(abs(loss - best) for loss in before) > 1e-3 * best
    assert training.optimiser.steps == 2 * 3 + 3


@pytest.mark.parametrize(
    "change",
    [
        {"noise": 0.0},
        {"points": 1},
        {"points": 1, "noise": 0.0},
        {"points": 1, "batch": 1},
        {"points": 2, "batch": 65_536},
        {"hidden": (), "code": 1},
        {"hidden": (1, 1, 1, 1), "code": 1},
        {"hidden": (), "code": 1, "mirror": False},
        {"batch": 1},
        {"batch": 19},
        {"batch": 500},
        {"jitter": 0.5, "noise": 1.0},
        {"turns": 4.0},
        {"seed": 2**31 - 1},
        {"noise": 1e-300},
        *({"activation": name} for name in ("tanh", "sigmoid", "relu", "silu", "gelu", "identity")),
        *({"optimiser": name} for name in ("adam", "momentum", "sgd")),
        *({"output": name} for name in ("tanh", "sigmoid")),
        *({"regulariser": name, "strength": 10.0} for name in ("l1", "l2", "contractive")),
        {"cost": "bce"},
        {"cost": "bce", "points": 1},
        {"cost": "bce", "jitter": 0.5, "regulariser": "contractive", "tied": True},
        {"tied": True},
        {"tied": True, "hidden": (), "code": 1},
        {"regulariser": "l1", "strength": 0.0},
        {"schedule": "constant"},
    ],
    ids=str,
)
def test_odd_settings_train(change: dict[str, Any]) -> None:
    training = new(SMALL.replace(**change))
    before = training.parameters.clone()
    losses = train(training, 3)
    assert np.isfinite(losses).all()
    assert min(losses) >= 0.0
    assert training.parameters.isfinite().all()
    assert training.average.isfinite().all()
    # Of one single point without noise, the lines of the first layer pass through it: r is perfect.
    assert torch.equal(training.parameters, before) == (max(losses) == 0.0)
    assert training.epoch == 3


# The average that is shown


def test_the_average_follows_its_formula_and_starts_anew_with_the_noise() -> None:
    settings = Settings(points=20, batch=20, hidden=(6,), code=4, learning_rate=0.03)
    training = new(settings)
    average, steps, noise = training.parameters.double(), 0, settings.noise
    for epoch in range(60):
        if epoch == 40:
            training.change(settings.replace(noise=0.5))
        elif epoch == 50:
            training.change(training.settings.replace(learning_rate=0.01))
        train(training, 1)
        steps = 1 if training.settings.noise != noise else steps + 1
        noise = training.settings.noise
        average += min(1.0, AVERAGING / steps) * (training.parameters.double() - average)
        # One rounding of float32 a step, of weights up to 5; older ones fade.
        assert (training.average - average).abs().max().item() < 1e-5
        assert torch.equal(training.average, training.parameters) == (steps <= AVERAGING)


def test_the_average_starts_anew_with_the_strength_too() -> None:
    settings = SMALL.replace(regulariser="l2", batch=20)
    training = new(settings)
    train(training, 40)
    assert not torch.equal(training.average, training.parameters)
    training.change(settings.replace(learning_rate=0.001, epochs=5_000))
    train(training, 1)
    assert not torch.equal(training.average, training.parameters)
    training.change(settings.replace(strength=0.5))
    train(training, 1)
    assert torch.equal(training.average, training.parameters)


def test_the_strength_of_no_regulariser_changes_nothing() -> None:
    one, other = new(SMALL), new(SMALL)
    train(one, 30), train(other, 30)
    other.change(SMALL.replace(strength=0.5))
    train(one, 5), train(other, 5)
    assert_same(one.keyframe(), other.keyframe())


# The rate


class Told(Still):
    """An optimiser that writes down its rates."""

    def __init__(self) -> None:
        super().__init__()
        self.rates: list[float] = []

    def step(self, gradient: Tensor, learning_rate: float) -> None:
        self.rates.append(learning_rate)


def rates(settings: Settings, epochs: int, change: dict[int, dict[str, Any]] | None = None) -> np.ndarray:
    training = new(settings)
    training.optimiser = told = Told()
    for epoch in range(epochs):
        if change and epoch in change:
            training.change(training.settings.replace(**change[epoch]))
        train(training, 1)
    return np.array(told.rates)


def test_the_rate_falls_with_the_steps_and_with_nothing_else() -> None:
    settings = SMALL.replace(learning_rate=0.02, batch=7)  # three steps an epoch
    best = 0.02 * np.maximum(1.0 / 30.0, 1_000.0 / (1_000.0 + np.arange(36_000)))
    found = rates(settings.replace(points=8, batch=1), 4_000)  # eight, as far as the floor
    assert np.allclose(found, best[:32_000], rtol=1e-12)
    assert found[-1] == found[-500] == 0.02 / 30.0
    moved = {5: {"noise": 0.7}, 8: {"epochs": 9}, 11: {"batch": 20}, 15: {"learning_rate": 0.04}}
    changed = rates(settings, 20, moved)
    steps = 11 * 3 + 9
    assert np.allclose(changed, np.where(np.arange(steps) < 11 * 3 + 4, 1.0, 2.0) * best[:steps], rtol=1e-12)
    assert set(rates(settings.replace(schedule="constant"), 20)) == {0.02}


def test_a_replay_goes_on_with_the_rate_where_it_was() -> None:
    run = Recorded(SMALL, 30, {20}, {})
    again = new(SMALL)
    again.replay(run.timeline, 25)
    again.optimiser = told = Told()
    train(again, 1)
    assert told.rates[0] == pytest.approx(SMALL.learning_rate * 1_000.0 / (1_000.0 + 25 * 3), rel=1e-12)


# How it ends badly


def diverging(**change: Any) -> Settings:
    steep = {"optimiser": "sgd", "learning_rate": 1.0, "hidden": (16,), "code": 16}
    return Settings(**{"points": 30, "batch": 10, **steep, **change})


@pytest.mark.parametrize("activation", ["relu", "identity", "silu"])
@pytest.mark.parametrize("batch", [30, 10, 1])
def test_divergence_is_told_in_one_line_and_leaves_a_way_back(activation: str, batch: int) -> None:
    training, timeline = new(diverging(activation=activation, batch=batch)), Timeline()
    timeline.add(training.keyframe())
    states = [training.keyframe()]
    with pytest.raises(DivergedError) as caught:
        for loss in itertools.islice(training.epochs(), 5_000):
            if loss is not None:
                assert math.isfinite(loss)
                states.append(training.keyframe())
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert f"in epoch {training.epoch + 1}: " in text
    assert "lower the learning rate (it is 1)" in text
    assert training.epoch == len(states) - 1
    # Every epoch that was told of is good, and is brought back; asking for more stops there.
    for state in states:
        assert all(np.isfinite(array).all() for name, array in state.state.items() if name != "loss")
    again = new(diverging(activation=activation, batch=batch))
    for epoch in (training.epoch, training.epoch + 1, training.epoch + 1_000):
        again.replay(timeline, epoch)
        assert_same(again.keyframe(), states[-1])
    training.replay(timeline, training.epoch)
    assert_same(training.keyframe(), states[-1])


def test_a_loss_that_is_no_number_or_infinite_is_divergence() -> None:
    for wrong, word in ((math.nan, "is not a number"), (math.inf, "exploded"), (1e10, "exploded")):
        training = still(SMALL)
        training.parameters[-1] = wrong  # the last layer's bias
        with pytest.raises(DivergedError, match=f"^the loss {word} in epoch 1: "):
            train(training, 1)
        assert training.epoch == 0


def test_weights_that_the_last_step_broke_are_divergence() -> None:
    class Breaks(Still):
        def step(self, gradient: Tensor, learning_rate: float) -> None:
            super().step(gradient, learning_rate)
            if self.steps == 6:  # the last of the second epoch of three
                training.parameters[3] = math.inf

    training = still(SMALL)
    training.parameters[-1] = 100.0  # far from the data: a cost of 10,000, which is large but no explosion
    training.optimiser = Breaks()
    train(training, 1)
    with pytest.raises(DivergedError, match="in epoch 2: "):
        train(training, 1)


def test_divergence_within_a_long_epoch_is_not_waited_for() -> None:
    training = still(Settings(points=1_000, batch=1, hidden=(3,), code=2))
    training.parameters[-1] = math.nan
    epochs = training.epochs()
    with pytest.raises(DivergedError, match="in epoch 1: "):
        next(epochs)
    assert training.steps == BREATH


def test_a_small_loss_that_rises_again_is_no_divergence() -> None:
    """From a keyframe of a run that had learned its points by heart, with noise from then on."""
    settings = Settings(points=1, batch=1, noise=0.0, hidden=(6,), code=4)
    run = Recorded(settings, 300, {280}, {280: [{"noise": 1.0}]})
    assert run.states[280].state["loss"] < 1e-9
    assert run.states[281].state["loss"] > 1e-9 * 1e6  # what once was taken for an explosion
    again = new(settings)
    again.replay(run.timeline, 300)
    assert_same(again.keyframe(), run.states[300])


# How it learns


@pytest.mark.parametrize("seed", [0, 1])
def test_the_default_settings_reach_the_exact_denoiser(seed: int) -> None:
    settings = Settings(seed=seed)
    training, data = new(settings), clean_data(settings)
    probe = Probe.of(settings, data)
    assert probe is not None
    losses = np.array(train(training, 1_000))
    risk = probe.excess_risk(training.network.reconstruct(training.average, probe.noisy))
    raw = probe.excess_risk(training.network.reconstruct(training.parameters, probe.noisy))
    assert risk < 0.05
    assert risk < 0.5 * raw  # the average is what makes it
    assert losses[-100:].mean() < 0.2 * losses[0]
    # No loss goes below the floor but by chance: 200 epochs of 151 draws, five standard errors.
    late = losses[-200:]
    assert late.mean() > probe.bayes_floor - 5 * late.std() / np.sqrt(len(late))
    assert late.mean() < 1.3 * probe.bayes_floor


@pytest.mark.parametrize(("scale", "place"), [(1e-3, (0.0, 0.0)), (300.0, (1e4, -2e4))])
def test_data_of_any_size_and_place_are_learned_alike(scale: float, place: tuple[float, float]) -> None:
    settings = Settings(hidden=(16,), code=16)
    data = clean_data(settings)
    plain, moved = Training(settings, data), None
    losses = train(plain, 60)
    scaled = settings.replace(noise=min(1.0, scale * settings.noise))
    moved = Training(scaled, scale * data + place)
    moved._sigma = plain._sigma  # σ of more than 1 is no setting
    begin = moved._begin
    moved._begin = lambda settings: (begin(settings), setattr(moved, "_sigma", plain._sigma))
    # The same run but for the rounding of where the points lie: 3e4 has an eps of 4e-12.
    assert np.allclose(np.array(train(moved, 60)) / scale**2, losses, rtol=1e-3)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "silu", "gelu"])
def test_every_nonlinearity_learns(activation: str) -> None:
    settings = Settings(activation=activation, hidden=(32,), code=32)
    training, data = new(settings), clean_data(settings)
    probe = Probe.of(settings, data)
    before = probe.excess_risk(training.network.reconstruct(training.average, probe.noisy))
    train(training, 400)
    after = probe.excess_risk(training.network.reconstruct(training.average, probe.noisy))
    assert after < 0.25 * before
    assert after < 1.0  # nearer to the exact denoiser than that is to the truth


def test_a_linear_network_learns_the_best_linear_denoiser() -> None:
    """r(x) = ȳ + Σ(Σ + σ²I)⁻¹(x − ȳ), Σ the data's covariance (Wiener)."""
    settings = Settings(activation="identity", hidden=(), code=2, learning_rate=0.003, batch=604)
    training, data = new(settings), clean_data(settings)
    train(training, 1_500)
    mean, covariance = data.mean(axis=0), np.cov(data.T, bias=True)
    gain = covariance @ np.linalg.inv(covariance + settings.noise**2 * np.eye(2))
    x = np.random.default_rng(0).uniform(-2.0, 2.0, (100, 2))
    best = mean + (x - mean) @ gain.T
    found = training.network.reconstruct(training.average, x)
    # The average over the last 190 steps of 604 noisy points still moves by a hundredth or so.
    assert np.abs(found - best).max() < 0.03
    assert np.abs(x - best).max() > 0.1
