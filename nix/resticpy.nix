# restic from Python. It calls the program `restic`, which the caller brings along.
{
  lib,
  buildPythonPackage,
  fetchPypi,
  pytestCheckHook,
  setuptools,
}:
buildPythonPackage rec {
  pname = "resticpy";
  version = "1.2.2";
  pyproject = true;

  src = fetchPypi {
    inherit pname version;
    hash = "sha256-WLLfuVwjgBoNO8IjDWyXhKYU7O8lWzWcLxpAnRXxWH0=";
  };

  build-system = [ setuptools ];

  # Its tests stand in for restic themselves, so they need neither the program nor a network.
  nativeCheckInputs = [ pytestCheckHook ];
  pythonImportsCheck = [ "restic" ];

  meta = {
    description = "Python wrapper around the restic backup program";
    homepage = "https://github.com/mtlynch/resticpy";
    license = lib.licenses.mit;
  };
}
