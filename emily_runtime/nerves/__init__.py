"""The nervous system: time, messages, who hears whom, who is restarted, and how memory is saved."""
