"""`python -m photochrom`: the same as the `photochrom` script."""

from photochrom.cli import main

if __name__ == "__main__":  # a worker process imports this file under another name
    main()
