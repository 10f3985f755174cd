"""Networks on an onnxruntime in a helper process.

The installed onnxruntime, in a folder of its own, must give the very numbers that it gives in this process. What a user
may have in such a folder besides, or what may happen to the helper, is played by made-up packages.
"""

import gc
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from au_mocap import DEFAULT_REGRESSOR, pipeline, remote_process, sessions
from au_mocap.errors import ModelError, SettingsError
from au_mocap.registry import BUNDLED, Registry
from au_mocap.regressors import open_regressor
from au_mocap.remote import RemoteRuntime, RemoteSession
from au_mocap.shared_memory import SharedMemory
from au_mocap.take import Take
from au_mocap.tracking import open_tracker
from tests.core import runtimes
from tests.core.command_line import environment

CPU, CUDA, DML = "CPUExecutionProvider", "CUDAExecutionProvider", "DmlExecutionProvider"
LANDMARKS = BUNDLED / "face_landmarks.onnx"
CLIP = Path(__file__).parents[1] / "data" / "rendered_performance.mp4"
DOUBLE = {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}


@pytest.fixture(autouse=True)
def bundled_again() -> Iterator[None]:
    """Each test leaves the installed onnxruntime chosen and no helper running."""
    yield
    sessions.close_runtime()
    sessions.use_runtime(None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runtimes.real(tmp_path_factory.mktemp("runtimes") / "graphics card, für später")


def helper_of(session: sessions.Session) -> remote_process.Helper:
    assert isinstance(session, RemoteSession)
    return session._helper


def tiles(count: int, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    return {"image": np.random.default_rng(seed).random((count, 3, 256, 256), np.float32)}


def opened(folder: Path, path: Path = LANDMARKS, device: str = "cpu") -> sessions.Session:
    sessions.use_runtime(folder)
    return sessions.open_session(path, device)


def assert_same(ours: list[NDArray[Any]], theirs: list[NDArray[Any]]) -> None:
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


# The same numbers -----------------------------------------------------------------------------------------------------


def test_landmark_graph_gives_the_very_same_numbers(folder: Path) -> None:
    here = sessions.open_session(LANDMARKS, "cpu")
    there = opened(folder)
    assert isinstance(there, RemoteSession)
    assert there.providers == here.providers
    assert (there.input_names, there.output_names) == (here.input_names, here.output_names)
    assert_same(there.run(tiles(1)), here.run(tiles(1)))
    wanted = ("map_8", "landmarks")
    assert_same(there.run(tiles(1), wanted), here.run(tiles(1), wanted))


def test_outputs_that_outgrow_their_block(folder: Path) -> None:
    """Five tiles fit into the block that is made for them, the maps of five do not."""
    here, there = sessions.open_session(LANDMARKS, "cpu"), opened(folder)
    for _ in range(2):
        assert_same(there.run(tiles(5)), here.run(tiles(5)))


def test_answers_stay_what_they_are_when_the_next_one_comes(folder: Path) -> None:
    there = opened(folder)
    first = there.run(tiles(1))
    kept = [output.copy() for output in first]
    there.run(tiles(1, seed=1))
    assert_same(first, kept)
    assert all(output.flags.writeable for output in first)


def test_inputs_of_any_layout(tmp_path: Path) -> None:
    session = opened(runtimes.made_up(tmp_path))
    for array in (DOUBLE["x"].T, DOUBLE["x"][:, ::2], np.float64(3.0), np.zeros((0, 4), np.int64), np.array([True])):
        (doubled,) = session.run({"x": np.asarray(array)})
        np.testing.assert_array_equal(doubled, 2 * np.asarray(array))
        assert doubled.shape == np.shape(array)


def test_threads_at_once_get_their_own_answers(folder: Path) -> None:
    here, there = sessions.open_session(LANDMARKS, "cpu"), opened(folder)
    inputs = [tiles(1 + seed % 3, seed) for seed in range(24)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(there.run, inputs))
    for fed, answer in zip(inputs, answers, strict=True):
        assert_same(answer, here.run(fed))


def extracted() -> Take:
    registry = Registry()
    regressor = open_regressor(registry, DEFAULT_REGRESSOR, "cpu")
    return pipeline.extract(CLIP, open_tracker("onnx", registry, "cpu"), regressor)[0]


def test_whole_extraction_gives_the_very_same_take(folder: Path) -> None:
    here = extracted()
    sessions.use_runtime(folder)
    there = extracted()
    assert here.found.all()
    for field in fields(Take):
        one, other = getattr(there, field.name), getattr(here, field.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        else:
            assert one == other, field.name


# What the networks complain of ----------------------------------------------------------------------------------------


def complaint(session: sessions.Session, feeds: dict[str, NDArray[Any]]) -> str:
    with pytest.raises(ModelError) as caught:
        session.run(feeds)
    return str(caught.value)


def test_wrong_inputs_are_told_in_the_same_words(folder: Path) -> None:
    here, there = sessions.open_session(LANDMARKS, "cpu"), opened(folder)
    for feeds in ({"image": np.zeros((1, 3, 8, 8), np.float32)}, {"picture": np.zeros(1)}, {}):
        assert complaint(there, feeds) == complaint(here, feeds)
    assert "no array of numbers" in complaint(there, {"image": np.array([None])})
    assert there.run(tiles(1))[0].shape == (1, 478, 3), "it goes on afterwards"


def test_file_that_is_no_network(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"not a network")
    for wrong in (path, tmp_path / "gone.onnx"):
        with pytest.raises(ModelError, match=rf"{wrong.name} cannot be loaded: .*Reinstall it"):
            opened(folder, wrong)


def test_provider_that_does_not_start_is_warned_about(tmp_path: Path) -> None:
    """Falling back happens behind the pipe, its reason arrives here."""
    drops = f"""
    PROVIDERS = ["{CUDA}", "{DML}", "{CPU}"]
    class InferenceSession(InferenceSession):
        def __init__(self, path, options, providers, enable_fallback):
            print("no adapter was found", file=sys.stderr)
            self.providers = [name for name in providers if name.startswith("CPU")]
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, drops))
    with pytest.warns(sessions.ProviderWarning, match=rf"runs on {CPU}.*{CUDA} did not start: .* is missing from"):
        session = sessions.open_session(LANDMARKS, "cuda")
    assert session.providers == (CPU,)
    assert [state.works for state in sessions.devices()] == [False, False, False, True]
    (directml,) = [state for state in sessions.devices() if state.provider == DML]
    assert "no adapter was found" in directml.reason


def test_provider_that_raises_is_warned_about(tmp_path: Path) -> None:
    raises = f"""
    PROVIDERS = ["{CUDA}", "{CPU}"]
    class InferenceSession(InferenceSession):
        def __init__(self, path, options, providers, enable_fallback):
            if providers[0] == "{CUDA}":
                raise RuntimeError("driver too old\\nand a long story")
            self.providers = providers
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, raises))
    with pytest.warns(sessions.ProviderWarning, match=f"{CUDA}: driver too old.$"):
        assert sessions.open_session(LANDMARKS, "auto").providers == (CPU,)


def test_provider_that_takes_the_helper_down_falls_back_too(tmp_path: Path) -> None:
    crashes = f"""
    import os
    PROVIDERS = ["{CUDA}", "{CPU}"]
    class InferenceSession(InferenceSession):
        def __init__(self, path, options, providers, enable_fallback):
            if providers[0] == "{CUDA}":
                os._exit(9)
            self.providers = providers
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, crashes))
    with pytest.warns(sessions.ProviderWarning, match=r"stopped \(exit code 9\) while loading"):
        session = sessions.open_session(LANDMARKS, "cuda")
    with pytest.warns(sessions.ProviderWarning, match=r"stopped \(exit code 9\)"):
        second = sessions.open_session(BUNDLED / "geometry.onnx", "auto")
    assert helper_of(second).process is helper_of(session).process, "the crash is not asked for again"
    for each in (session, second):
        assert_same(each.run(DOUBLE), [2 * DOUBLE["x"]])


# Folders that hold no fitting onnxruntime -----------------------------------------------------------------------------


def empty(folder: Path) -> None:
    del folder


def no_package(folder: Path) -> None:
    (folder / "onnxruntime").mkdir()


def other_python(folder: Path) -> None:
    capi = runtimes.made_up(folder) / "onnxruntime" / "capi"
    capi.mkdir()
    (capi / "onnxruntime_pybind11_state.cpython-27-x86_64-linux-gnu.so").touch()


def other_wheel(folder: Path) -> None:
    about = runtimes.made_up(folder) / "onnxruntime_gpu-1.24.4.dist-info"
    about.mkdir()
    (about / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp27-cp27m-win_amd64\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (empty, "There is no onnxruntime in"),
        (no_package, "There is no onnxruntime in"),
        (other_python, "another Python or system"),
        (other_wheel, r"another Python \(cp27-cp27m-win_amd64\)"),
    ],
)
def test_folder_that_cannot_serve_is_refused_at_once(
    make: Callable[[Path], None], problem: str, tmp_path: Path, folder: Path
) -> None:
    make(tmp_path)
    sessions.use_runtime(folder)
    chosen = sessions.runtime()
    with pytest.raises(SettingsError, match=rf"{problem}.*pip install --target"):
        sessions.use_runtime(tmp_path)
    assert sessions.runtime() is chosen


def test_folder_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "runtime.zip"
    file.touch()
    for wrong in (file, tmp_path / "gone", Path("~nobody/onnx"), Path("a\0b")):
        with pytest.raises(SettingsError):
            sessions.use_runtime(wrong)


def test_package_itself_and_virtual_environments_are_understood(tmp_path: Path) -> None:
    site = runtimes.made_up(tmp_path / "venv" / "lib" / f"python3.{sys.version_info[1]}" / "site-packages")
    other_python(tmp_path / "venv" / "lib" / "python2.7" / "site-packages")
    for named in (site, site / "onnxruntime", tmp_path / "venv"):
        sessions.use_runtime(named)
        chosen = sessions.runtime()
        assert isinstance(chosen, RemoteRuntime)
        assert chosen.folder == site


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("raise ImportError('DLL load failed while importing onnxruntime_pybind11_state')", "DLL load failed"),
        ("raise SystemExit('go away')", "go away"),
        ("x = (", "SyntaxError"),
        ("__version__ = '1.24.4'", "lacks InferenceSession, SessionOptions, get_available_providers"),
        ("import os; os._exit(5)", r"stopped the helper process \(exit code 5\)"),
        (runtimes.STAND_IN + "\n    __version__ = '1.10.0'", r"version 1\.10\.0, 1\.17 or later is needed"),
    ],
)
def test_package_that_does_not_load(code: str, problem: str, tmp_path: Path) -> None:
    sessions.use_runtime(runtimes.made_up(tmp_path, base=code))
    with pytest.raises(ModelError, match=rf"{problem}.*pip install --target"):
        sessions.open_session(LANDMARKS, "cpu")
    states = sessions.devices()
    assert not any(state.works or state.installed for state in states)
    assert all("pip install --target" in state.reason for state in states)


def test_package_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_process, "START_TIMEOUT_S", 1.0)
    sessions.use_runtime(runtimes.made_up(tmp_path, base="import time; time.sleep(60)"))
    started = time.perf_counter()
    with pytest.raises(ModelError, match="did not load within 1 s"):
        sessions.open_session(LANDMARKS, "cpu")
    assert time.perf_counter() - started < 20


def test_python_that_cannot_be_found(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "blender"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(ModelError, match="No Python was found"):
        opened(folder)


def test_python_that_cannot_be_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python3"
    program.write_text("no program")
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(ModelError, match="cannot be started"):
        opened(folder)


# The helper's life ----------------------------------------------------------------------------------------------------


def test_one_helper_serves_all_and_ends_with_the_last(folder: Path) -> None:
    first, second = opened(folder), sessions.open_session(BUNDLED / "geometry.onnx", "cpu")
    sessions.devices()
    process = helper_of(first).process
    assert helper_of(second).process is process
    sessions.use_runtime(folder)
    assert helper_of(sessions.open_session(LANDMARKS, "cpu")).process is process, "the same choice again"
    sessions.use_runtime(None)
    assert not isinstance(sessions.open_session(LANDMARKS, "cpu"), RemoteSession)
    assert len(first.run(tiles(1))) == 8, "sessions keep what they were opened on"
    del first, second
    gc.collect()
    assert process.returncode == 0, "ended by itself and was waited for"


def test_sessions_that_are_dropped_are_forgotten(tmp_path: Path) -> None:
    counts = """
    LIVING = 0
    class InferenceSession(InferenceSession):
        def __init__(self, *others, **named):
            global LIVING
            LIVING += 1
            super().__init__(*others, **named)
        def __del__(self):
            global LIVING
            LIVING -= 1
        def run(self, wanted, feeds):
            return [numpy.array(LIVING)]
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, counts))
    for _ in range(5):
        session = sessions.open_session(LANDMARKS, "cpu")
    assert session.run(DOUBLE)[0] <= 2


