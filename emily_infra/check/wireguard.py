"""Rules about wireguard."""
