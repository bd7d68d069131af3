"""Bytes on storage elements, moved by gfal2 in processes of their own, which can be killed.

gfal2's own time limits do not hold (a server that hangs in its TLS handshake keeps a call for
half a minute or more), so a limit that must hold is kept by whoever runs the mover.
"""
