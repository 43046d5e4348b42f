"""What lets everything run without AWS: the simulators, MiniStack, SAM and the demo."""
