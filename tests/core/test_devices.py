"""What is said of each execution provider: tried with the real one, and with a stand-in for those that fail."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from au_mocap import remote_worker, sessions
from au_mocap.devices import DeviceState
from au_mocap.errors import SettingsError
from au_mocap.registry import BUNDLED
from tests.core import runtimes
from tests.core.command_line import environment

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
DML, CORE_ML = "DmlExecutionProvider", "CoreMLExecutionProvider"
DETECTOR = BUNDLED / "face_detector.onnx"


class FakeRuntime:
    """As much of onnxruntime as is tried; `raising`, `silent` and `breaking` providers fail in the ways that occur."""

    SessionOptions = SimpleNamespace
    __version__ = "9.9"

    def __init__(self, available: tuple[str, ...], **failing: str) -> None:
        self.available = available
        self.failing = failing
        self.tried: list[str] = []

    def get_available_providers(self) -> list[str]:
        return list(self.available)

    def InferenceSession(  # noqa: N802 - onnxruntime's name
        self, path: str, options: object, providers: list[str], **others: object
    ) -> SimpleNamespace:
        self.tried.append(providers[0])
        if providers[0] == self.failing.get("raising"):
            message = "driver too old\nand a long story"
            raise RuntimeError(message)

        def run(_wanted: object, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
            assert feeds["image"].shape == (1, 3, 128, 128)
            if providers[0] == self.failing.get("breaking"):
                message = "no kernel image is available for execution on the device"
                raise RuntimeError(message)
            return []

        used = [provider for provider in providers if provider != self.failing.get("silent")]
        inputs = [SimpleNamespace(name="image")]
        return SimpleNamespace(get_providers=lambda: used, get_inputs=lambda: inputs, get_outputs=list, run=run)


@pytest.fixture(autouse=True)
def tried_afresh() -> Iterator[None]:
    """Each test tries providers itself, and none leaves its answers to the next."""
    sessions.use_runtime(None)
    yield
    sessions.close_runtime()
    sessions.use_runtime(None)


def state_of(provider: str) -> DeviceState:
    (state,) = [state for state in sessions.devices() if state.provider == provider]
    return state


def test_installed_runtime_is_told_as_it_is() -> None:
    states = sessions.devices()
    assert [state.provider for state in states] == [CUDA, DML, CORE_ML, CPU]
    assert [state.name for state in states] == ["CUDA (NVIDIA)", "DirectML (Windows)", "CoreML (macOS)", "CPU"]
    cpu = states[-1]
    assert (cpu.installed, cpu.works, cpu.reason) == (True, True, "")
    for state in states:
        assert state.installed == (state.provider in sessions.available_providers())
        assert bool(state.reason) != state.works
        assert "\n" not in state.reason


@pytest.mark.parametrize(
    ("system", "provider", "reason"),
    [
        (
            "linux",
            CUDA,
            "not part of the installed onnxruntime: use the CUDA zip, or name a folder with onnxruntime-gpu",
        ),
        ("win32", CUDA, "use the CUDA zip"),
        ("darwin", CUDA, "exists on Linux and Windows only"),
        ("win32", DML, "name a folder with onnxruntime-directml"),
        ("linux", DML, "exists on Windows only"),
        ("linux", CORE_ML, "exists on macOS only"),
        ("darwin", CORE_ML, "install it again"),
    ],
)
def test_provider_that_is_not_built_in(
    system: str, provider: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_ort", FakeRuntime((CPU,)))
    monkeypatch.setattr("au_mocap.devices.sys", SimpleNamespace(platform=system))
    state = state_of(provider)
    assert not state.installed
    assert not state.works
    assert reason in state.reason


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raising", "driver too old"),
        ("breaking", "no kernel image is available"),
        ("silent", "it did not start, and onnxruntime does not say why"),
    ],
)
def test_provider_that_does_not_work(how: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = FakeRuntime((CUDA, CPU), **{how: CUDA})
    monkeypatch.setattr(sessions, "_ort", runtime)
    state = state_of(CUDA)
    assert (state.installed, state.works) == (True, False)
    assert reason in state.reason
    assert "long story" not in state.reason
    assert state_of(CPU).works


def test_providers_are_tried_once_until_the_runtime_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = FakeRuntime((CUDA, CPU))
    monkeypatch.setattr(sessions, "_ort", runtime)
    sessions.use_runtime(None)
    assert runtime.tried == [], "not before anybody asks"
    assert sessions.devices() is sessions.devices()
    assert runtime.tried == [CUDA, CPU]
    sessions.use_runtime(None)
    assert state_of(CUDA).works
    assert runtime.tried == [CUDA, CPU] * 2


def test_runtime_of_a_folder_is_told_as_it_is(tmp_path: Path) -> None:
    sessions.use_runtime(runtimes.real(tmp_path))
    assert state_of(CPU).works
    assert str(tmp_path) in state_of(CUDA).reason or sys.platform == "darwin"


@pytest.mark.skipif(sys.platform != "linux", reason="the words are Linux's")
def test_missing_libraries_are_named(tmp_path: Path) -> None:
    ort = SimpleNamespace(__file__=str(tmp_path / "__init__.py"), cuda_version="12.8")
    capi = tmp_path / "capi"
    capi.mkdir()
    for name in ("libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"):
        assert "install onnxruntime-gpu again" in remote_worker.why_not(ort, CUDA)
        (capi / name).write_bytes(b"no library")
    reason = remote_worker.why_not(ort, CUDA)
    assert "the libraries of CUDA 12 or cuDNN were not found" in reason
    assert "onnxruntime-gpu[cuda,cudnn]" in reason
    assert remote_worker.why_not(ort, DML) == ""


def test_complaint_is_found_in_a_page_of_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """As onnxruntime-gpu 1.24 says it on a machine without a graphics card."""
    message = (
        "/onnxruntime_src/cuda_call.cc:129 std::conditional_t<THRW, void> onnxruntime::CudaCall(ERRTYPE, const char*) "
        "[with ERRTYPE = cudaError; bool THRW = true] CUDA failure 35: CUDA driver version is insufficient for CUDA "
        "runtime version ; GPU=-1 ; hostname=vm ; file=/onnxruntime_src/cuda_execution_provider.cc ; line=334"
    )
    complaint = "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version"
    assert remote_worker.first_line(RuntimeError(message)) == complaint
    assert remote_worker.first_line(" plain \nmore") == "plain"

    def refuse(*_others: object, providers: list[str], **_named: object) -> SimpleNamespace:
        raise RuntimeError(message)

    runtime = FakeRuntime((CUDA, CPU))
    monkeypatch.setattr(runtime, "InferenceSession", refuse)
    monkeypatch.setattr(sessions, "_ort", runtime)
    assert state_of(CUDA).reason == f"{complaint}. Check the NVIDIA driver (nvidia-smi)"


def test_importing_tries_nothing() -> None:
    code = (
        "import onnxruntime\n"
        "def refuse(*a, **k): raise AssertionError('tried')\n"
        "onnxruntime.InferenceSession = refuse\n"
        "onnxruntime.get_available_providers = refuse\n"
        "import subprocess; subprocess.Popen = refuse\n"
        "from au_mocap import cli, sessions, regressors, tracking, remote\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment(), timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


# Threads --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [-1, 65])
def test_number_of_threads_that_cannot_be(threads: int) -> None:
    with pytest.raises(SettingsError, match=rf"{threads} threads cannot be: use 1 to 64, or 0 for automatic"):
        sessions.open_session(DETECTOR, "cpu", threads)


@pytest.mark.parametrize(("asked", "used"), [(0, 1), (1, 1), (3, 3)])
def test_threads_arrive_at_the_runtime(asked: int, used: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also at the one in a folder, whose stand-in answers with what it was told."""
    options: list[SimpleNamespace] = []

    class Recording(FakeRuntime):
        def InferenceSession(  # noqa: N802 - onnxruntime's name
            self, path: str, given: SimpleNamespace, providers: list[str], **others: object
        ) -> SimpleNamespace:
            options.append(given)
            return super().InferenceSession(path, given, providers, **others)

    monkeypatch.setattr(sessions, "_ort", Recording((CPU,)))
    sessions.open_session(DETECTOR, "cpu", asked)
    assert options[0].intra_op_num_threads == used
    tells = """
    class InferenceSession(InferenceSession):
        def __init__(self, path, options, providers, enable_fallback):
            self.providers = providers
            self.threads = options.intra_op_num_threads
        def run(self, wanted, feeds):
            return [numpy.array(self.threads)]
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, tells))
    (told,) = sessions.open_session(DETECTOR, "cpu", asked).run({})
    assert told == used


def test_more_threads_give_the_same_numbers() -> None:
    fed = {"image": np.random.default_rng(0).random((1, 3, 128, 128), np.float32)}
    one, three = (sessions.open_session(DETECTOR, "cpu", threads).run(fed) for threads in (1, 3))
    for a, b in zip(one, three, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
