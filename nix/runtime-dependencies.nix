# What emily_runtime imports; its own pyproject.toml says which versions will do.
python3Packages: [
  python3Packages.httptools
  python3Packages.httpx2
  python3Packages.msgspec
  python3Packages.numpy
  python3Packages.prometheus-client
  python3Packages.psycopg
  python3Packages.starlette
  python3Packages.uvicorn
  python3Packages.uvloop
  python3Packages.websockets
]
