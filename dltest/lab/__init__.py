"""A whole real data lake on one machine, and ways to break it.

`control` is the face: `up`, `status`, `down`, `break_`, `heal`. `up` prepares what needs the
user's own rights (folders, Rucio's virtual environment), then leaves everything else to a
detached `supervisor` without privileges. The supervisor brings the parts of `parts` up in the
order of their dependencies, restarts what dies, and reconciles what is running with what
`wish.json` asks for (service wanted, faults injected). It tells what it sees in `state.json`.
All of it lives below one folder, described by `layout`.
"""
