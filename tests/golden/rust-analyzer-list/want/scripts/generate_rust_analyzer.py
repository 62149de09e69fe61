TOP = [
    'samples',
    'drivers',
    # more
    'rust',
    'arch/x86/kvm',
]
OTHER = ('samples', 'docs')
