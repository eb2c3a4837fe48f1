"""The host's side of a board: ports, sessions, programs, board runs, all in codes and ticks."""
