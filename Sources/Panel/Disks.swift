// /proc/self/mountinfo → the file systems that people mean by "disks". Pure: how full they are is asked
// elsewhere (Measurements.swift).

import Martlet

/// Blocks of a file system, as statfs() counts them.
struct DiskSpace: Equatable {
  var total: UInt64 = 0
  /// Not in use; a part of it may be the administrator's reserve.
  var free: UInt64 = 0
  /// Free for everybody.
  var available: UInt64 = 0
  /// Octets of a block.
  var blockSize: UInt64 = 0

  /// In use, as `df` counts it: the reserve is not.
  var used: UInt64 { total - min(free, total) }

  /// How many hundredths of what is in use or free for everybody are in use, rounded up, as `df` tells it.
  var percent: Int { Readable.percent(used, ofThatAnd: availableBlocks) }

  /// Free for everybody. Where the reserve is used too, some kernels tell a negative number; that is 0.
  var availableBlocks: UInt64 { available > free && available >> 63 != 0 ? 0 : available }

  /// Octets of so many blocks.
  func octets(_ blocks: UInt64) -> UInt64 {
    let (octets, overflows) = blocks.multipliedReportingOverflow(by: blockSize)
    return overflows ? .max : octets
  }
}

/// A line of /proc/self/mountinfo, or of /proc/mounts where there is no such text (proc(5)).
struct MountLine: ~Escapable {
  let source: Span<UInt8>
  let mountPoint: Span<UInt8>
  let type: Span<UInt8>
  /// Options of the file system, for all its mounts.
  let options: Span<UInt8>
  /// The number of the device, or a number made of its name.
  let device: UInt32
  /// Whether this mount lets somebody write; `nil` where the text does not tell it apart.
  let isWritable: Bool?

  /// `ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS [TAG…] - TYPE SOURCE OPTIONS`
  @_lifetime(copy line)
  init?(mountinfo line: Span<UInt8>) {
    var words = Words(line)
    guard words.next() != nil, words.next() != nil, let number = words.next(), words.next() != nil,
      let mountPoint = words.next(), let mountOptions = words.next()
    else { return nil }
    while let word = words.next(), !word.equals("-") {}
    guard let type = words.next(), let source = words.next() else { return nil }
    self.source = source
    self.mountPoint = mountPoint
    self.type = type
    if let options = words.next() { self.options = options } else { options = source }
    device = Self.number(number)
    isWritable = !Self.has("ro", in: mountOptions)
  }

  /// `SOURCE MOUNT-POINT TYPE OPTIONS 0 0`
  @_lifetime(copy line)
  init?(mounts line: Span<UInt8>) {
    var words = Words(line)
    guard let source = words.next(), let mountPoint = words.next(), let type = words.next()
    else { return nil }
    self.source = source
    self.mountPoint = mountPoint
    self.type = type
    if let options = words.next() { self.options = options } else { options = type }
    device = Self.number(source)
    isWritable = nil
  }

  /// A number of few octets (FNV-1a); nobody gains anything by making two texts with one.
  @inline(never)
  static func number(_ text: Span<UInt8>, _ start: UInt32 = 0x811C_9DC5) -> UInt32 {
    var number = start
    for i in text.indices { number = (number ^ UInt32(text[i])) &* 0x0100_0193 }
    return number
  }

  /// Whether a list with commas names an option.
  @inline(never)
  static func has(_ name: StaticString, in options: Span<UInt8>) -> Bool {
    var start = 0
    while start <= options.count {
      let end = options.firstIndex(of: 0x2C, from: start) ?? options.count
      if options.extracting(start..<end).equals(name) { return true }
      start = end + 1
    }
    return false
  }

  func has(_ name: StaticString) -> Bool { Self.has(name, in: options) }
}

/// A file system that is shown.
struct Disk {
  /// The device; the type for one without, such as a container's overlay.
  var source = Text<96>()
  /// As the system calls it; cut where it is too long to be asked about.
  var mountPoint = Text<255>()
  /// The device's number.
  var device: UInt32 = 0
  /// What is most important comes first: 0.
  var rank: UInt8 = 0
  /// Whether nothing can be written to the file system, whoever mounts it.
  var isReadOnly = false
  /// Whether some mount of it lets somebody write.
  var isMountedWritable = false
  /// Whether the file system says of itself that it has failed.
  var hasFailed = false
  /// What /etc/fstab says about it.
  var fstab = Fstab.silent
  var isTooLong = false

  enum Fstab { case silent, readOnly, writable }

