import pathlib

def generate(srctree, external_src, cfg):
    extra_dirs = map(lambda dir: srctree / dir, ["samples", "drivers", "arch/x86/kvm"])
    if external_src is not None:
        extra_dirs = [external_src]
    for folder in extra_dirs:
        yield folder
