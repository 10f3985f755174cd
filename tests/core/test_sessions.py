"""Opening networks: which provider is tried, and what happens when one fails.

No machine that runs these tests has every provider, so the order is tested with a stand-in for onnxruntime; loading and
running are tested with the real one.
"""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from au_mocap import sessions
from au_mocap.errors import ModelError, SettingsError
from au_mocap.registry import BUNDLED

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
DML, CORE_ML = "DmlExecutionProvider", "CoreMLExecutionProvider"
GEOMETRY = BUNDLED / "geometry.onnx"


class FakeRuntime:
    """As much of onnxruntime as sessions use; `raising` and `silent` providers fail in the two ways that occur."""

    SessionOptions = SimpleNamespace

    def __init__(self, available: tuple[str, ...], raising: tuple[str, ...] = (), silent: tuple[str, ...] = ()) -> None:
        self.available = available
        self.raising = raising
        self.silent = silent
        self.tried: list[str] = []

    def get_available_providers(self) -> list[str]:
        return list(self.available)

    def InferenceSession(  # noqa: N802 - onnxruntime's name
        self, path: str, options: object, providers: list[str], **others: object
    ) -> SimpleNamespace:
        self.tried.append(providers[0])
        if providers[0] in self.raising:
            message = f"{providers[0]} has no driver\nand a long story"
            raise RuntimeError(message)
        used = [provider for provider in providers if provider not in self.silent]
        return SimpleNamespace(get_providers=lambda: used, get_inputs=list, get_outputs=list)


def opened(monkeypatch: pytest.MonkeyPatch, runtime: FakeRuntime, device: str) -> sessions.Session:
    monkeypatch.setattr(sessions, "_ort", runtime)
    return sessions.open_session(Path("net.onnx"), device)


def test_auto_prefers_cuda_then_directml_then_coreml(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = FakeRuntime((CPU, CORE_ML, DML, CUDA))
    assert opened(monkeypatch, everything, "auto").providers == (CUDA, DML, CORE_ML, CPU)
    assert opened(monkeypatch, FakeRuntime((CPU, CORE_ML)), "auto").providers == (CORE_ML, CPU)
    assert opened(monkeypatch, FakeRuntime((CPU,)), "auto").providers == (CPU,)


def test_cpu_tries_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = FakeRuntime((CUDA, CPU))
    assert opened(monkeypatch, runtime, "cpu").providers == (CPU,)
    assert runtime.tried == [CPU]


@pytest.mark.parametrize(("provider", "at_once"), [(DML, 1), (CUDA, 2), (CPU, 2)])
def test_directml_is_called_by_one_thread_at_a_time(
    monkeypatch: pytest.MonkeyPatch, provider: str, at_once: int
) -> None:
    running, most = 0, 0

    def run(_outputs: object, _feeds: object) -> list[np.ndarray]:
        nonlocal running, most
        running += 1
        time.sleep(0.05)
        most = max(most, running)
        time.sleep(0.05)
        running -= 1
        return []

    runtime = FakeRuntime((provider, CPU))
    session = opened(monkeypatch, runtime, "auto")
    monkeypatch.setattr(session, "_inference", SimpleNamespace(run=run))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(session.run, [{}, {}]))
    assert most == at_once


def test_provider_that_raises_falls_back_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = FakeRuntime((CUDA, DML, CPU), raising=(CUDA, DML))
    with pytest.warns(sessions.ProviderWarning, match=f"net.onnx runs on {CPU}.*has no driver") as caught:
        assert opened(monkeypatch, runtime, "auto").providers == (CPU,)
    assert runtime.tried == [CUDA, DML, CPU]
    assert "long story" not in str(caught[0].message)


def test_provider_that_is_dropped_silently_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(sessions.ProviderWarning, match=f"runs on {CPU}.*{CUDA} did not start"):
        session = opened(monkeypatch, FakeRuntime((CUDA, CPU), silent=(CUDA,)), "auto")
    assert session.providers == (CPU,)


def test_wanted_but_missing_provider_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(sessions.ProviderWarning, match=f"{CUDA} is not part of the installed onnxruntime"):
        assert opened(monkeypatch, FakeRuntime((CPU,)), "cuda").providers == (CPU,)


def test_no_warning_where_the_wish_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened(monkeypatch, FakeRuntime((CUDA, CPU)), "cuda")


def test_failure_of_every_provider_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"net\.onnx cannot be loaded"):
        opened(monkeypatch, FakeRuntime((CUDA, CPU), raising=(CUDA, CPU)), "auto")
    with pytest.raises(ModelError, match="no execution provider"):
        opened(monkeypatch, FakeRuntime(()), "cpu")


def test_unknown_device() -> None:
    with pytest.raises(SettingsError, match=r"tpu.*auto, cpu or cuda"):
        sessions.open_session(GEOMETRY, "tpu")


def test_real_network_runs_by_name() -> None:
    session = sessions.open_session(GEOMETRY, "cpu")
    assert session.providers == (CPU,)
    assert set(session.input_names) == {"landmarks", "rotation", "neutral_landmarks", "neutral_weight"}
    assert session.output_names == ("values",)
    feeds = {
        "landmarks": np.zeros((2, 478, 3), np.float32),
        "rotation": np.zeros((2, 3), np.float32),
        "neutral_landmarks": np.zeros((478, 3), np.float32),
        "neutral_weight": np.zeros((478, 1), np.float32),
    }
    (values,) = session.run(feeds)
    assert values.shape[0] == 2


def test_wrong_input_is_an_error_that_names_the_network() -> None:
    session = sessions.open_session(GEOMETRY, "cpu")
    with pytest.raises(ModelError, match=rf"geometry\.onnx failed on {CPU}"):
        session.run({"landmarks": np.zeros((2, 3), np.float32)})


def test_file_that_is_no_network(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match=r"net\.onnx cannot be loaded"):
        sessions.open_session(path, "cpu")
    with pytest.raises(ModelError, match=r"gone\.onnx cannot be loaded"):
        sessions.open_session(tmp_path / "gone.onnx", "cpu")
    assert capfd.readouterr() == ("", "")