  /// What an answer about its space is known by.
  var key: UInt32 { MountLine.number(mountPoint.span, device | 1) }
}

/// The file systems that are shown, each device once, and how many are not.
struct Disks: ~Copyable {
  private let isReadInPlace = ByAddress()

  private(set) var items = InlineArray<8, Disk>(repeating: Disk())
  private(set) var count = 0
  /// Overlays of containers, whose room is that of another disk.
  private(set) var overlayCount = 0
  /// Devices that have been seen, for counting; those beyond count each time.
  private var seen = InlineArray<64, UInt32>(repeating: 0)
  private var seenCount = 0
  private var uncountedCount = 0
  /// Whether each mount is read-only in this process's own view (systemd's ProtectSystem=strict), so that
  /// the mounts' own options say nothing.
  private var isSandboxed = false

  init() {}

  /// Devices beyond those that are shown.
  var moreCount: Int { max(0, seenCount + uncountedCount - count) }

  /// The last rank.
  static var rankMax: UInt8 { 4 }

  /// Adds a file system, if it is one that is shown.
  @inline(never)
  mutating func add(_ line: borrowing MountLine) {
    var disk = Disk()
    disk.isTooLong = !Self.decode(line.mountPoint, to: &disk.mountPoint)
    guard !line.type.equals("autofs") else { return }
    hide(disk.mountPoint)
    let isRoot = line.mountPoint.equals("/")
    if isRoot { isSandboxed = line.isWritable == false && !line.has("ro") }
    guard let rank = rank(line, isRoot: isRoot) else { return }
    disk.device = line.device
    // What a root without a device calls its source says nothing.
    let isUnnamed = isRoot && Self.list("overlay overlayfs aufs tmpfs ramfs rootfs", has: line.type)
    let source = isUnnamed ? line.type : line.source
    var name = Text<255>()
    _ = Self.decode(source, to: &name)
    disk.source = Text(showing: name.span)
    disk.hasFailed = line.has("emergency_ro") || line.has("shutdown")
    let isImage = Self.list(Self.images, has: line.type)
    disk.isReadOnly = !isImage && line.has("ro")
    disk.isMountedWritable = line.isWritable ?? true
    disk.rank = isRoot ? 0 : disk.hasFailed || disk.isReadOnly ? 1 : rank
    insert(disk)
  }

  /// What a later mount at the same place hides is gone.
  private mutating func hide(_ mountPoint: Text<255>) {
    for i in 0..<count where items[i].mountPoint == mountPoint {
      forget(items[i].device)
      count -= 1
      for later in i..<count { items[later] = items[later + 1] }
      return
    }
  }

  private mutating func forget(_ device: UInt32) {
    for i in 0..<seenCount where seen[i] == device {
      seenCount -= 1
      seen[i] = seen[seenCount]
      return
    }
  }

  /// Of several mounts of one device the one with the shortest path is shown; of too many devices those
  /// that matter most.
  @inline(never)
  private mutating func insert(_ disk: Disk) {
    for i in 0..<count where items[i].device == disk.device {
      if disk.mountPoint.count < items[i].mountPoint.count {
        items[i].mountPoint = disk.mountPoint
        items[i].isTooLong = disk.isTooLong
      }
      items[i].rank = min(items[i].rank, disk.rank)
      if disk.isMountedWritable { items[i].isMountedWritable = true }
      return
    }
    note(disk.device)
    if count < items.count {
      items[count] = disk
      count += 1
      return
    }
    var worst = 0
    for i in 0..<count where items[i].rank >= items[worst].rank { worst = i }
    guard disk.rank < items[worst].rank else { return }
    for later in worst..<count - 1 { items[later] = items[later + 1] }
    items[count - 1] = disk
  }

  private mutating func note(_ device: UInt32) {
    for i in 0..<seenCount where seen[i] == device { return }
    guard seenCount < seen.count else { return uncountedCount += 1 }
    seen[seenCount] = device
    seenCount += 1
  }

  // MARK: Which are shown

  /// Kinds of file systems that are always full. Such a file system says nothing about the machine's room, and
  /// nobody writes to it.
  private static var images: StaticString { "squashfs iso9660 erofs cramfs romfs" }

