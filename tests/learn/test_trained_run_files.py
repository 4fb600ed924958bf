"""What a training really leaves in its keyframes is kept by run files, and it goes on from there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from trainings import SMALL, assert_same, new, train

from aeviz.core.clean_data import clean_data
from aeviz.core.history import History
from aeviz.core.keyframe_stacks import network_size
from aeviz.core.run_file import SavedRun, run_bytes, run_of
from aeviz.core.settings import Settings
from aeviz.learn.network import Network

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS: dict[str, dict[str, Any]] = {
    "adam": {}, "momentum": {"optimiser": "momentum", "learning_rate": 1e-3},
    "sgd": {"optimiser": "sgd", "hidden": (), "learning_rate": 1e-3},
    "tied": {"tied": True, "hidden": (5, 4)}, "mirrored": {"mirror": True, "hidden": (5, 4)},
    "sampled": {"regulariser": "variational"},
    "sampled and tied": {"regulariser": "variational", "tied": True},
    "frozen": {"noise_draw": "frozen", "target": "nearest"}, "in the unit square": {"cost": "bce"},
}  # fmt: skip


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_a_training_goes_on_from_what_a_file_kept_of_it(changes: dict[str, Any]) -> None:
    settings: Settings = SMALL.replace(**changes)
    data, training = clean_data(settings), new(settings)
    history = History()
    history.begin(settings, data)
    history.keep(training.keyframe())
    losses = train(training, 4)
    history.tell(0, np.array([(loss, 0.0) for loss in losses], np.float32))
    history.keep(kept := training.keyframe())
    branch = run_of(run_bytes(SavedRun(history, settings, None, {}))).history.current
    assert [frame.epoch for frame in branch.timeline] == [0, 4]
    found = branch.timeline.before(4)
    assert_same(kept, found)
    other = new(branch.origin)
    other.restore(found)
    assert train(other, 3) == train(training, 3)
    assert network_size(settings) == Network.of(settings, data.points).size
