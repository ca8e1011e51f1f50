"""What runs inside the lab's machine: plain Python, standard library only, no word of ours.

These files travel in every toplevel. They act on the machine they stand on, which is why they start
processes themselves.
"""