  /// How important a file system is, or `nil` when it is not shown.
  private mutating func rank(_ line: borrowing MountLine, isRoot: Bool) -> UInt8? {
    if isRoot { return 0 }
    if Self.list(Self.images, has: line.type) { return nil }
    if Self.list("overlay overlayfs aufs", has: line.type) {
      overlayCount += 1
      return nil
    }
    if Self.list("tmpfs devtmpfs ramfs proc sysfs fuse", has: line.type) { return nil }
    // A pool comes before the file systems in it.
    if line.type.equals("zfs") { return line.source.firstIndex(of: 0x2F) == nil ? 2 : 4 }
    if line.source.hasPrefix("/dev/") || Self.list("ubifs jffs2 yaffs2 bcachefs", has: line.type) {
      return 2
    }
    if Self.list(
      "nfs nfs4 cifs smb3 smbfs afs ceph glusterfs lustre 9p virtiofs vboxsf", has: line.type)
    {
      return 3
    }
    let isUsers = Self.list(
      "fuse.lxcfs fuse.gvfsd-fuse fuse.portal fuse.snapfuse", has: line.type)
    return line.type.hasPrefix("fuse.") && !isUsers ? 3 : nil
  }

  @inline(never)
  private static func list(_ list: StaticString, has name: Span<UInt8>) -> Bool {
    var words = Words(list.octets)
    while let word = words.next() { if word.equals(name) { return true } }
    return false
  }

  // MARK: Read-only

  /// Takes a line of /etc/fstab: `SOURCE MOUNT-POINT TYPE OPTIONS …` (fstab(5)).
  mutating func addFstab(_ line: Span<UInt8>) {
    var words = Words(line)
    guard let source = words.next(), !source.hasPrefix("#"), let place = words.next(),
      words.next() != nil
    else { return }
    var mountPoint = Text<255>()
    guard Self.decode(place, to: &mountPoint) else { return }
    var isReadOnly = false
    if let options = words.next() { isReadOnly = MountLine.has("ro", in: options) }
    for i in 0..<count where items[i].mountPoint == mountPoint {
      items[i].fstab = isReadOnly ? .readOnly : .writable
    }
  }

  /// Whether /etc/fstab is worth reading.
  var hasReadOnly: Bool {
    for i in 0..<count where items[i].isReadOnly { return true }
    return false
  }

  /// Whether the kernel has made a file system read-only that was meant to be written to. On an error the
  /// kernel changes the file system and leaves its mounts' options alone; whoever mounts it read-only
  /// changes both.
  func isMadeReadOnly(_ index: Int) -> Bool {
    let disk = items[index]
    if disk.hasFailed { return true }
    guard disk.isReadOnly else { return false }
    switch disk.fstab {
    case .readOnly: return false
    case .writable: return true
    case .silent: return disk.isMountedWritable || isSandboxed
    }
  }

  // MARK: Paths

  /// Undoes `\040`: blanks and backslashes in a path are written as three octal digits.
  ///
  /// - Returns: Whether all of it fits.
  @inline(never)
  static func decode(_ path: Span<UInt8>, to text: inout Text<255>) -> Bool {
    var i = 0
    while i < path.count {
      var octet = path[i]
      i += 1
      if octet == "\\", i + 3 <= path.count, let value = octal(path.extracting(i..<i + 3)) {
        octet = value
        i += 3
      }
      guard text.append(octet) else { return false }
    }
    return true
  }

  private static func octal(_ digits: Span<UInt8>) -> UInt8? {
    var value = 0
    for i in digits.indices {
      guard let digit = ASCII.digit(digits[i]), digit < 8 else { return nil }
      value = value * 8 + Int(digit)
    }
    return UInt8(exactly: value)
  }

  /// How full the file system at a mount point is, by a line `MOUNT-POINT BLOCK-SIZE BLOCKS FREE AVAILABLE`:
  /// what stands in for statfs() below a directory (`--sysroot`).
  static func space(_ line: Span<UInt8>, of mountPoint: Span<UInt8>) -> DiskSpace? {
    var words = Words(line)
    var name = Text<255>()
    guard let place = words.next(), decode(place, to: &name), name.span.equals(mountPoint),
      let blockSize = words.next()?.decimal(), let total = words.next()?.decimal(),
      let free = words.next()?.decimal(), let available = words.next()?.decimal()
    else { return nil }
    return DiskSpace(total: total, free: free, available: available, blockSize: blockSize)
  }

  /// Whether such a line is `MOUNT-POINT silent`.
  static func isSilent(_ line: Span<UInt8>, _ mountPoint: Span<UInt8>) -> Bool {
    var words = Words(line)
    var name = Text<255>()
    guard let place = words.next(), decode(place, to: &name) else { return false }
    return name.span.equals(mountPoint) && words.next()?.equals("silent") == true
  }
}
