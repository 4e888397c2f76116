"""What can be downloaded by name: files, the addresses where they are documented, checksums.

A checksum stands here only if somebody published it; where it was read is said beside it. Nothing
here was computed from a file that came from one of these addresses.
"""

from dataclasses import dataclass, field

from deepmoji.errors import InputError

_MB = 1_000_000
_DEEPMOJI = "https://github.com/bfelbo/DeepMoji"
_TORCHMOJI = "https://github.com/huggingface/torchMoji"
# A copy of torchMoji's two files on a model hub, at the commit of 2022 that put them there.
_MIRROR = (
    "https://huggingface.co/Uberduck/torchmoji/resolve/ff04492fe67db898d9bcbd923ee1192646132286"
)


@dataclass(frozen=True, kw_only=True)
class File:
    """One file, and how to know that it is the right one."""

    name: str
    addresses: tuple[str, ...]  # tried in this order
    documented: str  # the page that names the first address
    sha256: str | None = None  # None: nobody published one
    sha256_from: str = ""  # where it was read
    size: int | None = None  # bytes, where it is known exactly
    limit: int = 200 * _MB  # bytes; no more is ever read
    # How such a file begins: tells it from the web page that a dead link may answer with.
    begins: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """A model that others published."""

    name: str
    about: str
    licence: str
    files: tuple[File, ...] = field(default=())


# 1,064,975 bytes in bfelbo/DeepMoji at this commit. The checksum is the one in the source code of
# github.com/TigreGotico/deepmoji-onnx (deepmoji_onnx/inference.py), which takes torchMoji's; our
# tests compare it with the vocabulary that the golden cases were made with.
VOCABULARY = File(
    name="vocabulary.json",
    addresses=(
        "https://raw.githubusercontent.com/bfelbo/DeepMoji/"
        "2ad102ada961faa82f470814268f0bdef54c3a56/model/vocabulary.json",
        f"{_MIRROR}/vocabulary.json",
    ),
    documented=f"{_DEEPMOJI} (model/vocabulary.json)",
    sha256="951e74fe4661b23e490e79d3a9496bd61d027b14b55dd99dd1ae2c1fc3e25f3e",
    sha256_from="the source code of github.com/TigreGotico/deepmoji-onnx",
    size=1_064_975,
    limit=1_064_975,
    begins=(b"{",),
)

SOURCES = {
    source.name: source
    for source in (
        Source(
            name="original",
            about="the weights of 2017 as torchMoji publishes them (PyTorch), and their words",
            licence="MIT, says its README",
            files=(
                File(
                    name="pytorch_model.bin",
                    addresses=(
                        "https://www.dropbox.com/s/q8lax9ary32c7t9/pytorch_model.bin?dl=1",
                        f"{_MIRROR}/pytorch_model.bin",
                    ),
                    documented=f"{_TORCHMOJI} (README.md, scripts/download_weights.py)",
                    # Of the mirror's file. That torchMoji's own is the same, byte for byte, is
                    # likely (it was written by a PyTorch of 2017) but published by nobody.
                    sha256="8cbf6f7067d56aa1c2d571bb169f05fba16cea4c263c06fb3f217f42c591a978",
                    sha256_from="the Git LFS record of huggingface.co/Uberduck/torchmoji, a mirror",
                    begins=(b"\x80", b"PK\x03\x04"),  # a pickle, as torch.save wrote it; a zip
                ),
                VOCABULARY,
            ),
        ),
        Source(
            name="original-keras",
            about="the weights of 2017 as DeepMoji publishes them (Keras), and their words",
            licence="MIT, says its README",
            files=(
                File(
                    name="deepmoji_weights.hdf5",
                    addresses=(
                        "https://www.dropbox.com/s/xqarafsl6a8f9ny/deepmoji_weights.hdf5?dl=1",
                    ),
                    documented=f"{_DEEPMOJI} (README.md, scripts/download_weights.py)",
                    begins=(b"\x89HDF\r\n\x1a\n",),
                ),
                VOCABULARY,
            ),
        ),
    )
}


def find(name: str) -> Source:
    """Return a source by its name.

    Raises:
        InputError: if there is none of that name.
    """
    if name not in SOURCES:
        raise InputError(
            f"there is nothing to download named {name!r}; known: {', '.join(SOURCES)}, and "
            "hf://OWNER/NAME for a model on a hub"
        )
    return SOURCES[name]
