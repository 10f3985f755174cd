"""What the preferences say about devices."""

from pathlib import Path

import bpy
import numpy as np
import onnxruntime
import pytest

from training import extension


def module():  # noqa: ANN201 - the extension's modules have no types outside Blender
    return extension.module("operators.devices")


def state(name: str, provider: str, *, installed: bool = True, reason: str = ""):  # noqa: ANN201
    made = extension.module("au_mocap.devices").DeviceState
    return made(name, provider, installed, not reason, reason)


def test_devices_of_this_machine() -> None:
    states = module().known_devices()
    lines = module().device_lines(states)
    assert len(lines) == len(states) == 4
    assert lines[-1] == module().DeviceLine("CPU: works", "CHECKMARK")
    for line, each in zip(lines, states, strict=True):
        assert line.text.startswith(f"{each.name}: ")
        assert each.reason in line.text


def test_icons_tell_what_is_broken_from_what_is_merely_absent() -> None:
    states = (
        state("CUDA (NVIDIA)", "CUDAExecutionProvider", reason="no driver"),
        state("DirectML (Windows)", "DmlExecutionProvider", installed=False, reason="exists on Windows only"),
        state("CPU", "CPUExecutionProvider"),
    )
    lines = module().device_lines(states)
    assert [line.icon for line in lines] == ["ERROR", "BLANK1", "CHECKMARK"]
    assert lines[0].text == "CUDA (NVIDIA): no driver"


def test_runtime_that_does_not_load_is_said_once() -> None:
    reason = "The onnxruntime in /gpu cannot be loaded"
    states = [state(name, name, installed=False, reason=reason) for name in ("CUDA", "DirectML", "CPU")]
    assert module().device_lines(states) == (module().DeviceLine(reason, "ERROR"),)


def test_last_analysis() -> None:
    last = module().LastAnalysis
    states = (state("CPU", "CPUExecutionProvider"),)
    (_, line) = module().device_lines(states, last(("CPUExecutionProvider",), 200, 1.5))
    assert line.text == "The last analysis ran on CPU: 7.5 ms a frame"
    (_, line) = module().device_lines(states, last(("TensorrtExecutionProvider", "CPUExecutionProvider"), 0, 0.0))
    assert line.text == "The last analysis ran on TensorrtExecutionProvider"
    (_, line) = module().device_lines(states, last((), 1, 0.001))
    assert line.text == "The last analysis ran on an unknown device: 1.0 ms a frame"


def test_runtime_of_a_folder_is_used_until_the_extension_ends_it(tmp_path: Path) -> None:
    (tmp_path / "onnxruntime").symlink_to(Path(onnxruntime.__file__).parent, target_is_directory=True)
    sessions, registry = extension.module("au_mocap.sessions"), extension.module("au_mocap.registry").Registry()
    graph = registry.path(registry.tracker("onnx").files["detector"])
    fed = {"image": np.random.default_rng(0).random((1, 3, 128, 128), np.float32)}
    here = sessions.open_session(graph, "cpu").run(fed)
    try:
        assert module().choose_runtime(tmp_path) == ""
        assert str(tmp_path) in module().device_lines(module().known_devices())[0].text
        session = sessions.open_session(graph, "cpu")
        for one, other in zip(session.run(fed), here, strict=True):
            np.testing.assert_array_equal(one, other)
        assert "There is no onnxruntime in" in module().choose_runtime(tmp_path / "gone")
        assert sessions.runtime().folder == tmp_path.resolve(), "the choice stays"
    finally:
        module().end_runtime()
    assert session._helper.process.returncode == 0
    assert sessions.runtime().name == "the installed onnxruntime"


def test_icons_are_blenders() -> None:
    import bpy

    known = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys()
    assert {"ERROR", "BLANK1", "CHECKMARK", "INFO"} <= set(known)


def test_the_preferences_list_what_works_and_what_the_last_analysis_ran_on() -> None:
    check, devices = extension.module("operators.check_devices"), extension.module("operators.devices")
    assert bpy.ops.aumocap.check_devices() == {"FINISHED"}
    assert [line.text for line in check.lines() if line.icon == "CHECKMARK"] == ["CPU: works"]
    check.analysed(devices.LastAnalysis(("CPUExecutionProvider",), 100, 0.9))
    assert check.lines()[-1].text == "The last analysis ran on CPU: 9.0 ms a frame"


def test_a_folder_without_a_runtime_is_told(tmp_path: Path) -> None:
    extension.enable().runtime_folder = str(tmp_path)
    with pytest.raises(RuntimeError, match="onnxruntime"):
        bpy.ops.aumocap.check_devices()
    assert extension.module("operators.check_devices").lines()[0].icon == "ERROR"
    extension.enable().runtime_folder = ""
    assert bpy.ops.aumocap.check_devices() == {"FINISHED"}
