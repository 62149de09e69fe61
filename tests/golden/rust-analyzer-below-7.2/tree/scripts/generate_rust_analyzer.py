import pathlib
from typing import Iterable

def generate(srctree: pathlib.Path, external_src: pathlib.Path | None) -> Iterable[pathlib.Path]:
    extra_dirs: Iterable[pathlib.Path] = (
        srctree / dir for dir in ("samples", "drivers")
    )
    if external_src is not None:
        extra_dirs = [external_src]
    for folder in extra_dirs:
        yield folder
