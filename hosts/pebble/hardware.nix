# pebble's hardware: what a person knows and host.yaml does not say. Nothing renders this file.
{
  nixpkgs.hostPlatform = "x86_64-linux";

  hardware.enableRedistributableFirmware = true;
  hardware.cpu.intel.updateMicrocode = true;
  boot.initrd.availableKernelModules = [
    "ahci"
    "nvme"
    "sd_mod"
    "usb_storage"
    "usbhid"
    "xhci_pci"
  ];

  # The system lies on a small SSD that host.yaml leaves to us: it describes the disks of `tank`
  # only. The labels are given once, at install: mkfs.ext4 -L nixos, mkfs.vfat -n BOOT.
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/BOOT";
    fsType = "vfat";
    # vfat has no owners: without this anyone on the host could read the initrds and the boot seed.
    options = [
      "fmask=0077"
      "dmask=0077"
    ];
  };
}
