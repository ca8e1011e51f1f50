"""The way in: HTTP, WebSocket, the operator's page, and a life under systemd."""
