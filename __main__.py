"""``python -m dilemmas`` is the command ``dilemmas``."""

from dilemmas.experiments.commands.main import main

if __name__ == "__main__":
    main()
