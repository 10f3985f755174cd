"""Sends faces to another program on this machine, never to another machine.

Nothing that AU Mocap sees leaves the machine, so a sender takes loopback addresses alone. It never waits: what the
system does not take at once is dropped, and what goes wrong is noted, not raised, so that the performance goes on.
"""

import ipaddress
import socket
import time
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from ..errors import LiveError
from . import packets
from .packets import Face, FrameTime

Form = Literal["live-link-face", "ifacialmocap"]

PORTS: Final[dict[Form, int]] = {"live-link-face": 11111, "ifacialmocap": 49983}
"""Where receivers of each form listen unless they are told otherwise."""

LONGEST_SUBJECT: Final = 255
"""Characters that a receiver of Live Link Face has room for."""

CLOCK_HZ: Final = 60
"""Rate of the frame numbers of live faces, as the app counts them."""

_GOOD_AGAIN: Final = 5
"""So many datagrams must go out in turn before a problem is over: of those that nobody takes only each second fails."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to send to, and how.

    Attributes:
        form: What is sent.
        address: 127.0.0.1 or another address of this machine's loopback, ::1 for IPv6.
        port: 1 to 65535.
        subject: The face's name at the receiver, in ASCII; iFacialMocap has none.
    """

    form: Form = "live-link-face"
    address: str = "127.0.0.1"
    port: int = PORTS["live-link-face"]
    subject: str = "AUMocap"

    def __post_init__(self) -> None:
        """Checks everything; raises LiveError that says what to do."""
        if self.form not in get_args(Form):
            message = f"Unknown form '{self.form}' to send: use {', '.join(get_args(Form))}."
            raise LiveError(message)
        _check_address(self.address)
        if not 1 <= self.port <= 65535:
            message = (
                f"{self.port} is no port to send to: use the receiver's, from 1 to 65535 (usual: {PORTS[self.form]})."
            )
            raise LiveError(message)
        if not (self.subject.isascii() and self.subject.isprintable() and self.subject.strip()):
            message = f"'{self.subject}' cannot name a subject: use letters without accents, digits and signs."
            raise LiveError(message)
        if len(self.subject) > LONGEST_SUBJECT:
            message = f"The subject's name has {len(self.subject)} characters: use {LONGEST_SUBJECT} at most."
            raise LiveError(message)


def _check_address(address: str) -> None:
    try:
        is_here = ipaddress.ip_address(address).is_loopback and "%" not in address
    except ValueError:
        is_here = False
    if not is_here:
        message = (
            f"'{address}' is not this machine, and AU Mocap sends nothing to others: use 127.0.0.1 or ::1, and let a "
            "program here pass it on."
        )
        raise LiveError(message)


class Sender:
    """Sends to one target until it is closed.

    Attributes:
        target: Whom it sends to.
        problem: What does not work now, for the user; empty where all is well.
        sent: Datagrams that went out.
        dropped: Datagrams that did not.
    """

    def __init__(self, target: Target) -> None:
        """Opens a socket; raises LiveError where this machine has none for such an address."""
        self.target = target
        self.problem = ""
        self.sent = 0
        self.dropped = 0
        self._good = 0
        family = socket.AF_INET6 if ":" in target.address else socket.AF_INET
        self._socket: socket.socket | None = None
        try:
            opened = socket.socket(family, socket.SOCK_DGRAM)
        except OSError as error:
            raise LiveError(_unopened(target, error)) from error
        try:
            opened.setblocking(False)
            # Connected, so that the system tells when nobody listens, and datagrams can go nowhere else.
            opened.connect((target.address, target.port))
        except OSError as error:
            opened.close()
            raise LiveError(_unopened(target, error)) from error
        self._socket = opened

    def send(self, face: Face, at: FrameTime) -> None:
        """Sends a face; returns at once whatever happens, and does nothing when closed.

        Args:
            face: What is shown; one with NaN values is none, and not sent.
            at: When.
        """
        if self._socket is None or not np.isfinite(face.values).all():
            return
        if self.target.form == "live-link-face":
            datagram = packets.live_link(self.target.subject, face, at)
        else:
            datagram = packets.ifacialmocap_text(face)
        trouble = self._put(self._socket, datagram)
        if trouble:
            self._good = 0
            self.problem = trouble
        else:
            self._good += 1
            if self._good >= _GOOD_AGAIN:
                self.problem = ""

    def _put(self, opened: socket.socket, datagram: bytes) -> str:
        """Hands a datagram over; what went wrong, empty where nothing did."""
        try:
            opened.send(datagram)
        except (ConnectionRefusedError, ConnectionResetError):
            # This tells of the datagram before, which nobody took; this one was not sent.
            self.dropped += 1
            return (
                f"Nobody listens at {self.target.address}, port {self.target.port}: start the receiver, or set its "
                "port here. Sending goes on."
            )
        except (BlockingIOError, InterruptedError):
            self.dropped += 1
            return ""  # the system is busy: the next face is newer anyway
        except OSError as error:
            self.dropped += 1
            return f"Cannot send to {self.target.address} ({error.strerror or error}). Sending is tried again."
        self.sent += 1
        return ""

    def close(self) -> None:
        """Sends no more. May be called again."""
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()


def _unopened(target: Target, error: OSError) -> str:
    other = "127.0.0.1" if ":" in target.address else "::1"
    return f"Cannot send to {target.address} ({error.strerror or error}): use {other} where the receiver takes it."


def time_of_day(captured_s: float) -> FrameTime:
    """When a picture was taken, as frames since midnight of the local clock.

    Args:
        captured_s: Seconds of `time.perf_counter()`.
    """
    wall_s = time.time() - (time.perf_counter() - captured_s)
    local = time.localtime(wall_s)
    since_midnight_s = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec + wall_s % 1.0
    return packets.frame_time(since_midnight_s, CLOCK_HZ)
