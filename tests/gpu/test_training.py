"""Training on a GPU: half precision learns as single does, and goes on after an interrupt."""

import numpy as np
import pytest
import support

from srqa.training import journal
from srqa.training.loop import Running, Telling, train
from srqa.training.settings import Settings

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module", autouse=True)
def cuda():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA GPU")


@pytest.mark.parametrize("loss", ["l1", "l1 + 0.01*gan:ragan:patch"])
@pytest.mark.parametrize("mixed", [True, False])
def test_it_learns(tmp_path, loss, mixed):
    for name in "abcd":
        support.write(tmp_path / "hr" / f"{name}.png", support.picture(name, 96, 96))
    chosen = Settings("edsr", 2, (str(tmp_path / "hr"),), options={"blocks": 2, "features": 16},
                      steps=60, patch=24, batch=8, rate=2e-3, hold_out=1, loss=loss,
                      ema=0.9)  # fmt: skip
    running = Running("cuda", mixed=mixed, log_every=20, validate_every=60)

    def interrupt(done, total):
        if done == 40:
            raise KeyboardInterrupt

    telling = Telling(step=interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(chosen, tmp_path / "run", running=Running("cuda", mixed=mixed, save_every=20),
              telling=telling)  # fmt: skip
    kept = train(chosen, tmp_path / "run", running=running, resume=True)
    last = journal.read(tmp_path / "run")[-1]
    assert last["step"] == 60
    assert last["loss"]["l1"] < 0.15
    assert np.isfinite(kept.facts["validation"]["network"]["psnr-y"])
