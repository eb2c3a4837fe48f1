"""The meaning of the bytes: messages, frames, link. It uses no port and no clock."""
