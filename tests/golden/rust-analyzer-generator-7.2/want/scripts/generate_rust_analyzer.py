def generate(srctree):
    extra_dirs: Iterable[pathlib.Path] = (
        srctree / dir for dir in ("samples", "drivers", "arch/x86/kvm")
    )
    return extra_dirs
