"""Model files as one piece of bytes, and back: an ONNX file as it is, an OpenVINO pair zipped."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from demeter.vision.errors import ModelRefused

ONNX, OPENVINO = "onnx", "openvino"
MOST_BYTES = 1_000_000_000
_PARTS = (".xml", ".bin")
_METADATA = "metadata.yaml"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # equal files make equal archives


def find_network(path: Path, into: Path) -> Path:
    """The network's own file: the ONNX file, or the ``.xml`` of a pair, folder or archive.

    Archives are unpacked into the folder ``into``.

    Raises:
        ModelRefused: there is no such file, or it holds no network or several.
    """
    if path.is_dir():
        return _only_xml(path, path)
    if not path.is_file():
        raise ModelRefused(path.name, "there is no such file")
    if path.suffix.lower() == ".zip":
        _unpack_archive(path, into)
        return _only_xml(into, path)
    if path.suffix == ".xml" and not path.with_suffix(".bin").is_file():
        raise ModelRefused(path.name, f"{path.stem}.bin is not beside it")
    return path


def format_of(network: Path) -> str:
    """``openvino`` or ``onnx``."""
    return OPENVINO if network.suffix == ".xml" else ONNX


def pack(network: Path) -> bytes:
    """One piece of bytes from which `unpack` makes the files again."""
    if format_of(network) == ONNX:
        return network.read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for part in _network_files(network):
            info = zipfile.ZipInfo(part.name, _LONG_AGO)
            archive.writestr(info, part.read_bytes())
    return stream.getvalue()


def unpack(body: bytes, kind: str, name: str, folder: Path) -> Path:
    """Write the files of a model called ``name`` into ``folder``; returns the network's."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == ONNX:
        target = folder / f"{name}.onnx"
        target.write_bytes(body)
        return target
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for info in archive.infolist():
            (folder / Path(info.filename).name).write_bytes(archive.read(info))
    return folder / f"{name}.xml"


def _network_files(network: Path) -> list[Path]:
    metadata = network.with_name(_METADATA)
    pair = [network.with_suffix(suffix) for suffix in _PARTS]
    return [*pair, metadata] if metadata.is_file() else pair


def _unpack_archive(path: Path, into: Path) -> None:
    """Only what a pair consists of, by its own name, whatever paths the archive gives."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                info
                for info in archive.infolist()
                if Path(info.filename).suffix in _PARTS or Path(info.filename).name == _METADATA
            ]
            if sum(info.file_size for info in members) > MOST_BYTES:
                raise ModelRefused(path.name, f"unpacks to more than {MOST_BYTES} bytes")
            for info in members:
                (into / Path(info.filename).name).write_bytes(archive.read(info))
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise ModelRefused(path.name, "not an archive that can be read") from error


def _only_xml(folder: Path, named_path: Path) -> Path:
    xml_files = sorted(folder.glob("*.xml"))
    if len(xml_files) != 1:
        names = ", ".join(p.name for p in xml_files) or "none"
        raise ModelRefused(named_path.name, f"holds {names}: one .xml with its .bin is needed")
    if not xml_files[0].with_suffix(".bin").is_file():
        raise ModelRefused(
            named_path.name, f"{xml_files[0].stem}.bin is not beside {xml_files[0].name}"
        )
    return xml_files[0]
