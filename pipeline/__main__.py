"""`python -m pipeline`: runs the pipeline and looks at what it made."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
