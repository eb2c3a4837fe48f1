"""What the bytes mean: messages, frames, link. It touches no port and has no clock."""
