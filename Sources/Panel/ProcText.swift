// Texts of /proc and /sys → values (proc(5)). Pure, and never surprised: what is not as expected
// is left out, because a page that shows less is better than none.

import Martlet

/// The words of a line, between blanks.
struct Words: ~Escapable {
  private var rest: Span<UInt8>

  @_lifetime(copy line)
  init(_ line: Span<UInt8>) { rest = line }

  /// The next word, or `nil` after the last.
  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() -> Span<UInt8>? {
    let trimmed = rest.extracting(rest.trimmed(0..<rest.count))
    guard trimmed.count > 0 else { return nil }
    var end = 0
    while end < trimmed.count, !ASCII.isBlank(trimmed[end]) { end += 1 }
    rest = trimmed.extracting(end..<trimmed.count)
    return trimmed.extracting(0..<end)
  }
}

extension Text {
  /// As much of `octets` as fits.
  init(cutting octets: Span<UInt8>) {
    self.init()
    append(octets.extracting(first: min(octets.count, min(capacity, 255))))
  }
}

/// Readers of single texts of /proc and /sys.
enum ProcText {
  /// The first line without blanks and NULs around it, as in `/proc/sys/kernel/hostname` and
  /// `/proc/device-tree/model`; `nil` when nothing is left.
  static func line(_ text: Span<UInt8>) -> Text<64>? {
    var lines = Lines(text)
    guard let line = lines.next() else { return nil }
    let visible = line.extracting(0..<(line.firstIndex(of: 0) ?? line.count))
    let trimmed = visible.extracting(visible.trimmed(0..<visible.count))
    return trimmed.count > 0 ? Text(cutting: trimmed) : nil
  }

  /// The first `model name`, or the `Model` of boards that tell it there (`/proc/cpuinfo`).
  static func processorModel(_ text: Span<UInt8>) -> Text<64>? {
    var lines = Lines(text)
    while let line = lines.next() {
      guard line.hasPrefix("model name") || line.hasPrefix("Model"),
        let colon = line.firstIndex(of: 0x3A)
      else { continue }
      return self.line(line.extracting(colon + 1..<line.count))
    }
    return nil
  }

  /// Kibibytes of a line `NAME:   NUMBER kB` (`/proc/meminfo`).
  static func kibibytes(_ name: StaticString, in text: Span<UInt8>) -> UInt64? {
    var lines = Lines(text)
    while let line = lines.next() {
      var words = Words(line)
      guard let first = words.next(), first.equals(name) else { continue }
      return words.next()?.decimal()
    }
    return nil
  }

  /// Whole seconds since the start (`/proc/uptime`).
  static func uptime(_ text: Span<UInt8>) -> UInt64? {
    var words = Words(text)
    guard let word = words.next() else { return nil }
    return word.extracting(0..<(word.firstIndex(of: 0x2E) ?? word.count)).decimal()
  }

  /// The load of 1, 5 and 15 minutes (`/proc/loadavg`).
  static func load(_ text: Span<UInt8>) -> InlineArray<3, Text<8>>? {
    var words = Words(text)
    guard let one = words.next(), let five = words.next(), let fifteen = words.next(),
      isFixedPoint(one), isFixedPoint(five), isFixedPoint(fifteen)
    else { return nil }
    return [Text(cutting: one), Text(cutting: five), Text(cutting: fifteen)]
  }

  private static func isFixedPoint(_ word: Span<UInt8>) -> Bool {
    for i in word.indices where ASCII.digit(word[i]) == nil && word[i] != "." { return false }
    return word.count <= 8
  }

  /// How many processors `0-3,5` names (`/sys/devices/system/cpu/online`).
  static func processorCount(_ text: Span<UInt8>) -> Int? {
    var lines = Lines(text)
    guard let list = lines.next() else { return nil }
    var (count, start) = (0, 0)
    while start < list.count {
      let end = list.firstIndex(of: 0x2C, from: start) ?? list.count
      let part = list.extracting(start..<end)
      let dash = part.firstIndex(of: 0x2D)
      guard let first = part.extracting(0..<(dash ?? part.count)).decimal(),
        let last = dash.map({ part.extracting($0 + 1..<part.count).decimal() }) ?? first,
        last >= first, last < 65_536
      else { return nil }
      count += Int(last - first) + 1
      start = end + 1
    }
    return count > 0 ? count : nil
  }

