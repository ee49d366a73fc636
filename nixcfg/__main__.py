"""`python -m nixcfg`."""

from nixcfg.cli import main

if __name__ == "__main__":
    main()
