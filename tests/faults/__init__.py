"""The fault harness: what nights do when machine, disk, network or people fail; see README.md."""
