"""The one family of errors that a person may meet."""

from typing import ClassVar

from emily_infra.findings import Explanation, Severity


class EmilyError(Exception):
    """A failure with a code to search for, a message that says what happened, and the next move."""

    code: ClassVar[str]

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "CLI001", "There is no such host here",
        "A host is a folder of hosts/ with a host.yaml in it. Commands look for hosts/ in the "
        "current folder and in those above it.",
        "emily-infra check peble", "emily-infra check pebble",
    ),
    _story(
        "CLI002", "No finding has this code",
        "A code is two or three letters and three digits, as check prints it behind the severity.",
        "emily-infra explain STO", "emily-infra explain STO004",
    ),
    _story(
        "CLI003", "A new host cannot begin here",
        "init never overwrites: the folder exists already, the name is no host name, or the disk "
        "refuses to be written.",
        "emily-infra init My_Box", "emily-infra init my-box",
    ),
    _story(
        "CAP001", "A layout cannot be made of a pool's disks",
        "capacity --compare takes the disks of the data vdevs in their order, then the spares. "
        "raidz2x7x2 is two raidz2 vdevs of seven disks; mirror, mirror3 and stripe take all disks; "
        "draid2:5d:14c:1s is as zpool writes it. What is left over becomes a spare.",
        "emily-infra capacity ember --compare raidz2x14x7",
        "emily-infra capacity ember --compare raidz2x7x2,raidz3x14x1,mirror",
    ),
    _story(
        "CAP002", "It is not clear which pool is meant",
        "There is none of that name, or the layouts to compare could be made of several pools.",
        "emily-infra capacity ember --compare mirror",
        "emily-infra capacity ember --pool ember --compare mirror",
    ),
    _story(
        "RND001", "What was rendered cannot be written",
        "generated/ is replaced as a whole or not at all: what stood there before is unchanged. "
        "The disk is full, the folder is not yours, or a file has its name.",
        "touch hosts/pebble/generated; emily-infra render pebble", "emily-infra render pebble",
    ),
    _story(
        "OBS001", "A machine's answer did not arrive whole",
        "status, plan, apply and drift ask a machine everything in one command, and the answer has "
        "a beginning, an end and a checksum. It was cut, or something printed into the middle of "
        "it: a login script that talks, a line that breaks. Nothing was changed on the machine.",
        "echo welcome >> /root/.bashrc.d/late", "emily-infra status HOST    # once more",
    ),
    _story(
        "OBS002", "A machine lacks the programs that a look at it takes",
        "The probe is POSIX sh with tar, base64, find, timeout and mktemp, which every NixOS and "
        "Debian has, and it needs a few kilobytes in /run, /dev/shm or /tmp. Without them PATH is "
        "empty, or the system's files are gone: look at the machine by hand.",
        "rm /run/current-system", "ls -l /run/current-system /nix/var/nix/profiles/system",
    ),
    _story(
        "OBS003", "The host has no record of such a deploy",
        "Every deploy leaves a record in /var/lib/emily/deploys on the host. history takes the "
        "beginning of one ID, as long as only one record begins so.",
        "emily-infra history ember 2026", "emily-infra history ember 20261121T110203Z-4f2a9c",
    ),
    _story(
        "MAC001", "A command failed on a machine",
        "It ran and ended with another status than 0, or with none: then a signal ended it, or "
        "the server did. The message holds its last lines, the hint the command to try by hand.",
        "ssh root@ember zpool status tnak", "ssh root@ember zpool status tank",
    ),
    _story(
        "MAC002", "A machine cannot be reached",
        "No connection came about, or it broke: no route, nothing listens on the port, the host "
        "went down, or no byte came for 15 seconds though three signs of life were asked for. "
        "Where a command was under way, it may or may not have run: look before you repeat it. "
        "Addresses, jumps and proxies are those of `ssh -G ADDRESS`, which reads ~/.ssh/config.",
        "Host ember\n  Port 2022    # but its sshd listens on 22", "Host ember\n  Port 22",
    ),
    _story(
        "MAC003", "A machine took too long",
        "Every wait has an end. On this machine the command was killed with all its children; on "
        "another one it may still be running, and the connection stays as it is.",
        "emily-infra status ember    # while its pool hangs", "ssh root@ember ps faux",
    ),
    _story(
        "MAC004", "Nobody has accepted the key of this host yet",
        "Without it, any machine on the way could pose as the host and be handed a root shell's "
        "work. So it is never accepted unseen, whatever StrictHostKeyChecking says. Compare the "
        "fingerprint with the one that the host's console prints, then append the line of the "
        "hint to known_hosts. Certificates (@cert-authority) are not read: add the key itself.",
        "ssh-keyscan ember >> ~/.ssh/known_hosts    # unseen",
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub    # on the console; compare",
    ),
    _story(
        "MAC005", "A host shows another key than the known one",
        "It was installed anew, its address went to another machine, or somebody answers in its "
        "place; a key marked @revoked counts as such. Nothing was sent. Compare on the console "
        "before you take the old key out with ssh-keygen -R.",
        "ssh-keygen -R ember    # without a look at the console",
        "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub    # first, on the console",
    ),
    _story(
        "MAC006", "A machine takes none of the keys",
        "Keys come from the agent and from the identity files of ssh's configuration, never from "
        "a password. Files that are encrypted and not in the agent, or open to others, are left "
        "out, and the message names them. The host takes the keys of system.admins.NAME.keys.",
        "chmod 644 ~/.ssh/id_ed25519", "chmod 600 ~/.ssh/id_ed25519; ssh-add ~/.ssh/id_ed25519",
    ),
    _story(
        "MAC007", "sudo does not let the deploy user be root",
        "Whoever logs in without being root becomes it by `sudo -n`, which never asks. What runs "
        "are shell programs on standard input, and Nix profiles are switched: a list of permitted "
        "commands would have `sh` in it and hold nobody back. So the narrow rule is the one that "
        "names this one user; guard that user's key as you would guard root's. NixOS has the rule "
        "once a deploy.user other than root was applied.",
        "deploy ALL=(root) ALL", "deploy ALL=(root) NOPASSWD: ALL",
    ),
    _story(
        "MAC008", "A path cannot be passed on to Nix",
        "`nix copy` takes ssh's options from NIX_SSHOPTS, which old versions split at every blank "
        "and new ones as a shell would. A path with blanks, quotes or backslashes means one thing "
        "here and another there.",
        "IdentityFile of the target: /home/ann/my keys/id", "/home/ann/.ssh/id",
    ),
    _story(
        "MAC009", "The Nix of a machine does not trust the deploy user",
        "What was built here has no signature that the host knows. root may import it all the "
        "same, another user only as one of trusted-users, which makes that user as good as root. "
        "NixOS has it once a deploy.user other than root was applied; the first time, add it by "
        "hand or deploy as root.",
        "nix.settings.trusted-users = [ \"root\" ];",
        "nix.settings.trusted-users = [ \"root\" \"deploy\" ];",
    ),
    _story(
        "PLN001", "A file is no plan",
        "`plan --out FILE` writes a plan with a digest of all that it shows. This is something "
        "else, was cut, or was edited after it was made; what it says can then not be trusted.",
        "emily-infra apply ember --plan notes.json",
        "emily-infra plan ember --out ember.plan; emily-infra apply ember --plan ember.plan",
    ),
    _story(
        "PLN002", "A plan is of a newer format",
        "The file was written by an emily-infra that knows more than this one: a part of it might "
        "be overlooked here.",
        "emily-infra apply ember --plan ember.plan    # on the older machine",
        "nix develop --command emily-infra apply ember --plan ember.plan",
    ),
    _story(
        "PLN003", "A plan is for another host",
        "A plan names the host, and the machine by its machine-id. It is good for no other one.",
        "emily-infra apply pebble --plan ember.plan", "emily-infra apply ember --plan ember.plan",
    ),
    _story(
        "PLN004", "generated/ is not what host.yaml comes to",
        "Nix builds the rendered files, not host.yaml. If they are old, a plan would show what you "
        "wrote and apply would bring what you wrote before. Render, look at git diff, plan again.",
        "vi hosts/ember/host.yaml; emily-infra plan ember",
        "vi hosts/ember/host.yaml; emily-infra render ember; emily-infra plan ember",
    ),
    _story(
        "APL030", "No host has this tag",
        "A tag groups hosts for apply and stands in their host.yaml, under deploy.tags. A tag that "
        "no host has is refused, because an apply to nobody looks like one that went well.",
        "emily-infra apply --tag storge", "emily-infra apply --tag storage",
    ),
    _story(
        "APL031", "The size of a batch is neither a count nor a share",
        "How many hosts are tried first, and how many go together afterwards, is a number of hosts "
        "or a share of all of them in percent. A share is rounded up, so that it is never nobody.",
        "emily-infra apply --all --canary some", "emily-infra apply --all --canary 5%",
    ),
    _story(
        "LAB001", "It is not known where the lab's packages come from",
        "The lab's machine is a Debian 13 made from the mirror that apt on this machine is set up "
        "with, and apt's own proxy. Signatures are always checked, with the keys of the package "
        "debian-archive-keyring; an old one is replaced by the newest that apt here vouches for.",
        "emily-infra lab up ember    # on a machine without Debian's apt",
        "emily-infra lab up ember --mirror http://deb.debian.org/debian",
    ),
    _story(
        "LAB002", "The image of the lab could not be built",
        "Building takes the programs mmdebstrap, resize2fs and pip3, the mirror of Debian and the "
        "index of Python packages, and a few minutes. What a build left half-done is thrown away: "
        "the next one begins anew.",
        "emily-infra lab up ember    # while the network is down",
        "apt-get install mmdebstrap e2fsprogs python3-pip qemu-system-x86 qemu-utils; "
        "emily-infra lab up ember",
    ),
    _story(
        "LAB003", "There is no room for a lab",
        "The image takes 1 GB and 6 GB while it is built; each lab some hundred MB for what is "
        "written, however large the host's disks are. Its machine takes 2 GiB of memory.",
        "emily-infra lab up ember --memory 65536", "emily-infra lab up ember --memory 1024",
    ),
    _story(
        "LAB004", "A lab has to be up for this",
        "There is none of this name, or its machine is off. Disks of a machine that is off are "
        "kept until reset.",
        "emily-infra lab ssh ember    # before up", "emily-infra lab up ember",
    ),
    _story(
        "LAB005", "The machine of a lab does not answer",
        "It was started, and SSH got no answer in the time that a slow processor may take. From "
        "the operator's side that is also what a firewall or a network does that locks everybody "
        "out: the console goes another way. The message ends with the machine's last words.",
        "emily-infra lab ssh ember", "emily-infra lab ssh ember --console",
    ),
    _story(
        "LAB006", "A lab needs programs that are not here",
        "The machine runs under QEMU on yours, and its generations are built by your Nix. On "
        "Debian the hint has everything that is missing; elsewhere the packages have other names.",
        "emily-infra lab up ember    # on a fresh installation",
        "apt-get install qemu-system-x86 qemu-utils mmdebstrap e2fsprogs python3-pip nix-bin "
        "openssh-client",
    ),
    _story(
        "LAB007", "What a lab wrote down of itself cannot be read",
        "Another version of emily-infra made it, or the disk was full when it was written. A lab "
        "holds nothing that cannot be made anew, except what you did on it by hand.",
        "emily-infra lab status ember    # after an update", "emily-infra lab reset ember",
    ),
    _story(
        "APL001", "A deploy did not begin",
        "Something was missing before anything was changed: the lock, a storage step that failed, "
        "a host's answer. The host runs what it ran. Steps that were done may be done again.",
        "emily-infra apply ember    # the host's disk is full, its record cannot be written",
        "emily-infra status ember && emily-infra apply ember",
    ),
    _story(
        "APL002", "Somebody else is at work on the host",
        "One deploy at a time: the host's unit emily-deploy.service is the lock, from before the "
        "copy to the verdict. If its operator is gone, the host decides by itself within its "
        "deadlines, and the lock is free again.",
        "emily-infra apply ember    # while a colleague does the same",
        "emily-infra history ember",
    ),
    _story(
        "APL003", "The host is not what the plan was made for",
        "A plan holds for one machine, one boot, one generation and one running system. Something "
        "of it has moved: a reboot, a nixos-rebuild, another deploy. Look at what is planned now.",
        "emily-infra apply ember --plan yesterday.json",
        "emily-infra plan ember --out today.json",
    ),
    _story(
        "APL004", "A host was out of reach before anything was changed",
        "No connection, or it broke during the copy or the look at its health. The host runs what "
        "it ran; should it hold the lock, it lets go of it within a minute or two.",
        "emily-infra apply ember    # the tunnel is down",
        "ssh HOST true && emily-infra apply ember",
    ),
    _story(
        "APL005", "This very system went back on this host before",
        "A host that put itself back from a system would do so again, unless the reason lay "
        "outside of it. history tells the reason. Change something, or insist.",
        "emily-infra apply ember", "emily-infra apply ember --again",
    ),
    _story(
        "APL006", "Nix cannot build a host's system",
        "The last lines are Nix's own. Nothing was copied or changed anywhere.",
        "hardware.nix: boot.loader.nosuch.enable = true;", "nix log /nix/store/....drv",
    ),
    _story(
        "APL007", "A change needs a yes, and there is nobody to ask",
        "apply shows its plan and wants the word yes typed. Without a terminal, as in a timer or a "
        "pipeline, it wants a plan that a person has read, or --yes.",
        "emily-infra apply ember < /dev/null",
        "emily-infra plan ember --out plan.json; emily-infra apply ember --plan plan.json",
    ),
    _story(
        "APL008", "A plan holds something that apply never does by itself",
        "It would need a reboot that host.yaml does not allow, meets the wrong machine, or too "
        "little space. What can be overruled names the option for it.",
        "emily-infra apply ember", "emily-infra apply ember --reboot",
    ),
    _story(
        "APL009", "Afterwards nobody would know the key of the host",
        "With --via a host is reached at one address and must answer at another, that of "
        "host.yaml. A deploy is only confirmed over a connection to a machine whose key is known, "
        "so the host would go back although all is well. The hint adds to known_hosts, for the "
        "new address, the very key that is known for the old one.",
        "emily-infra apply ember --via 10.10.0.2    # host.yaml: deploy.address: 10.10.0.9",
        "the command of the hint; then the same again",
    ),
    _story(
        "LAB040", "Nix does not accept the modules of a host",
        "The lab evaluates hosts/HOST/generated and hardware.nix with the real Nix, but without "
        "nixpkgs: `config` and `lib` hold only a little of what they hold on NixOS. The last lines "
        "are Nix's own.",
        "hardware.nix: boot.kernelModules = config.some.option;",
        'hardware.nix: boot.kernelModules = [ "kvm-intel" ];',
    ),
    _story(
        "LAB041", "Two modules set one option to different values",
        "NixOS would refuse the host as well. Usually hardware.nix sets what host.yaml sets.",
        'hardware.nix: networking.hostId = "00000001";',
        "take it out of hardware.nix: host.yaml says it",
    ),
    _story(
        "LAB042", "An option holds a value of the wrong type",
        "NixOS would refuse the host as well. What emily-infra renders is held against NixOS's "
        "types, so look into hardware.nix.",
        'hardware.nix: services.openssh.enable = "yes";',
        "hardware.nix: services.openssh.enable = true;",
    ),
    _story(
        "LAB043", "A unit or a network is described by an option that the lab does not write",
        "NixOS knows the option; the lab writes units and networks itself, and would rather stop "
        "than leave a line out in silence.",
        "systemd.services.a.confinement.enable = true;",
        "systemd.services.a.serviceConfig.PrivateTmp = true;",
    ),
    _story(
        "LAB044", "A module sets an option that the lab has no answer to",
        "Every option is played in the lab or left out with a reason, and `lab status` lists "
        "both. One that stands in neither list ends the build. The lab plays what emily-infra "
        "renders; what else hardware.nix turns on is for the real host.",
        "hardware.nix: services.avahi.enable = true;",
        "keep it in a module that only the flake imports",
    ),
    _story(
        "LAB045", "A host has no generated modules to build from",
        "The lab is built from hosts/HOST/generated as it stands, as the real host is.",
        "emily-infra lab up pebble    # after init", "emily-infra render pebble",
    ),
)  # fmt: skip
