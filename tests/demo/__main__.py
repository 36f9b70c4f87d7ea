"""Run the demo; it stops what it started however it ends."""

import signal
import sys

from tests.demo.show import Story
from tests.demo.story import run


def main() -> int:
    """Exit codes: 0 the story ended as it should, 1 it did not, 130 interrupted, as shells have it."""
    # Being told to end is an interruption like Ctrl-C: whatever was started is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    story = Story()
    try:
        as_it_should = run(story)
    except KeyboardInterrupt:
        print()
        story.say("Interrupted; the local AWS is stopped.")
        return 130
    if not as_it_should:
        print("This is not how it should have ended.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
