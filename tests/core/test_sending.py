"""Faces for another program: packets, round trips over real sockets, and what is refused."""

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from au_mocap import channels, rotations
from au_mocap.errors import LiveError
from au_mocap.exchange import arkit, ifacialmocap, live_link_face
from au_mocap.live import packets, sending
from au_mocap.live.packets import Face
from au_mocap.live.results import LiveFrame
from au_mocap.registry import Registry
from au_mocap.regressors import open_regressor
from au_mocap.video import open_video

from .link_packets import unpack
from .live import Pictures, play, started

NOON = packets.FrameTime(2592000, 0.25, 60)
ANGLES_RAD = (0.4, -0.2, 0.1)


def face(**values: float) -> Face:
    row = np.zeros(len(channels.IDS), np.float32)
    for name, value in values.items():
        row[channels.INDEX[name]] = value
    rotation = rotations.to_quaternions(rotations.from_angles(np.array([ANGLES_RAD])))[0]
    return Face(row, rotation, np.array([0.01, 0.02, 0.6]))


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(20.0)
        yield opened


def target_of(receiver: socket.socket, **more: str) -> sending.Target:
    return sending.Target(port=receiver.getsockname()[1], **more)  # type: ignore[arg-type]


def value_of(packet_values: tuple[float, ...], name: str) -> float:
    return packet_values[(*live_link_face.SHAPES, *live_link_face.ANGLES).index(name)]


def test_a_packet_byte_by_byte() -> None:
    data = packets.live_link("Ann", face(jaw_drop=0.5), NOON)
    assert len(data) == 1 + 4 + 36 + 4 + 3 + 16 + 1 + 4 * 61
    assert data[:5] == b"\x06\x00\x00\x00\x24", "version, and the device's length with its low byte last"
    assert data[41:48] == b"\x00\x00\x00\x03Ann"
    assert data[48:64] == struct.pack(">ifii", 2592000, 0.25, 60, 1)
    assert data[64] == 61
    assert struct.unpack_from(">f", data, 65 + 4 * 17) == (0.5,), "jawOpen is the 18th of ARKit's order"


