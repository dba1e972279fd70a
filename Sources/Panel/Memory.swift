// /proc/meminfo and the limits of control groups → how much memory there is and is in use.

import Martlet

/// The memory, in kibibytes, as /proc/meminfo tells it.
struct Memory {
  private var total: UInt64?
  private var told: UInt64?
  private var free: UInt64?
  private var buffers: UInt64 = 0
  private var cached: UInt64?
  private var reclaimable: UInt64 = 0
  private var shared: UInt64 = 0

  init() {}

  /// Takes a line `NAME:   NUMBER kB`.
  @inline(never)
  mutating func add(_ line: Span<UInt8>) {
    var words = Words(line)
    guard let name = words.next(), let number = words.next()?.decimal(), number <= .max / 8_192
    else { return }
    if name.equals("MemTotal:") { total = number }
    if name.equals("MemAvailable:") { told = number }
    if name.equals("MemFree:") { free = number }
    if name.equals("Buffers:") { buffers = number }
    if name.equals("Cached:") { cached = number }
    if name.equals("SReclaimable:") { reclaimable = number }
    if name.equals("Shmem:") { shared = number }
  }

  /// All of it, or `nil` when that is not known.
  var kibibytes: UInt64? { total.flatMap { $0 > 0 ? $0 : nil } }

  /// What programs could have, or `nil` when that is not known. Kernels before 3.14 and some containers
  /// do not tell the number, or tell 0. What is free, and what the kernel would give back, counts then.
  var available: UInt64? {
    guard let total = kibibytes else { return nil }
    if let told, told > 0 { return min(told, total) }
    guard let free, let cached else { return nil }
    // Of the cache, what lies in memory only cannot be given back.
    let returned = cached - min(shared, cached)
    // None of them is more than there is, so the sum does not overflow.
    return min(
      min(free, total) + min(buffers, total) + min(returned, total) + min(reclaimable, total), total)
  }
}

/// The limit of a control group, and what counts against it, in octets.
struct MemoryLimit {
  var limit: UInt64
  /// In use, without what the kernel would give back at once; `nil` when it is not told.
  var used: UInt64?
}

/// How much memory there is for all that runs, and how much of it is in use, in octets.
struct MemoryAmount {
  var total: UInt64
  /// `nil` when it is not told.
  var used: UInt64?

  /// - Returns: `nil` where the machine does not tell its memory.
  init?(_ memory: Memory, _ limit: MemoryLimit?) {
    guard let machine = memory.kibibytes else { return nil }
    if let limit {
      (total, used) = (limit.limit, limit.used)
    } else {
      (total, used) = (machine * 1_024, memory.available.map { (machine - $0) * 1_024 })
    }
  }

  /// What is in use, in hundredths of a hundredth.
  var share: Int64? {
    guard let used, total > 0 else { return nil }
    // Of very large numbers the last digits do not matter, and must not overflow.
    let shift: UInt64 = total > 1 << 48 ? 16 : 0
    let (part, whole) = (min(used, total) >> shift, total >> shift)
    return Int64((part * 10_000 + whole / 2) / whole)
  }
}

/// Texts of control groups (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst).
enum ControlGroup {
  /// A limit; `nil` for the largest numbers, which mean that there is none.
  static func limit(_ value: UInt64) -> UInt64? { value > 0 && value < 1 << 60 ? value : nil }

  /// Hundredths of processors that `QUOTA PERIOD` allows (`cpu.max`); `nil` without a limit.
  static func processors(_ text: Span<UInt8>) -> UInt64? {
    var lines = Lines(text)
    guard let line = lines.next() else { return nil }
    var words = Words(line)
    guard let quota = words.next()?.decimal(), let period = words.next()?.decimal(), period > 0,
      quota < 1 << 50
    else { return nil }
    return (quota * 100 + period / 2) / period
  }

  /// The path of the group in a line of /proc/1/cgroup: `0::PATH` for version 2, or of the controller
  /// `memory` for version 1.
  ///
  /// - Returns: `nil` for the root, for other controllers, and for a path that leads elsewhere.
  static func path(_ line: Span<UInt8>, isVersion2: Bool) -> Text<255>? {
    guard let first = line.firstIndex(of: 0x3A),
      let second = line.firstIndex(of: 0x3A, from: first + 1)
    else { return nil }
    let controllers = line.extracting(first + 1..<second)
    guard isVersion2 ? controllers.count == 0 : MountLine.has("memory", in: controllers) else {
      return nil
    }
    let path = line.extracting(second + 1..<line.count)
    // "/../…" is outside of what can be seen here.
    guard path.count > 1, path.hasPrefix("/"), !path.hasPrefix("/..") else { return nil }
    return Text(path)
  }
}
