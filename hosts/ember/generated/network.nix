# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# Network cards, VLANs, addresses, TCP tuning and the firewall between zones.
{ ... }:
{
  # systemd-networkd alone; a second manager would take its addresses away.
  networking.useNetworkd = true;
  networking.useDHCP = false;
  networking.nameservers = [ "10.10.0.1" ];

  # Boot goes on as soon as one network works: a dead switch port must not keep SSH down.
  systemd.network.wait-online.anyInterface = true;

  # A card is known by its burnt-in address and named once, early in the boot: the kernel's
  # own names move when a card is added. A running card keeps its old name until the next boot.
  systemd.network.links."10-lan" = {
    matchConfig.PermanentMACAddress = "a0:36:9f:00:00:01";
    linkConfig.Name = "lan";
  };

  systemd.network.netdevs."20-vlan10" = {
    netdevConfig = {
      Kind = "vlan";
      Name = "vlan10";
    };
    vlanConfig.Id = 10;
  };

  systemd.network.netdevs."20-vlan20" = {
    netdevConfig = {
      Kind = "vlan";
      Name = "vlan20";
    };
    vlanConfig.Id = 20;
  };

  systemd.network.netdevs."20-vlan30" = {
    netdevConfig = {
      Kind = "vlan";
      Name = "vlan30";
    };
    vlanConfig.Id = 30;
  };

  # Only tagged packets: without an address of its own, nobody can talk to it untagged.
  systemd.network.networks."10-lan" = {
    matchConfig.Name = "lan";
    vlan = [
      "vlan10"
      "vlan20"
      "vlan30"
    ];
    networkConfig = {
      LinkLocalAddressing = "no";
      IPv6AcceptRA = false;
      LLMNR = false;
    };
    linkConfig = {
      MTUBytes = "1500";
      RequiredForOnline = false;
    };
  };

  # Zone "management".
  systemd.network.networks."20-vlan10" = {
    matchConfig.Name = "vlan10";
    address = [ "10.10.0.2/24" ];
    gateway = [ "10.10.0.1" ];
    networkConfig = {
      LinkLocalAddressing = "no";
      IPv6AcceptRA = false;
      LLMNR = false;
      DHCP = "no";
      ConfigureWithoutCarrier = true;
    };
    linkConfig = {
      MTUBytes = "1500";
      RequiredForOnline = true;
    };
  };

  # Zone "data".
  systemd.network.networks."20-vlan20" = {
    matchConfig.Name = "vlan20";
    address = [ "10.20.0.2/24" ];
    networkConfig = {
      LinkLocalAddressing = "no";
      IPv6AcceptRA = false;
      LLMNR = false;
      DHCP = "no";
      ConfigureWithoutCarrier = true;
    };
    linkConfig = {
      MTUBytes = "1500";
      RequiredForOnline = true;
    };
  };

  # Zone "ai".
  systemd.network.networks."20-vlan30" = {
    matchConfig.Name = "vlan30";
    address = [ "10.30.0.2/24" ];
    networkConfig = {
      LinkLocalAddressing = "no";
      IPv6AcceptRA = false;
      LLMNR = false;
      DHCP = "no";
      ConfigureWithoutCarrier = true;
    };
    linkConfig = {
      MTUBytes = "1500";
      RequiredForOnline = true;
    };
  };

  # One ruleset for input and forward. The firewall module of NixOS opens ports by interface but
  # cannot say that an address belongs to one; two rulesets would only hide each other's drops.
  networking.firewall.enable = false;
  networking.nftables.enable = true;
  networking.nftables.tables.emily = {
    family = "inet";
    content = ''
      counter spoofed_source { }
      counter spoofed_destination { }
      counter redirects { }
      counter invalid { }
      counter unsolicited { }
      counter denied_input { }
      counter denied_forward { }

      # Arrived on an interface that its source is not reached by.
      chain drop_spoofed_source {
        limit rate 6/minute burst 12 packets log prefix "emily spoofed source: " level info
        counter name spoofed_source drop
      }

      # Wanted an address of the host that belongs to another interface.
      chain drop_spoofed_destination {
        limit rate 6/minute burst 12 packets log prefix "emily spoofed destination: " level info
        counter name spoofed_destination drop
      }

      # Told the host to use another router.
      chain drop_redirects {
        counter name redirects drop
      }

      # Belonged to no connection that can exist.
      chain drop_invalid {
        counter name invalid drop
      }

      # Was sent to everybody and is of no use here.
      chain drop_unsolicited {
        counter name unsolicited drop
      }

      # No line of allow lets it reach the host.
      chain drop_denied_input {
        limit rate 6/minute burst 12 packets log prefix "emily denied input: " level info
        counter name denied_input drop
      }

      # No line of allow lets it pass between zones.
      chain drop_denied_forward {
        limit rate 6/minute burst 12 packets log prefix "emily denied forward: " level info
        counter name denied_forward drop
      }

      # A source must be reached by the interface that it came in on; before anything is tracked.
      chain spoofing {
        type filter hook prerouting priority raw; policy accept;
        iifname "lo" accept
        # Of one link, so they cannot claim another zone; neighbour discovery needs them.
        ip6 saddr { ::, fe80::/10 } accept
        fib saddr . iif oif missing goto drop_spoofed_source
      }

      # What is addressed to the host.
      chain input {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        # Linux answers for each of its addresses on every interface; a zone must not be left
        # by asking for the host's address in another one.
        fib daddr . iif type != { local, broadcast, multicast } goto drop_spoofed_destination
        # Here already, because a redirect about a known connection counts as related to it.
        icmp type redirect goto drop_redirects
        icmpv6 type nd-redirect goto drop_redirects
        ct state vmap { established : accept, related : accept, invalid : goto drop_invalid }
        meta l4proto { icmp, icmpv6 } jump control_messages
        iifname vmap {
          "vlan30" : jump from_ai_to_host,
          "vlan20" : jump from_data_to_host,
          "vlan10" : jump from_management_to_host,
          "wg0" : jump from_minnesota_to_host,
        }
        meta pkttype { broadcast, multicast } goto drop_unsolicited
        goto drop_denied_input
      }

      # What IP itself needs, from every zone; a ping is answered, a flood of them is not.
      chain control_messages {
        icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
        icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } accept
        icmpv6 type parameter-problem accept
        # A hop limit of 255 proves that no router passed it on.
        ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        ip6 saddr fe80::/10 icmpv6 type { mld-listener-query, mld-listener-report } accept
        icmp type echo-request limit rate 20/second burst 40 packets accept
        icmpv6 type echo-request limit rate 20/second burst 40 packets accept
      }

      # From zone ai (vlan30) to the host.
      chain from_ai_to_host {
        tcp dport { 8470 } accept
      }

      # From zone data (vlan20) to the host.
      chain from_data_to_host {
        tcp dport { 445 } accept
      }

      # From zone management (vlan10) to the host.
      chain from_management_to_host {
        tcp dport { 22, 3000 } accept
        # WireGuard, from outside.
        udp dport { 51820 } accept
      }

      # From zone minnesota (wg0) to the host.
      chain from_minnesota_to_host {
        tcp dport { 22, 445 } accept
      }

      # What passes between zones, if anything may.
      chain forward {
        type filter hook forward priority filter; policy drop;
        ct state vmap { established : accept, related : accept, invalid : goto drop_invalid }
        iifname . oifname vmap {
          "vlan10" . "vlan30" : jump from_management_to_ai,
        }
        goto drop_denied_forward
      }

      # From zone management to zone ai.
      chain from_management_to_ai {
        tcp dport { 443 } accept
      }

      # What the host itself sends.
      chain output {
        type filter hook output priority filter; policy accept;
      }
    '';
  };

  boot.kernelModules = [ "tcp_bbr" ];
  boot.kernel.sysctl = {
    # bbr (version 1) ignores stray loss, and ECN marks as well. The queue applies to a link when
    # it next comes up.
    "net.ipv4.tcp_congestion_control" = "bbr";
    "net.core.default_qdisc" = "fq";

    # 0 never, 1 asks on every connection, 2 answers whoever asks.
    "net.ipv4.tcp_ecn" = 2;

    # Finds the packet size of a path where a firewall eats the messages that would tell it.
    "net.ipv4.tcp_mtu_probing" = 1;

    # TCP grows a buffer up to the third number by itself. rmem_max and wmem_max only bound what a
    # program asks for by hand; alone they change nothing for TCP.
    "net.ipv4.tcp_rmem" = "4096 131072 16777216";
    "net.ipv4.tcp_wmem" = "4096 16384 16777216";
    "net.core.rmem_max" = 16777216;
    "net.core.wmem_max" = 16777216;

    # Ask and answer for an address only on the interface that has it, as the firewall does.
    "net.ipv4.conf.all.arp_ignore" = 1;
    "net.ipv4.conf.all.arp_announce" = 2;

    # A router, because allow has a line from zone to zone.
    "net.ipv4.conf.all.forwarding" = true;
  };
}
