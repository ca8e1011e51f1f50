"""What the runtime is held to: ratios of two things measured in turn within one run."""
