"""The only starter of make and of the kernel tree's own scripts."""
