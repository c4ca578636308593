"""Many photos at once: a plan made before work starts, a ledger of what is done, bounded workers.

options   what can be asked of a picture: one frozen dataclass for the command line, ledger and sidecar
plan      inputs -> jobs, in a fixed order, with collisions found before any work
coloring  one job: read, color, write, and say how it went
pool      worker processes that outlive the files that kill them
ledger    SQLite: which output was made from which bytes with which model and options
runner    plan + ledger + pool -> results
verify    is every planned output there, whole and from the input that is there now?
"""
