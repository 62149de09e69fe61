import pathlib

def generate(srctree, external_src, cfg):
    extra_dirs = map(lambda dir: srctree / dir, ("samples", "drivers"))
    for more in ["arch/x86/kvm"]:
        extra_dirs = [srctree / more, *extra_dirs]
    if external_src is not None:
        extra_dirs = [external_src]
    for folder in extra_dirs:
        yield folder
