# ember's hardware: what a person knows and host.yaml does not say. Nothing renders this file.
# Every file system, swap and the ESP come from host.yaml, through generated/storage.nix.
{
  nixpkgs.hostPlatform = "x86_64-linux";

  # Two Xeon E5 v4; the fourteen disks hang on a SAS controller (mpt3sas), rpool on two NVMe.
  hardware.enableRedistributableFirmware = true;
  hardware.cpu.intel.updateMicrocode = true;
  boot.initrd.availableKernelModules = [
    "ahci"
    "ehci_pci"
    "mpt3sas"
    "nvme"
    "sd_mod"
    "usb_storage"
    "usbhid"
    "xhci_pci"
  ];

  # The Tesla P4 is left out: nothing here uses it, and its driver (580, the last for Pascal) is
  # unfree, which would have to be allowed for the whole host.
}
