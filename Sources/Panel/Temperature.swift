// Texts of sensors → the temperature of the processor.

import Martlet

/// What a sensor says.
struct Temperature {
  /// Thousandths of a degree.
  var milliDegrees: Int
  /// What the sensor is called; may be any octets.
  var sensor: Text<40>

  /// The number in a text, in thousandths of a degree. The kernel's documents demand thousandths
  /// (Documentation/driver-api/thermal/sysfs-api.rst, hwmon/sysfs-interface.rst), but some kernels of
  /// vendors tell whole degrees. `nil` for what no processor can have, and for what sensors say that
  /// measure nothing: 0, 127 degrees, or beyond -40 to 150.
  @inline(never)
  static func milliDegrees(_ text: Span<UInt8>) -> Int? {
    var lines = Lines(text)
    guard let line = lines.next() else { return nil }
    var words = Words(line)
    guard let word = words.next() else { return nil }
    let isNegative = word.hasPrefix("-")
    let digits = word.extracting((isNegative ? 1 : 0)..<word.count)
    let point = digits.firstIndex(of: 0x2E)
    guard var value = digits.extracting(0..<(point ?? digits.count)).decimal(), value <= 150_000
    else { return nil }
    if point != nil || value <= 150 {
      value *= 1_000
      if let point, point + 1 < digits.count {
        guard let tenth = ASCII.digit(digits[point + 1]) else { return nil }
        value += UInt64(tenth) * 100
      }
    }
    guard value > 0, value <= 150_000, value / 1_000 != 127 else { return nil }
    guard isNegative else { return Int(value) }
    return value <= 40_000 ? -Int(value) : nil
  }

  /// How sure it is that a thermal zone of a type is the processor's; `nil` when it is not.
  static func rank(zone type: Span<UInt8>) -> Int? {
    // Batteries, radios and policies have zones, too.
    if contains(type, "INT3400 wifi iwl batter charger nvme gpu ddr modem pmic pch") { return nil }
    if isProcessor(type) { return 0 }
    // ACPI's zone is somewhere in the case.
    return contains(type, "acpi") ? 4 : 3
  }

  /// How sure it is that a chip of hwmon with a name is the processor's; `nil` when only a label could
  /// say so.
  static func rank(chip name: Span<UInt8>) -> Int? {
    contains(name, "gpu ddr nvme battery") ? nil : isProcessor(name) ? 1 : nil
  }

  /// The same for one of the chip's sensors, by its label; which may be empty.
  static func rank(label: Span<UInt8>, ofProcessor: Bool) -> Int? {
    if contains(label, "Tdie Package") { return 1 }
    if ofProcessor { return 2 }
    return contains(label, "CPU cpu Tctl") ? 2 : nil
  }

  private static func isProcessor(_ name: Span<UInt8>) -> Bool {
    contains(
      name, "cpu CPU x86_pkg soc SoC SOC k10temp k8temp zenpower core cluster package bcm2 sunxi tsens")
  }

  /// Whether one of the words stands somewhere in a text.
  @inline(never)
  private static func contains(_ text: Span<UInt8>, _ list: StaticString) -> Bool {
    var words = Words(list.octets)
    while let word = words.next() {
      guard text.count >= word.count else { continue }
      for i in 0...text.count - word.count where text.extracting(i..<i + word.count).equals(word) {
        return true
      }
    }
    return false
  }
}

/// What the firmware of a Raspberry Pi has done to the processor's clock, and why: bits of `get_throttled`.
struct Throttling: Equatable {
  let bits: UInt32

  init(bits: UInt32) { self.bits = bits }

  /// Reads hexadecimal digits, with or without `0x`.
  init?(_ text: Span<UInt8>) {
    let digits = text.extracting((text.hasPrefix("0x") ? 2 : 0)..<text.count)
    guard digits.count > 0, digits.count <= 8 else { return nil }
    var bits: UInt32 = 0
    for i in digits.indices {
      let octet = ASCII.lowercased(digits[i])
      guard let digit = ASCII.digit(octet) ?? ("a"..."f" ~= octet ? octet - 0x57 : nil) else { return nil }
      bits = bits << 4 | UInt32(digit)
    }
    self.bits = bits
  }

  /// What holds now, or has held since the start; `nil` for neither.
  var text: StaticString? {
    if bits & 0x1 != 0 { return "supply voltage too low" }
    if bits & 0x4 != 0 { return "throttled" }
    if bits & 0xA != 0 { return "clock limited" }
    if bits & 0x1_0000 != 0 { return "supply voltage was too low" }
    if bits & 0xE_0000 != 0 { return "has been throttled" }
    return nil
  }

  /// Words for programs: what the bits 0 to 3 say of now, and the bits 16 to 19 of the time since the start.
  static var words: StaticString { "under_voltage\nfrequency_capped\nthrottled\nsoft_temperature_limit\n" }

  /// Whether it holds now.
  var isNow: Bool { bits & 0xF != 0 }
}
