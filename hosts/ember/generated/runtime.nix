# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# runtime: emily-runtime in two colours behind one socket, in a slice of their own.
{ pkgs, ... }:
let
  settings = ''
    [service]
    host = "10.30.0.2"
    port = 8470
    language = "en"
    rate = 200.0
    concurrency = 64

    [memory]
    store = "sqlite"

    [pressure]
    release = 0.5
    hold = 10.0
    first = 5.0
    second = 15.0
    third = 30.0
    fourth = 50.0

    [providers]

    [llm]
    order = ["offline"]
    hourly_dollars = 10.0
    daily_dollars = 100.0
    most_tokens = 512
    seconds = 30.0

    [flags.tree-planner]
    share = 5.0
    identities = []
    killed = false
    owner = "colter"
    since = "2026-11-22"
  '';

  # It may do what a program that answers HTTP needs, and nothing else.
  hardening = {
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
    RestrictAddressFamilies = [
      "AF_INET"
      "AF_INET6"
      "AF_UNIX"
    ];
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
  };

  # Both colours' folders belong to their user, and no other way leads to what may stop them.
  deploying = {
    CapabilityBoundingSet = "CAP_DAC_OVERRIDE";
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
  };
in
{
  # What the next deploy of the runtime brings; what runs is pinned below.
  environment.etc."emily/runtime.toml".text = settings;
  environment.etc."emily/runtime".source = "${pkgs.emily-runtime}";

  # The ceiling of both colours together, and of whatever they will start beside themselves.
  systemd.slices.emily-runtime = {
    description = "Cognitive runtime";
    sliceConfig = {
      MemoryHigh = 3221225472;
      MemoryMax = 4294967296;
    };
  };

  # systemd holds the port, so that whoever calls while no colour takes waits and is not refused.
  systemd.sockets.emily-runtime = {
    description = "Cognitive runtime, the port of both colours";
    wantedBy = [ "sockets.target" ];
    listenStreams = [ "10.30.0.2:8470" ];
    socketConfig = {
      Service = "emily-runtime.service";
      # The address may come later than the socket.
      FreeBind = true;
      NoDelay = true;
      # A start that fails is tried again; a port that is given up is not.
      TriggerLimitIntervalSec = 0;
      # Of a socket that is handed over, only this one counts.
      IPAddressDeny = "any";
      IPAddressAllow = [
        "localhost"
        "10.30.0.0/24"
      ];
    };
  };

  # Starts the colour that took last: at boot, after a switch, and for a caller who finds none.
  systemd.services.emily-runtime = {
    description = "Start the active colour of the cognitive runtime";
    wantedBy = [ "multi-user.target" ];
    # In a switch both would start at once, and no socket opens whose service is at work already.
    requires = [ "emily-runtime.socket" ];
    after = [ "emily-runtime.socket" ];
    # Not to stay active: systemd would neither open the socket again nor start a colour for a caller.
    # Nor does each caller start it: while a colour runs, its `Sockets` tells systemd that one takes.
    serviceConfig.Type = "oneshot";
    # With it, a switch would stop the socket of the same name, and so both colours.
    restartIfChanged = false;
    script = ''
      active=
      { read -r active </var/lib/emily-runtime/active; } 2>/dev/null || :
      case $active in
        blue | green) ;;
        *) active=blue ;;
      esac
      exec systemctl start "emily-runtime@$active.service"
    '';
  };

  # A colour goes on with the program and the settings that it was first started with, also when it
  # falls over after an apply; emily-infra runtime deploy lets go of the idle one's.
  systemd.services."emily-runtime-pin@" = {
    description = "Pin the version of the %i runtime";
    restartIfChanged = false;
    serviceConfig = {
      Type = "oneshot";
      StateDirectory = "emily-colours";
    };
    scriptArgs = "%i";
    script = ''
      settings=/var/lib/emily-colours/$1.toml
      root=/nix/var/nix/gcroots/emily/runtime-$1
      # A deploy makes this folder for root alone; the runtime's user has to get through.
      install -d -m 0755 /nix/var/nix/gcroots/emily
      if [ -e "$root" ] && [ -s "$settings" ]; then exit 0; fi
      cp /etc/emily/runtime.toml "$settings.new"
      chmod 0644 "$settings.new"
      sync "$settings.new"
      mv "$settings.new" "$settings"
      ln -sfn "$(readlink -f /etc/emily/runtime)" "$root"
    '';
  };

  # Carries out what emily-infra runtime deploy asks for, whether or not that still listens; one that
  # was killed, or cut off by a reboot, goes on.
  systemd.services.emily-runtime-deploy = {
    description = "Move callers to another version of the cognitive runtime";
    wantedBy = [ "multi-user.target" ];
    after = [ "emily-runtime.service" ];
    unitConfig.ConditionPathExists = "/var/lib/emily-colours/order.json";
    restartIfChanged = false;
    path = [
      pkgs.bash
      pkgs.curl
    ];
    serviceConfig = deploying // {
      ExecStart = "${pkgs.emily-infra}/bin/emily-infra runtime here";
      Type = "exec";
      Restart = "on-failure";
      RestartSec = "1s";
      StateDirectory = "emily-colours";
      ReadWritePaths = [ "-/nix/var/nix/gcroots/emily" ];
      PrivateNetwork = true;
      MemoryMax = "256M";
    };
  };

  systemd.services."emily-runtime@" = {
    description = "Cognitive runtime, %i";
    # A version is taken over by emily-infra runtime deploy, never by an apply.
    restartIfChanged = false;
    # On a new address the port is another one: with it, both begin again.
    partOf = [ "emily-runtime.socket" ];
    requires = [ "emily-runtime-pin@%i.service" ];
    after = [ "emily-runtime-pin@%i.service" ];
    # It never gives up: the steps below keep a broken one from spinning.
    startLimitIntervalSec = 0;
    serviceConfig = hardening // {
      ExecStart = "/nix/var/nix/gcroots/emily/runtime-%i/bin/emily-runtime serve --config /var/lib/emily-colours/%i.toml --colour %i";
      Slice = "emily-runtime.slice";
      Sockets = "emily-runtime.socket";

      # It reports when it is ready, and every few seconds that it still answers itself.
      Type = "notify-reload";
      NotifyAccess = "main";
      TimeoutStartSec = 30;
      TimeoutStopSec = 15;
      WatchdogSec = 10;
      Restart = "always";
      RestartSec = "100ms";
      RestartSteps = 8;
      RestartMaxDelaySec = "1min";

      # Above the first the kernel slows it down and takes pages back, at the second it kills. The
      # service is told before that, and can let go of what it can do without.
      MemoryHigh = 3221225472;
      MemoryMax = 4294967296;
      MemoryPressureWatch = "on";
      # One process out of memory leaves a service in pieces: stop all of it and start again.
      OOMPolicy = "stop";
      TasksMax = 256;

      # One user and one memory for both; a control socket for each.
      DynamicUser = true;
      User = "emily-runtime";
      StateDirectory = "emily-runtime";
      StateDirectoryMode = "0700";
      RuntimeDirectory = "emily-runtime/%i";
      RuntimeDirectoryMode = "0700";
      LoadCredential = [ "token:/run/secrets/runtime-token" ];

      # Its port is handed to it: it has none to open.
      SocketBindDeny = "any";

      # Offline: it answers those who may call it, and can reach nobody else.
      IPAddressDeny = "any";
      IPAddressAllow = [
        "localhost"
        "10.30.0.0/24"
      ];
    };
  };
}