def test_what_is_packed_is_what_is_unpacked() -> None:
    shown = face(jaw_drop=0.5, eye_close_L=0.75, eye_close_R=0.25, cheek_puff_L=0.2, cheek_puff_R=0.6, look_out_L=1.0)
    got = unpack(packets.live_link("Ann", shown, NOON))
    assert (got.subject, got.frame, got.part, got.numerator, got.denominator) == ("Ann", 2592000, 0.25, 60, 1)
    wanted = {"jawOpen": 0.5, "eyeBlinkLeft": 0.75, "eyeBlinkRight": 0.25, "cheekPuff": 0.4, "eyeLookOutLeft": 1.0}
    for place, shape in enumerate(live_link_face.SHAPES):
        assert got.values[place] == pytest.approx(wanted.get(shape, 0.0), abs=1e-6), shape
    assert got.values[52:55] == pytest.approx(ANGLES_RAD, abs=1e-6)
    assert value_of(got.values, "LeftEyeYaw") == pytest.approx(np.radians(-35.0), abs=1e-5), "outwards: to its left"
    assert value_of(got.values, "RightEyeYaw") == 0.0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data[:-1], "ends at byte"),
        (lambda data: data + b"\0", "1 bytes too many"),
        (lambda data: b"\x05" + data[1:], "version 5"),
        (lambda data: data[:64] + b"\x34" + data[65:], "52 values"),
    ],
)
def test_the_decoder_takes_nothing_else(change: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        unpack(change(packets.live_link("Ann", face(), NOON)))  # type: ignore[operator]


def test_an_unknown_head_looks_ahead() -> None:
    blind = Face(face(jaw_drop=1.0).values, np.full(4, np.nan), np.full(3, np.nan), found=False)
    assert unpack(packets.live_link("Ann", blind, NOON)).values[52:55] == (0.0, 0.0, 0.0)
    text = packets.ifacialmocap_text(blind).decode()
    assert text.startswith("trackingStatus-0|")
    assert "=head#0.000000,0.000000,0.000000,0.000000,0.000000,0.000000|" in text


def test_a_device_is_its_subject_and_nothing_of_the_machine() -> None:
    first, again, other = (unpack(packets.live_link(name, face(), NOON)).device for name in ("Ann", "Ann", "Bob"))
    assert first == again != other
    assert len(first) == 36
    assert first == first.upper()


def test_frame_numbers() -> None:
    assert packets.frame_time(10.5, 60) == packets.FrameTime(630, 0.0, 60)
    at = packets.frame_time(1.0, 30000, 1001)
    assert (at.frame, at.numerator, at.denominator) == (29, 30000, 1001)
    assert at.part == pytest.approx(0.97003, abs=1e-5)
    almost = packets.frame_time(1.0 - 1e-12, 60)
    assert np.float32(almost.part) < 1.0
    before_s = (time.localtime().tm_hour * 60 + time.localtime().tm_min) * 60
    assert sending.time_of_day(time.perf_counter()).frame >= before_s * 60 or before_s > 86000


def test_the_text_is_what_the_other_way_reads(receiver: socket.socket, tmp_path: Path) -> None:
    sender = sending.Sender(target_of(receiver, form="ifacialmocap"))
    sender.send(face(jaw_drop=0.5, eye_close_L=0.75), NOON)
    sender.close()
    path = tmp_path / "sent.txt"
    path.write_bytes(receiver.recv(4096))
    assert ifacialmocap.fits(path.read_text())
    assert "jawOpen-50|" in path.read_text()
    assert "eyeBlink_L-75|" in path.read_text()
    back = ifacialmocap.read(path, None)
    assert back.values[0, back.channels.index("jaw_drop")] == pytest.approx(0.5)
    assert back.rotation is not None
    assert back.position is not None
    np.testing.assert_allclose(np.abs(back.rotation[0] @ face().rotation), 1.0, atol=1e-9)
    np.testing.assert_allclose(back.position[0], [0.01, 0.02, 0.6], atol=1e-6)


def test_a_live_session_arrives_at_a_real_receiver(single_face: Path, receiver: socket.socket) -> None:
    """With filter, mirror and mute, frame by frame."""
    with open_video(single_face) as video:
        frames = [frame for frame, _ in zip(video.frames(), range(6), strict=False)]
    source = Pictures(frames)
    session = started(source, open_regressor(Registry(), "fast", "cpu"), mirror=True, muted=frozenset({"jaw"}))
    sender = sending.Sender(target_of(receiver, subject="Stage left"))
    got: list[LiveFrame] = []

    def pass_on(frame: LiveFrame) -> None:
        got.append(frame)
        shown = Face(frame.values, frame.head_rotation, frame.head_position, frame.found)
        sender.send(shown, sending.time_of_day(frame.captured_s))

    play(session, source, pass_on)
    session.stop()
    sender.close()
    assert (sender.sent, sender.dropped, sender.problem) == (len(got), 0, "")
    assert len(got) >= 5
    numbers = []
    for frame in got:
        packet = unpack(receiver.recv(4096))
        assert packet.subject == "Stage left"
        weights = arkit.to_shapes(frame.values[None], live_link_face.SHAPES)[0]
        np.testing.assert_allclose(packet.values[:52], weights, atol=1e-6)
        assert value_of(packet.values, "jawOpen") == 0.0
        angles = rotations.to_angles(rotations.to_matrices(frame.head_rotation[None]))[0]
        np.testing.assert_allclose(packet.values[52:55], angles, atol=1e-6)
        numbers.append(packet.frame + packet.part)
    assert max(packet.values[:52]) > 0.01
    np.testing.assert_allclose(np.diff(numbers), 60 * np.diff([frame.captured_s for frame in got]), atol=0.01)


@pytest.mark.parametrize(
    "address", ["192.168.1.20", "8.8.8.8", "0.0.0.0", "::", "localhost", "fe80::1%lo", "", "127.1"]
)
def test_nothing_goes_to_another_machine(address: str) -> None:
    with pytest.raises(LiveError, match=r"not this machine.*127\.0\.0\.1"):
        sending.Target(address=address)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"port": 0}, "0 is no port"),
        ({"port": 65536}, "65536 is no port"),
        ({"port": -1}, "no port"),
        ({"subject": ""}, "cannot name"),
        ({"subject": "  "}, "cannot name"),
        ({"subject": "Jérôme"}, "without accents"),
        ({"subject": "a\nb"}, "cannot name"),
        ({"subject": "a" * 256}, "256 characters: use 255"),
        ({"form": "osc"}, "live-link-face, ifacialmocap"),
    ],
)
def test_a_target_that_cannot_be_is_told(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(LiveError, match=told):
        sending.Target(**wrong)  # type: ignore[arg-type]


def test_the_longest_name_arrives(receiver: socket.socket) -> None:
    sender = sending.Sender(target_of(receiver, subject="a" * sending.LONGEST_SUBJECT))
    sender.send(face(), NOON)
    sender.close()
    assert unpack(receiver.recv(4096)).subject == "a" * 255


def test_ipv6_of_this_machine() -> None:
    try:
        opened = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        opened.bind(("::1", 0))
    except OSError:
        with pytest.raises(LiveError, match=r"use 127\.0\.0\.1"):
            sending.Sender(sending.Target(address="::1"))
        return
    with opened:
        opened.settimeout(20.0)
        sender = sending.Sender(sending.Target(address="::1", port=opened.getsockname()[1]))
        sender.send(face(jaw_drop=1.0), NOON)
        sender.close()
        assert value_of(unpack(opened.recv(4096)).values, "jawOpen") == 1.0


def test_nobody_listens_is_told_and_a_late_receiver_is_served() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
    sender = sending.Sender(sending.Target(port=port))
    for _ in range(4):
        sender.send(face(), NOON)
    assert f"Nobody listens at 127.0.0.1, port {port}" in sender.problem
    assert sender.dropped > 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.bind(("127.0.0.1", port))
        late.settimeout(20.0)
        for _ in range(8):
            sender.send(face(jaw_drop=0.5), NOON)
        assert value_of(unpack(late.recv(4096)).values, "jawOpen") == 0.5
    assert sender.problem == ""
    sender.close()


def test_a_receiver_that_never_looks_does_not_hold_up(receiver: socket.socket) -> None:
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sender = sending.Sender(target_of(receiver))
    for _ in range(200):
        sender.send(face(), NOON)
    assert sender.sent + sender.dropped == 200
    receiver.setblocking(False)
    waiting = 0
    with contextlib.suppress(BlockingIOError):
        while receiver.recv(4096):
            waiting += 1
    assert 0 < waiting < 200, "the system keeps a few and drops the rest"
    sender.close()
    sender.close()
    sender.send(face(), NOON)
    assert sender.sent + sender.dropped == 200, "closed: nothing is sent, and nothing raised"


def test_values_that_are_none_are_not_sent(receiver: socket.socket) -> None:
    sender = sending.Sender(target_of(receiver))
    sender.send(Face(np.full(58, np.nan), np.full(4, np.nan), np.full(3, np.nan), found=False), NOON)
    assert sender.sent == 0
    sender.close()
