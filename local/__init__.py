"""Runs the provider without AWS: MiniStack, SAM, a response host and the demo."""
