// Mounts as a Raspberry Pi, machines with containers and a NAS have them, and those that nobody has.

import Martlet
import TestSupport
import Testing

@testable import martlet_panel

private let pi = """
  22 28 0:21 / /proc rw,relatime shared:13 - proc proc rw
  28 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw,errors=remount-ro
  45 28 179:1 / /boot/firmware rw,relatime shared:25 - vfat /dev/mmcblk0p1 rw,errors=remount-ro
  61 28 8:1 / /media/pi/USB\\040STICK rw,nosuid shared:44 - vfat /dev/sda1 rw,errors=remount-ro
  62 28 7:0 / /snap/core/1 ro,nodev shared:45 - squashfs /dev/loop0 ro,errors=continue

  """

private let container = """
  714 600 0:52 / / rw,relatime master:300 - overlay overlay rw,lowerdir=/a:/b
  720 714 259:2 /etc/hosts /etc/hosts-of-container rw - ext4 /dev/nvme0n1p2 rw
  721 714 259:2 /data /data rw - ext4 /dev/nvme0n1p2 rw
  722 714 0:60 / /home rw - nfs4 nfs.example:/home rw,vers=4.2
  723 714 0:61 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/c

  """

@Suite struct DisksTests {
  @Test("Of the mounts the real file systems remain, each device once, by its shortest path")
  func real() {
    #expect(
      shown(disks(mountinfo: pi)) == [
        "/dev/mmcblk0p2 /", "/dev/mmcblk0p1 /boot/firmware", "/dev/sda1 /media/pi/USB STICK",
      ])
    let inside = disks(mountinfo: container)
    #expect(shown(inside) == ["overlay /", "/dev/nvme0n1p2 /data", "nfs.example:/home /home"])
    #expect(inside.overlayCount == 1)
    #expect(inside.moreCount == 0)
  }

  @Test("Where there is only /proc/mounts, the same is read of it")
  func mounts() {
    let text = """
      rootfs / rootfs rw 0 0
      /dev/root / ext4 rw,noatime,errors=remount-ro 0 0
      tmpfs /run tmpfs rw 0 0
      /dev/sda1 /media/pi/USB\\040STICK vfat rw,nosuid 0 0
      /dev/sda1 /mnt/the/same/elsewhere vfat rw,nosuid 0 0
      /dev/loop0 /snap/core/1 squashfs ro 0 0
      """
    #expect(shown(disks(mounts: text)) == ["/dev/root /", "/dev/sda1 /media/pi/USB STICK"])
  }

  @Test("Devices come before what lies on a network, and that before a pool's many parts")
  func ranks() {
    let many =
      (0..<20).map { "\($0) 1 0:\($0 + 40) / /tank/\($0) rw - zfs tank/\($0) rw\n" }.joined()
      + "90 1 0:30 / /mnt/films rw - cifs //nas/films rw\n"
      + "91 1 0:31 / /mnt/far rw - fuse.sshfs a@b:/ rw\n"
      + "92 1 0:32 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw\n"
      + "93 1 0:33 / /tank rw - zfs tank rw\n"
      + "94 1 8:1 / /mnt/usb rw - ext4 /dev/sda1 rw\n"
      + "95 1 0:34 / / rw - zfs rpool/ROOT rw\n"
    let disks = disks(mountinfo: many)
    #expect(
      shown(disks).prefix(5) == [
        "rpool/ROOT /", "tank /tank", "/dev/sda1 /mnt/usb", "//nas/films /mnt/films",
        "a@b:/ /mnt/far",
      ])
    #expect(shown(disks).count == 8)
    #expect(disks.moreCount == 17)
  }

  @Test("Whatever comes first, the last device has a place, and what has none is counted once")
  func many() {
    let overlays = (0..<200).map {
      "\($0) 1 0:\($0) / /var/lib/docker/\($0) rw - overlay overlay rw,lowerdir=/l\n"
    }.joined()
    let devices = (0..<30).map { "\($0) 1 8:\($0) / /mnt/\($0) rw - ext4 /dev/sd\($0) rw\n" }.joined()
    var disks = disks(mountinfo: overlays + devices + devices)
    #expect(disks.overlayCount == 200)
    #expect(disks.count == 8)
    #expect(disks.moreCount == 22)
    disks = later(overlays + "1 1 8:1 / /mnt/usb rw - ext4 /dev/sda1 rw\n")
    #expect(shown(disks) == ["/dev/sda1 /mnt/usb"])
  }

  private func later(_ text: String) -> Disks { disks(mountinfo: text) }

  @Test("What a later mount hides is not shown, and an automatic mount is none")
  func hidden() {
    let text = """
      1 0 0:2 / / rw - rootfs rootfs rw
      2 1 179:2 / / rw - ext4 /dev/root rw
      3 2 8:1 / /mnt rw - ext4 /dev/sda1 rw
      4 2 8:17 / /mnt rw - ext4 /dev/sdb1 rw
      5 2 0:50 / /net rw - autofs systemd-1 rw,direct
      6 2 8:33 / /run/x rw - ext4 /dev/sdc1 rw
      7 2 0:51 / /run/x rw - tmpfs tmpfs rw
      """
    let disks = disks(mountinfo: text)
    #expect(shown(disks) == ["/dev/root /", "/dev/sdb1 /mnt"])
    #expect(disks.moreCount == 0)
  }

  @Test("Octal escapes in paths are undone, and what is none stays")
  func escapes() {
    func decode(_ text: String) -> String? {
      withGuardedOctets(text) {
        var path = Text<255>()
        return Disks.decode($0, to: &path) ? String(path.span) : nil
      }
    }
    #expect(decode("/a\\040b\\134c\\011") == "/a b\\c\t")
    #expect(decode("\\") == "\\")
    #expect(decode("\\04") == "\\04")
    #expect(decode("\\0x0") == "\\0x0")
    #expect(decode("\\777") == "\\777")
    #expect(decode(String(repeating: "x", count: 256)) == nil)
  }

  // MARK: Read-only

  private func made(_ mountinfo: String, fstab: String = "") -> [Bool] {
    let disks = disks(mountinfo: mountinfo, fstab: fstab)
    return (0..<disks.count).map { disks.isMadeReadOnly($0) }
  }

  private func mount(_ own: String, _ all: String, type: String = "ext4", at place: String = "/srv") -> String
  {
    "2 1 8:1 / \(place) \(own) - \(type) /dev/sda1 \(all)\n"
  }

  private let root = "1 0 179:2 / / rw - ext4 /dev/root rw\n"

  @Test(
    "A file system that the kernel has made read-only is told from one that was mounted so",
    arguments: [
      ("rw,relatime", "rw,errors=remount-ro", false),  // what to do on an error is no error
      ("rw,relatime", "ro,errors=remount-ro", true),  // the kernel has done so
      ("rw", "ro", true),
      ("rw", "rw,emergency_ro", true),  // ext4 of Linux 6.15 and later
      ("rw", "rw,shutdown", true),
      ("ro,relatime", "ro", false),  // mount -o ro
      ("ro,relatime", "rw", false),  // one of several mounts
      ("rw", "rw,ro_compat", false),
      ("rw", "rw,proto=ro", false),
    ])
  func readOnly(_ own: String, _ all: String, _ isMade: Bool) {
    #expect(made(root + mount(own, all)) == [false, isMade])
  }

  @Test("What /etc/fstab means counts more than the mount's own options")
  func fstab() {
    let both = root + mount("ro", "ro", at: "/my\\040disk")
    #expect(made(both, fstab: "/dev/sda1 /my\\040disk ext4 defaults 0 2") == [false, true])
    #expect(made(both, fstab: "/dev/sda1 /my\\040disk ext4 noauto,ro 0 2") == [false, false])
    #expect(made(both, fstab: "#/dev/sda1 /my\\040disk ext4 defaults 0 2") == [false, false])
    #expect(made(both, fstab: "/dev/sda1 /other ext4 defaults") == [false, false])
    let kernels = root + mount("rw", "ro")
    #expect(made(kernels, fstab: "/dev/sda1 /srv ext4 ro 0 2") == [false, false])
    #expect(made(kernels, fstab: "/dev/sda1 /srv ext4\n\n\t \n/dev/x") == [false, true])
  }

  @Test("In a service for which everything is mounted read-only, only the file systems' own options count")
  func sandboxed() {
    let root = "1 0 179:2 / / ro - ext4 /dev/root rw\n"
    #expect(made(root + mount("ro", "rw")) == [false, false])
    #expect(made(root + mount("ro", "ro")) == [false, true])
    #expect(made(root + mount("ro", "ro"), fstab: "/dev/sda1 /srv ext4 ro") == [false, false])
  }

  @Test("Images are read-only by nature")
  func images() {
    for type in ["squashfs", "iso9660", "erofs", "cramfs"] {
      #expect(made("1 0 31:2 / / rw - \(type) /dev/root ro\n") == [false])
      #expect(made(root + mount("rw", "ro", type: type)) == [false])
    }
  }

  // MARK: Numbers

  @Test(
    "Use is counted as df does it",
    arguments: [
      // total, free, available, percent: df's own answers for statfs() of such numbers
      (66_053_021, 61_501_639, 20_215_021, 19), (1_000, 1_000, 950, 0), (1_000, 999, 949, 1),
      (1_000, 50, 0, 100), (1_000, 0, 0, 100), (1_000, 500, 500, 50), (1_000, 495, 495, 51),
      (0, 0, 0, 0), (.max, 1, 1, 100), (.max, .max, .max, 0), (10, 20, 20, 0),
      (1_000, 40, 0 &- 10, 100),
    ] as [(UInt64, UInt64, UInt64, Int)])
  func use(_ total: UInt64, _ free: UInt64, _ available: UInt64, _ percent: Int) {
    let space = DiskSpace(total: total, free: free, available: available, blockSize: 4_096)
    #expect(space.percent == percent)
    _ = space.octets(total)
  }

  @Test("Lines stand in for statfs() in tests and demonstrations")
  func spaces() {
    func space(_ line: String) -> DiskSpace? {
      withGuardedOctets(line) { Disks.space($0, of: ("/my disk" as StaticString).octets) }
    }
    #expect(
      space("/my\\040disk 4096 100 50 40")
        == DiskSpace(total: 100, free: 50, available: 40, blockSize: 4_096))
    #expect(space("/my 4096 100 50 40") == nil)
    #expect(space("/my\\040disk 4096 100 50") == nil)
    #expect(space("/my\\040disk silent") == nil)
    #expect(
      withGuardedOctets("/my\\040disk silent") { Disks.isSilent($0, ("/my disk" as StaticString).octets) })
  }

  @Test("No prefix and no flipped octet of any line stops the reader")
  func anything() {
    for text in [pi, container] {
      for line in text.split(separator: "\n") {
        let octets = Array(line.utf8)
        for i in octets.indices {
          var flipped = octets
          flipped[i] ^= 0xFF
          for some in [flipped, Array(octets.prefix(i))] {
            withGuardedOctets(some) { line in
              var disks = Disks()
              if let mount = MountLine(mountinfo: line) { disks.add(mount) }
              if let mount = MountLine(mounts: line) { disks.add(mount) }
              disks.addFstab(line)
              for i in 0..<disks.count { _ = disks.isMadeReadOnly(i) }
            }
          }
        }
      }
    }
  }

  @Test("Paths of any length and any octets have a place")
  func long() {
    let path = "/" + String(repeating: "<\u{7}\"&'\u{202E}", count: 800)
    let disks = disks(mountinfo: "1 0 8:1 / \(path) rw - ext4 /dev/\(path) rw\n")
    #expect(disks.count == 1)
    #expect(disks.items[0].isTooLong)
    #expect(disks.items[0].source.count <= 96)
  }
}
