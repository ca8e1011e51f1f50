# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# Tunnels to other sites.
{ ... }:
{
  # networkd reads the keys as credentials, so that files of root's will do, and adds a route for
  # all that a peer may send.
  networking.wireguard.useNetworkd = true;
  networking.wireguard.interfaces = {
    wg0 = {
      ips = [ "10.0.0.2/24" ];
      listenPort = 51820;
      privateKeyFile = "/run/secrets/wg0";
      mtu = 1420;
      dynamicEndpointRefreshSeconds = 300;
      peers = [
        {
          name = "minnesota";
          publicKey = "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=";
          allowedIPs = [ "10.0.0.0/24" ];
          endpoint = "minnesota.example.org:51820";
          persistentKeepalive = 25;
          presharedKeyFile = "/run/secrets/wg0-minnesota";
        }
      ];
    };
  };

  # A tunnel has its address without a line: it must not count as the network being up.
  systemd.network.networks."40-wg0".linkConfig.RequiredForOnline = false;

  # A key file that is not there would keep networkd, and so the whole host, off the network. With
  # something in its place networkd starts, and only the tunnel stays down.
  systemd.services.systemd-networkd.serviceConfig.SetCredential = [
    "wireguard-wg0-private-key:missing"
    "wireguard-wg0-minnesota-preshared-key:missing"
  ];
}