  /// Thousandths of a degree (`/sys/class/thermal/thermal_zone0/temp`); `nil` for what no sensor of
  /// a processor reads.
  static func milliDegrees(_ text: Span<UInt8>) -> Int? {
    var words = Words(text.extracting(0..<(text.firstIndex(of: 0x0A) ?? text.count)))
    guard let word = words.next() else { return nil }
    let isNegative = word.hasPrefix("-")
    guard let value = word.extracting((isNegative ? 1 : 0)..<word.count).decimal(),
      value <= 200_000
    else { return nil }
    return isNegative ? -Int(value) : Int(value)
  }

  /// Whether a thermal zone's type is that of a processor: `cpu-thermal`, `x86_pkg_temp`, `soc`.
  static func isProcessorZone(_ type: Span<UInt8>) -> Bool {
    contains(type, "cpu") || contains(type, "x86_pkg") || contains(type, "soc")
  }

  private static func contains(_ text: Span<UInt8>, _ part: StaticString) -> Bool {
    for i in text.indices where text.extracting(i..<text.count).hasPrefix(part) { return true }
    return false
  }
}

// MARK: - Disks

/// A file system that is shown.
struct Disk {
  /// The device; the type for one without, such as a container's overlay.
  var source: Text<64>
  var mountPoint: Text<128>
  var space = DiskSpace(total: 0, available: 0)
}

/// The real file systems of `/proc/mounts`, each device once, at most eight.
struct Disks {
  private(set) var items = InlineArray<8, Disk>(
    repeating: Disk(source: Text(), mountPoint: Text()))
  private(set) var count = 0

  init() {}

  /// Reads lines `SOURCE MOUNT-POINT TYPE OPTIONS 0 0`.
  init(_ text: Span<UInt8>) {
    var lines = Lines(text)
    while let line = lines.next() {
      var words = Words(line)
      guard let source = words.next(), let mountPoint = words.next(), let type = words.next()
      else { continue }
      let isDevice = source.hasPrefix("/dev/")
      // Images of packages are full by nature and say nothing about the machine's room.
      guard isDevice || mountPoint.equals("/"), !type.equals("squashfs"),
        let place = Self.decode(mountPoint)
      else { continue }
      add(Text(cutting: isDevice ? source : type), place)
    }
  }

  /// Of several mounts of one device the one with the shortest path is shown.
  private mutating func add(_ source: Text<64>, _ mountPoint: Text<128>) {
    for i in 0..<count where items[i].source == source {
      if mountPoint.count < items[i].mountPoint.count { items[i].mountPoint = mountPoint }
      return
    }
    guard count < items.count else { return }
    items[count] = Disk(source: source, mountPoint: mountPoint)
    count += 1
  }

  /// Undoes `\040`: blanks and backslashes in a path are written as three octal digits.
  static func decode(_ path: Span<UInt8>) -> Text<128>? {
    var text = Text<128>()
    var i = 0
    while i < path.count {
      var octet = path[i]
      i += 1
      if octet == "\\", i + 3 <= path.count, let value = octal(path.extracting(i..<i + 3)) {
        octet = value
        i += 3
      }
      guard text.append(octet) else { return nil }
    }
    return text
  }

  private static func octal(_ digits: Span<UInt8>) -> UInt8? {
    var value = 0
    for i in digits.indices {
      guard let digit = ASCII.digit(digits[i]), digit < 8 else { return nil }
      value = value * 8 + Int(digit)
    }
    return UInt8(exactly: value)
  }

  /// Asks how full each is, and forgets those that have no room at all.
  mutating func measure() {
    var kept = 0
    for i in 0..<count {
      guard let space = System.diskSpace(at: items[i].mountPoint.span), space.total > 0
      else { continue }
      items[kept] = items[i]
      items[kept].space = space
      kept += 1
    }
    count = kept
  }
}

// MARK: - Network

/// A network interface that is shown.
struct Interface {
  /// Addresses shown of one interface.
  static var addressCountMax: Int { 4 }

  var name: Text<16>
  /// `up`, `down`, `unknown` …; empty when the system does not tell.
  var state = Text<16>()
  var received: UInt64 = 0
  var sent: UInt64 = 0
  var addresses = InlineArray<4, Text<40>>(repeating: Text())
  var addressCount = 0

