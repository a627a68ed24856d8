"""The record of a run as a file: one JSON value a line, readable by any tool.

A header, then match after match: a start line, one line for every step (and before it the text of every prompt
that the file does not hold yet), an end line:

    {"format": "understudy-trajectory", "version": 1, "environment": "understudy/prisoners_dilemma-v0", ...}
    {"match": 0, "seed": 2754037543}
    {"prompt": "b1946ac92492d234", "text": "You lead a firm ..."}
    {"step": 0, "moves": [{"player": "player_0", "observation": [0.0, 0.0], "decision": {...}, "reward": 3.0, ...}, ...]}
    {"end": 0, "reason": "terminated", "detail": "...", "rounds": 1, "totals": {...}, "unreadable": {...}, "sha256": "..."}

Keys whose value would be null are left out. ``sha256`` is that of every byte of the file up to the comma before it,
so no edit, lost line or exchanged match goes unnoticed. Matches are appended whole: of a run that was killed, what
stands behind the last end line is cut when the run goes on.
"""
