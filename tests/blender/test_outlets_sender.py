"""What is shown live, or by the preview, also arrives at a receiver on this machine: real sockets, real sessions."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest

from tests.core.link_packets import Packet, unpack
from training import extension

from .conftest import CLIP, Properties
from .playing import shown

if TYPE_CHECKING:
    from operators.demo_head import DemoHead

PATIENCE_S = 60.0


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(PATIENCE_S)
        yield opened


@pytest.fixture
def sender(demo_head: "DemoHead", receiver: socket.socket) -> Properties:
    """The sender's settings, on, with a character that has a table."""
    own = bpy.context.scene.aumocap
    own.character = demo_head.armature
    own.live.source, own.live.video = "file", str(CLIP)
    settings = bpy.context.scene.aumocap_sender
    settings.use, settings.port, settings.subject = True, receiver.getsockname()[1], "Stage"
    yield settings
    extension.module("operators.live").stop()
    extension.module("operators.preview").stop()


def live() -> Properties:
    return extension.module("operators.live")


def tick_until(condition: Callable[[], object]) -> None:
    import time

    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        if live().current() is not None:
            live().tick()
        time.sleep(0.002)


def arrived(receiver: socket.socket) -> list[Packet]:
    """Everything that waits at the receiver."""
    receiver.setblocking(False)
    packets = []
    try:
        while True:
            packets.append(unpack(receiver.recv(4096)))
    except BlockingIOError:
        return packets


def number(packet: Packet, shape: str) -> float:
    module = extension.module("au_mocap.exchange.live_link_face")
    return packet.values[(*module.SHAPES, *module.ANGLES).index(shape)]


def test_off_by_default_and_nothing_is_sent(sender: Properties, receiver: socket.socket, stored_take: Path) -> None:
    sender.property_unset("use")
    assert sender.use is False
    extension.module("operators.take_list").add(bpy.context.scene, stored_take)
    bpy.ops.aumocap.preview()
    bpy.context.scene.frame_set(5)
    bpy.ops.aumocap.live()
    tick_until(lambda: len(live().current().lag_s) > 2)
    assert live().current().feed.sent == 0
    assert arrived(receiver) == []


def test_live_sends_what_the_character_shows(
    sender: Properties, demo_head: "DemoHead", receiver: socket.socket
) -> None:
    bpy.ops.aumocap.live()
    tick_until(lambda: len(live().current().lag_s) > 5)
    run = live().current()
    packets = arrived(receiver)
    assert run.feed.problem == ""
    assert len(packets) == run.feed.sent > 5
    assert {packet.subject for packet in packets} == {"Stage"}
    jaw = demo_head.head.data.shape_keys.key_blocks["jawOpen"].value
    assert number(packets[-1], "jawOpen") == pytest.approx(jaw, abs=1e-4)
    numbers = [packet.frame + packet.part for packet in packets]
    assert all(np.diff(numbers) > 0)
    sender.subject = "Another"
    before = run.feed.sent
    tick_until(lambda: 0 < run.feed.sent != before)
    assert arrived(receiver)[-1].subject == "Another", "settings count from the next frame on"
    live().stop()
    arrived(receiver)
    assert run.feed.sent == 0, "stopped with the session"


def test_nobody_listens_and_live_goes_on(sender: Properties, receiver: socket.socket) -> None:
    receiver.close()
    bpy.ops.aumocap.live()
    tick_until(lambda: len(live().current().lag_s) > 5)
    assert "Nobody listens" in live().current().feed.problem
    assert live().problem() == ""


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [("port", 0, "0 is no port"), ("subject", "", "cannot name"), ("subject", "a" * 300, "300 characters")],
)
def test_what_cannot_be_is_told_and_live_goes_on(sender: Properties, name: str, value: object, told: str) -> None:
    setattr(sender, name, value)
    bpy.ops.aumocap.live()
    tick_until(lambda: len(live().current().lag_s) > 1)
    assert told in live().current().feed.problem
    assert live().problem() == ""


def test_the_preview_sends_with_the_scenes_frames(
    sender: Properties, demo_head: "DemoHead", receiver: socket.socket, stored_take: Path
) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 30, 1.001
    extension.module("operators.take_list").add(scene, stored_take)
    bpy.ops.aumocap.preview()
    assert arrived(receiver) == []
    for frame in (5.0, 6.25, 500.0, -20.0):
        value = shown(demo_head.head, frame)
        (packet,) = arrived(receiver)
        assert packet.frame + packet.part == pytest.approx(frame)
        assert (packet.numerator, packet.denominator) == (30000, 1001)
        assert number(packet, "jawOpen") == pytest.approx(value, abs=1e-5)
    sender.use = False
    scene.frame_set(7)
    assert arrived(receiver) == []
    sender.use = True
    scene.frame_set(8)
    assert len(arrived(receiver)) == 1
    bpy.ops.aumocap.preview()
    scene.frame_set(9)
    assert arrived(receiver) == []


def test_the_port_follows_the_form() -> None:
    settings = bpy.context.scene.aumocap_sender
    assert (settings.form, settings.port, settings.address) == ("live-link-face", 11111, "127.0.0.1")
    settings.form = "ifacialmocap"
    assert settings.port == 49983
    settings.port = 5000
    settings.form = "live-link-face"
    assert settings.port == 5000
    sending, operators = extension.module("au_mocap.live.sending"), extension.module("operators.outlets_sender")
    assert operators._PORTS == sending.PORTS
    assert {name for name, *_ in operators.FORMS} == set(sending.PORTS)
    for address, *_ in operators.ADDRESSES:
        sending.Target(address=address)
