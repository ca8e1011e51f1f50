# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# runtime: emily-runtime under systemd, in a slice of its own.
{ pkgs, ... }:
let
  settings = ''
    [service]
    host = "10.30.0.2"
    port = 8470
    language = "en"

    [providers]
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
in
{
  environment.etc."emily/runtime.toml".text = settings;

  # The ceiling of the service and of whatever it will start beside itself.
  systemd.slices.emily-runtime = {
    description = "Cognitive runtime";
    sliceConfig = {
      MemoryHigh = 3221225472;
      MemoryMax = 4294967296;
    };
  };

  systemd.services.emily-runtime = {
    description = "Cognitive runtime";
    wantedBy = [ "multi-user.target" ];
    wants = [ "network-online.target" ];
    after = [ "network-online.target" ];
    restartTriggers = [ settings ];
    # It never gives up: the steps below keep a broken one from spinning.
    startLimitIntervalSec = 0;
    serviceConfig = hardening // {
      ExecStart = "${pkgs.emily-runtime}/bin/emily-runtime serve --config /etc/emily/runtime.toml";
      Slice = "emily-runtime.slice";

      # It reports when it is ready, and every few seconds that it still answers itself.
      Type = "notify";
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

      DynamicUser = true;
      StateDirectory = "emily-runtime";
      StateDirectoryMode = "0700";
      LoadCredential = [ "token:/run/secrets/runtime-token" ];

      # Offline: it answers those who may call it, and can reach nobody else.
      IPAddressDeny = "any";
      IPAddressAllow = [
        "localhost"
        "10.30.0.0/24"
      ];
    };
  };
}
