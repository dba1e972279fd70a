// What the tests of readers share: texts of the system in memory that ends at a page that nobody may read.

import Martlet
import TestSupport

@testable import martlet_panel

func string<let capacity: Int>(_ text: Text<capacity>?) -> String? {
  text.map { String($0.span) }
}

/// Hands each line of a text to `body`, in memory of its own.
func eachLine(_ text: String, _ body: (Span<UInt8>) -> Void) {
  for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
    withGuardedOctets(String(line)) { body($0) }
  }
}

/// The file systems of a /proc/self/mountinfo, or of a /proc/mounts.
func disks(mountinfo: String = "", mounts: String = "", fstab: String = "") -> Disks {
  var disks = Disks()
  eachLine(mountinfo) { line in
    if let mount = MountLine(mountinfo: line) { disks.add(mount) }
  }
  eachLine(mounts) { line in
    if let mount = MountLine(mounts: line) { disks.add(mount) }
  }
  eachLine(fstab) { disks.addFstab($0) }
  return disks
}

/// `SOURCE MOUNT-POINT` of each, in the order in which they are shown.
func shown(_ disks: borrowing Disks) -> [String] {
  var texts: [String] = []
  for rank in 0...Disks.rankMax {
    for i in 0..<disks.count where disks.items[i].rank == rank {
      texts.append(String(disks.items[i].source.span) + " " + String(disks.items[i].mountPoint.span))
    }
  }
  return texts
}

/// The interfaces of the kernel's texts; IPv4 addresses as `NAME ADDRESS`.
func interfaces(
  dev: String, six: String = "", four: String = "", physical: Set<String> = []
) -> Interfaces {
  var interfaces = Interfaces()
  eachLine(four) { line in
    var words = Words(line)
    guard let name = words.next(), let text = words.next(), let address = IPAddress(text) else { return }
    interfaces.addIPv4(UInt32(truncatingIfNeeded: address.low), to: name)
  }
  eachLine(six) { interfaces.addIPv6($0) }
  eachLine(dev) { line in
    interfaces.addCounters(line) { interface in
      interface.isPhysical = physical.contains(String(interface.name.span))
      interface.state = "up"
    }
  }
  return interfaces
}

/// The names of those that are shown, in that order.
func shown(_ interfaces: borrowing Interfaces) -> [String] {
  var names: [String] = []
  for rank in 0...Interface.rankMax {
    for i in 0..<interfaces.count where interfaces.items[i].rank == rank {
      names.append(String(interfaces.items[i].name.span))
    }
  }
  return names
}

/// The addresses that are shown of one.
func addresses(_ interface: Interface) -> [String] {
  (0..<interface.addressCount).map { String(interface.addresses[$0].span) }
}