def test_closing_ends_the_helper_and_the_next_session_starts_one(folder: Path) -> None:
    session = opened(folder)
    process = helper_of(session).process
    sessions.close_runtime()
    assert process.returncode == 0
    with pytest.raises(ModelError, match="stopped"):
        session.run(tiles(1))
    again = sessions.open_session(LANDMARKS, "cpu")
    assert len(again.run(tiles(1))) == 8
    assert helper_of(again).process.pid != process.pid


def test_helper_that_dies_in_the_middle(tmp_path: Path) -> None:
    dies = """
    import os
    class InferenceSession(InferenceSession):
        def run(self, wanted, feeds):
            if feeds["x"].size == 0:
                os._exit(7)
            return super().run(wanted, feeds)
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, dies))
    session = sessions.open_session(LANDMARKS, "cpu")
    assert_same(session.run(DOUBLE), [2 * DOUBLE["x"]])
    with pytest.raises(
        ModelError, match=r"stopped \(exit code 7\) while running face_landmarks\.onnx.*Try again.*bundled runtime"
    ):
        session.run({"x": np.zeros(0)})
    with pytest.raises(ModelError, match="stopped"):
        session.run(DOUBLE)
    assert_same(sessions.open_session(LANDMARKS, "cpu").run(DOUBLE), [2 * DOUBLE["x"]])


def test_helper_that_is_killed_while_threads_wait(tmp_path: Path) -> None:
    slow = """
    import time
    class InferenceSession(InferenceSession):
        def run(self, wanted, feeds):
            time.sleep(60)
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, slow))
    session = sessions.open_session(LANDMARKS, "cpu")
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(session.run, DOUBLE) for _ in range(6)]
        time.sleep(0.3)
        helper_of(session).process.kill()
        for one in waiting:
            assert isinstance(one.exception(20), ModelError)


