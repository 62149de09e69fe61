def generate(srctree):
    extra_dirs = map(lambda dir: srctree / dir, ("samples", "drivers", "arch/x86/kvm"))
    for folder in extra_dirs:
        yield folder
