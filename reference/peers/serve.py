"""What the sides in Python share: each does what it reads on stdin; see side.go."""

import sys
import time


def repeat(run, untimed, timed):
    for _ in range(untimed):
        run()
    start = time.perf_counter()
    for _ in range(timed):
        run()
    return (time.perf_counter() - start) / timed * 1000


def serve(version, work, close=lambda: None):
    """Answers each line. version() tells what the side is, work has for each kind of work
    what makes a function of its sizes that does it once, close() is called after that went."""
    run = None
    for line in sys.stdin:
        command, *words = line.split()
        try:
            if command == "version":
                print(version(), flush=True)
            elif command == "open" and words[0] not in work:
                print("no such work here", flush=True)
            elif command == "open":
                run = work[words[0]](*map(int, words[1:]))
                print("ready", flush=True)
            elif command == "run":
                print(f"{repeat(run, *map(int, words)):.4f}", flush=True)
            else:
                run = None
                close()
                print("closed", flush=True)
        except Exception as e:
            print(type(e).__name__, str(e).replace("\n", " "), flush=True)