def test_network_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = """
    import time
    class InferenceSession(InferenceSession):
        def run(self, wanted, feeds):
            time.sleep(60)
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, slow))
    session = sessions.open_session(LANDMARKS, "cpu")
    monkeypatch.setattr(remote_process, "ANSWER_TIMEOUT_S", 0.5)
    with pytest.raises(ModelError, match=r"no answer in 0\.5 s while running"):
        session.run(DOUBLE)
    assert helper_of(session).process.returncode is not None


def test_nothing_that_a_package_prints_gets_out_or_in_the_way(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    prints = """
    import os
    print("Welcome to onnxruntime", flush=True)
    os.write(1, b"{\\n")
    class InferenceSession(InferenceSession):
        def run(self, wanted, feeds):
            print("running", flush=True)
            os.write(2, b"still running\\n")
            return super().run(wanted, feeds)
    """
    sessions.use_runtime(runtimes.made_up(tmp_path, prints))
    assert_same(sessions.open_session(LANDMARKS, "cpu").run(DOUBLE), [2 * DOUBLE["x"]])
    assert capfd.readouterr() == ("", "")


def test_surroundings_do_not_leak_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither variables of the user's Python nor what this process has on its path."""
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "json.py").write_text("raise RuntimeError('the wrong json')")
    monkeypatch.setenv("PYTHONPATH", str(trap))
    monkeypatch.setenv("PYTHONSTARTUP", str(trap / "json.py"))
    monkeypatch.chdir(trap)
    path_before = list(sys.path)
    session = opened(runtimes.made_up(tmp_path / "runtime"))
    assert_same(session.run(DOUBLE), [2 * DOUBLE["x"]])
    assert sys.path == path_before
    assert Path(sys.modules["onnxruntime"].__file__ or "").parent != tmp_path / "runtime" / "onnxruntime"