  /// Whether it is up or has an address.
  var isInUse: Bool { state == "up" || addressCount > 0 }
}

/// The network interfaces but the loopback, at most sixteen.
struct Interfaces {
  private(set) var items = InlineArray<16, Interface>(repeating: Interface(name: Text()))
  private(set) var count = 0

  init() {}

  /// Reads lines `NAME: RECEIVED and 7 more SENT and 7 more` (`/proc/net/dev`).
  init(_ text: Span<UInt8>) {
    var lines = Lines(text)
    while let line = lines.next(), count < items.count {
      guard let colon = line.firstIndex(of: 0x3A) else { continue }
      let name = line.extracting(line.trimmed(0..<colon))
      guard !name.equals("lo"), let name = Text<16>(name), !name.isEmpty else { continue }
      var words = Words(line.extracting(colon + 1..<line.count))
      var interface = Interface(name: name)
      interface.received = words.next()?.decimal() ?? 0
      for _ in 0..<7 { _ = words.next() }
      interface.sent = words.next()?.decimal() ?? 0
      items[count] = interface
      count += 1
    }
  }

  /// Sets the state of one, by its place.
  mutating func setState(_ index: Int, _ state: Text<16>) { items[index].state = state }

  /// Adds addresses from lines `NAME ADDRESS`.
  mutating func addIPv4(_ text: Span<UInt8>) {
    var lines = Lines(text)
    while let line = lines.next() {
      var words = Words(line)
      guard let name = words.next(), let address = words.next() else { continue }
      add(Text(cutting: address), to: name)
    }
  }

  /// Adds addresses from lines `32-DIGITS INDEX PREFIX SCOPE FLAGS NAME` (`/proc/net/if_inet6`).
  mutating func addIPv6(_ text: Span<UInt8>) {
    var lines = Lines(text)
    while let line = lines.next() {
      var words = Words(line)
      guard let digits = words.next(), let address = IPv6Text.of(digits) else { continue }
      for _ in 0..<4 { _ = words.next() }
      guard let name = words.next() else { continue }
      add(address, to: name)
    }
  }

  private mutating func add(_ address: Text<40>, to name: Span<UInt8>) {
    for i in 0..<count where items[i].name.span.equals(name) {
      guard items[i].addressCount < Interface.addressCountMax else { return }
      items[i].addresses[items[i].addressCount] = address
      items[i].addressCount += 1
    }
  }
}

/// IPv6 addresses as people write them (RFC 5952 §4).
enum IPv6Text {
  /// The text of 32 hexadecimal digits, or `nil` when they are not that.
  static func of(_ digits: Span<UInt8>) -> Text<40>? {
    var octets = InlineArray<16, UInt8>(repeating: 0)
    var target = octets.mutableSpan
    guard digits.decodeHexadecimal(into: &target) == 16 else { return nil }
    var groups = InlineArray<8, UInt16>(repeating: 0)
    for i in 0..<8 { groups[i] = UInt16(octets[2 * i]) << 8 | UInt16(octets[2 * i + 1]) }
    let zeros = longestZeros(groups)
    var text = Text<40>()
    var i = 0
    while i < 8 {
      if i == zeros.lowerBound, zeros.count > 1 {
        text.append(("::" as StaticString).octets)
        i = zeros.upperBound
        continue
      }
      if i > 0, !(zeros.count > 1 && i == zeros.upperBound) { text.append(0x3A) }
      append(groups[i], to: &text)
      i += 1
    }
    return text
  }

  /// The first of the longest runs of zeros.
  private static func longestZeros(_ groups: InlineArray<8, UInt16>) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for i in 0..<8 {
      if groups[i] != 0 { start = i + 1 } else if i + 1 - start > longest.count {
        longest = start..<i + 1
      }
    }
    return longest
  }

  private static func append(_ group: UInt16, to text: inout Text<40>) {
    var isLeading = true
    for place in 0..<4 {
      let digit = UInt8(truncatingIfNeeded: group >> UInt16(12 - 4 * place) & 15)
      if digit == 0, isLeading, place < 3 { continue }
      isLeading = false
      text.append(ASCII.hexadecimal(digit))
    }
  }
}
