"""The only importer of GitPython and the only starter of git."""
