import pathlib

def generate(srctree, external_src, cfg):
    folders = map(lambda dir: srctree / dir, ("samples", "drivers"))
    if external_src is not None:
        folders = [external_src]
    for folder in folders:
        yield folder