def is_running(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    if state.parent.parent.is_dir() and sys.platform == "linux":
        try:
            return state.read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


STORY = """
import os, signal, sys, time
from pathlib import Path
from au_mocap import sessions
if __name__ == "__main__":
    sessions.use_runtime(Path(sys.argv[1]))
    session = sessions.open_session(Path(sys.argv[2]), "cpu")
    print(session._helper.process.pid, flush=True)
    {end}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals and a way to ask for a process by number")
@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    ],
)
def test_helper_ends_however_its_parent_ends(end: str, code: int, folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", STORY.format(end=end), str(folder), str(LANDMARKS)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(), timeout=60, cwd=folder
    )
    assert (done.returncode, done.stderr) == (code, "")
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps Ctrl-C from processes without a window by itself")
def test_ctrl_c_is_for_the_parent(folder: Path) -> None:
    session = opened(folder)
    os.kill(helper_of(session).process.pid, signal.SIGINT)
    assert len(session.run(tiles(1))) == 8


# Shared memory --------------------------------------------------------------------------------------------------------


def test_blocks_are_used_again_and_never_twice_at_once() -> None:
    memory = SharedMemory()
    first, second = memory.take(10), memory.take(10)
    assert first.number != second.number
    memory.give(first)
    assert memory.take(first.length) is first
    larger = memory.take(first.length + 1)
    assert larger.length > first.length
    larger.memory[:4] = b"left"
    second.memory[:5] = b"right"
    assert larger.memory[:4] == b"left"
    memory.close()


def test_memory_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(length: int, *_others: object, **_named: object) -> None:
        message = "No space left on device"
        raise OSError(message)

    memory = SharedMemory()
    monkeypatch.setattr("au_mocap.shared_memory.mmap.mmap", full)
    with pytest.raises(ModelError, match=r"No space left on device.*bundled runtime"):
        memory.take(10)
    memory.close()


def test_no_warnings_where_all_is_well(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session = opened(folder)
        session.run(tiles(1))
        del session
        sessions.use_runtime(None)
        gc.collect()
