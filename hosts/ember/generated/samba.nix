# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# Shares over SMB 3.1.1, each only for its people and from its zones.
{ pkgs, ... }:
{
  services.samba = {
    enable = true;
    # It would open its ports on every interface; the network module opens 445 where it is allowed.
    openFirewall = false;
    nmbd.enable = false;
    winbindd.enable = false;
    settings = {
      global = {
        "workgroup" = "WORKGROUP";
        "server string" = "%h";
        "logging" = "systemd";

        # Only SMB 3.1.1, whose handshake cannot be talked down, and every packet signed.
        "server min protocol" = "SMB3_11";
        "server signing" = "mandatory";
        "server smb encrypt" = "desired";
        "map to guest" = "never";
        "restrict anonymous" = 2;

        # NetBIOS is gone, and with it ports 137 to 139.
        "disable netbios" = "yes";
        "smb ports" = 445;

        # Only where a share is offered.
        "interfaces" = [
          "lo"
          "vlan20"
          "10.0.0.2/24"
        ];
        "bind interfaces only" = "yes";
        "hosts allow" = [
          "127.0.0.1"
          "::1"
          "10.20.0.0/24"
          "10.0.0.0/24"
        ];
        "hosts deny" = "ALL";

        # A second connection helps where there is a second line of the same speed. One line carries
        # about 112 MB/s here, over any number of connections, and a tunnel a little less.
        "server multi channel support" = "no";

        # No printers, and no shares beside those of host.yaml.
        "load printers" = "no";
        "printing" = "bsd";
        "printcap name" = "/dev/null";
        "disable spoolss" = "yes";
        "usershare max shares" = 0;
      };

      "workspace" = {
        path = "/srv/code";
        "valid users" = [ "colter" ];
        "read only" = "no";
        "inherit permissions" = "yes";
        "hosts allow" = [
          "127.0.0.1"
          "::1"
          "10.20.0.0/24"
          "10.0.0.0/24"
        ];
        "vfs objects" = "shadow_copy2";
        "shadow:snapdir" = ".zfs/snapshot";
        "shadow:format" = "emily-%Y%m%dT%H%M%SZ";
        "shadow:localtime" = "no";
        "shadow:sort" = "desc";
      };
    };
  };

  # Samba keeps passwords in a database of its own. Restart this unit when one was rotated.
  systemd.services.emily-samba-users = {
    description = "Give Samba its users and their passwords";
    wantedBy = [ "samba.target" ];
    before = [ "samba-smbd.service" ];
    partOf = [ "samba.target" ];
    path = [ pkgs.samba ];
    unitConfig.RequiresMountsFor = [ "/var/lib/samba" ];
    script = ''
      # Passwords go through standard input: arguments can be read by everyone on the host.
      set_password() {
        password=$(cat "$CREDENTIALS_DIRECTORY/smb-$1")
        if [ -z "$password" ]; then
          echo "<3>the SMB password of $1 is empty"
          return 1
        fi
        printf '%s\n%s\n' "$password" "$password" | smbpasswd -s -a "$1"
      }

      failed=0
      for user in colter; do
        set_password "$user" || failed=1
      done

      # Who is no longer in host.yaml has no password any more.
      pdbedit -L | while IFS=: read -r user _; do
        case " colter " in
          *" $user "*) ;;
          *) pdbedit -x -u "$user" ;;
        esac
      done
      exit $failed
    '';
    serviceConfig = {
      CapabilityBoundingSet = "";
      LockPersonality = true;
      MemoryDenyWriteExecute = true;
      NoNewPrivileges = true;
      PrivateMounts = true;
      PrivateTmp = true;
      ProtectClock = true;
      ProtectControlGroups = true;
      ProtectHome = true;
      ProtectHostname = true;
      ProtectKernelLogs = true;
      ProtectKernelModules = true;
      ProtectKernelTunables = true;
      ProtectProc = "invisible";
      ProtectSystem = "strict";
      RemoveIPC = true;
      RestrictAddressFamilies = [ "AF_UNIX" ];
      RestrictNamespaces = true;
      RestrictRealtime = true;
      RestrictSUIDSGID = true;
      SystemCallArchitectures = "native";
      SystemCallErrorNumber = "EPERM";
      SystemCallFilter = [
        "@system-service"
        "~@privileged @resources"
      ];
      UMask = "0077";
      PrivateDevices = true;
      PrivateNetwork = true;
      ReadWritePaths = [
        "/var/lib/samba"
        "/var/cache/samba"
        "-/run/lock/samba"
        "-/run/samba"
      ];
    }
    // {
      Type = "oneshot";
      RemainAfterExit = true;
      TimeoutStartSec = "1min";
      LoadCredential = [ "smb-colter:/run/secrets/smb-colter" ];
    };
  };

  systemd.services.samba-smbd = {
    # It binds once, at its start, to the addresses that are there by then. Wanted and not required:
    # a cable that is out must not take the shares from everyone else.
    after = [
      "systemd-networkd-wait-online@vlan20.service"
      "systemd-networkd-wait-online@wg0.service"
    ];
    wants = [
      "systemd-networkd-wait-online@vlan20.service"
      "systemd-networkd-wait-online@wg0.service"
    ];
    # Without its dataset a share would be an empty folder, and take files that vanish under it.
    unitConfig.RequiresMountsFor = [ "/srv/code" ];
  };
}
