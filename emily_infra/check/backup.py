"""Rules about backup."""
