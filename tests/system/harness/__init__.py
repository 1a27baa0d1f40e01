"""What the system tests and the end-to-end benchmark share. Standard library only, plus the libsodium
that the daemon itself needs at run time, through ctypes.

The formats here are written from docs/protocol/, not from the C++ sources: a second, independent
implementation of what members sign.
"""
