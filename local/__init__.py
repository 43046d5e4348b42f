"""What lets everything run without AWS: MiniStack, SAM, the response host and the demo."""
