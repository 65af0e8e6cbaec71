"""`python -m nbserver` is the command `nbserver`."""

import sys

from nbserver.cli import main

if __name__ == "__main__":
    sys.exit(main())
