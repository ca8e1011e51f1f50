"""`networking.nftables`: one ruleset, loaded in one go that first removes its own tables."""

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.tree import package, token

RULES = "nftables-rules"
_DELETIONS = "nftables-deletions"
_SAVED = "/var/lib/nftables/deletions.nft"


def lower(config: Config) -> Values:
    """The service that holds the ruleset; a changed one is reloaded, never stopped in between."""
    if not config.flag("networking", "nftables", "enable"):
        return {}
    nft, cp, touch, rm = (
        f"{package('nftables')}/bin/nft",
        *(f"{package('coreutils')}/bin/{name}" for name in ("cp", "touch", "rm")),
    )
    load, save = f"{nft} -f {token(RULES)}", f"{cp} {token(_DELETIONS)} {_SAVED}"
    return {
        "lab": {"texts": _texts(config)},
        "systemd": {
            "services": {
                "nftables": {
                    "description": "nftables firewall",
                    "after": ["sysinit.target"],
                    "before": ["network-pre.target", "shutdown.target"],
                    "conflicts": ["shutdown.target"],
                    "wants": ["network-pre.target", "sysinit.target"],
                    "wantedBy": ["multi-user.target"],
                    "reloadIfChanged": True,
                    "unitConfig": {"DefaultDependencies": False},
                    "serviceConfig": {
                        "Type": "oneshot",
                        "RemainAfterExit": True,
                        "StateDirectory": "nftables",
                        "ExecStart": [f"{touch} {_SAVED}", load],
                        "ExecStartPost": save,
                        "ExecReload": [f"{touch} {_SAVED}", load, save],
                        "ExecStop": [f"{nft} -f {_SAVED}", f"{rm} {_SAVED}"],
                    },
                }
            }
        },
    }


def _texts(config: Config) -> Values:
    tables = [
        (options.text("family"), name, options.text("content"))
        for name, options in config.named("networking", "nftables", "tables")
        if options.flag("enable", default=True)
    ]
    deletions = "".join(
        f"table {family} {name}\ndelete table {family} {name}\n" for family, name, _ in tables
    )
    rules = "".join(
        f"table {family} {name} {{\n{content}\n}}\n" for family, name, content in tables
    )
    includes = f'include "{_SAVED}"\ninclude "{token(_DELETIONS)}"\n'
    return {RULES: includes + rules, _DELETIONS: deletions}
