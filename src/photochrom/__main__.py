"""`python -m photochrom`: the same as the `photochrom` script."""

from photochrom.cli import main

main()
