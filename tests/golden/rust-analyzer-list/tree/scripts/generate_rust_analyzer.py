TOP = [
    'samples',
    'drivers',
    # more
    'rust',
]
OTHER = ('samples', 'docs')
