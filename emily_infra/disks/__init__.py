"""A disk as host.yaml means it and as it is found: pure; may it be written on, may it go?"""
