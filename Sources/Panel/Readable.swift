// Numbers of the machine → words for people: sizes in binary units, times, temperatures.

import Martlet

/// Numbers as people read them.
enum Readable {
  /// A number of octets in binary units (IEC 80000-13): `512 B`, `1.5 KiB`, `238 GiB`.
  static func size(_ octets: UInt64) -> Text<16> {
    var shift: UInt64 = 0
    while shift < 60, round(octets, shift) >= 10_240 { shift += 10 }
    let tenths = round(octets, shift)
    return text { writer in
      writer.append(decimal: shift > 0 && tenths < 1_000 ? tenths / 10 : (tenths + 5) / 10)
      if shift > 0 && tenths < 1_000 {
        writer.append(".")
        writer.append(decimal: tenths % 10)
      }
      switch shift {
      case 0: writer.append(" B")
      case 10: writer.append(" KiB")
      case 20: writer.append(" MiB")
      case 30: writer.append(" GiB")
      case 40: writer.append(" TiB")
      case 50: writer.append(" PiB")
      default: writer.append(" EiB")
      }
    }
  }

  /// Tenths of 2^shift in `octets`, rounded to tenths, or from 100 on to whole numbers. So what would be shown
  /// as 1024 of a unit becomes 1.0 of the next unit.
  private static func round(_ octets: UInt64, _ shift: UInt64) -> UInt64 {
    if shift == 0 { return octets > UInt64.max / 10 ? .max : octets * 10 }
    let rest = octets & ((1 << shift) - 1)
    let tenths = (octets >> shift) * 10 + (rest * 10 + (1 << (shift - 1))) >> shift
    return tenths < 1_000 ? tenths : (tenths + 5) / 10 * 10
  }

  /// A number of seconds: `42 s`, `5 min`, `4 h 5 min`, `3 d 4 h 5 min`.
  static func duration(seconds: UInt64) -> Text<40> {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60)
    return text { writer in
      if seconds < 60 {
        writer.append(decimal: seconds)
        return writer.append(" s")
      }
      if days > 0 {
        writer.append(decimal: days)
        writer.append(" d ")
      }
      if seconds >= 3_600 {
        writer.append(decimal: hours)
        writer.append(" h ")
      }
      writer.append(decimal: minutes)
      writer.append(" min")
    }
  }

  /// How long to wait, in words, never too short: `1 second`, `90 seconds`, `3 minutes`.
  static func wait(seconds: Int) -> Text<40> {
    let isInMinutes = seconds > 90
    let count = isInMinutes ? (seconds + 59) / 60 : seconds
    return text { writer in
      writer.append(decimal: count)
      writer.append(isInMinutes ? " minute" : " second")
      if count != 1 { writer.append("s") }
    }
  }

  /// Thousandths of a degree: `48.3 °C`.
  static func temperature(milliDegrees: Int) -> Text<16> {
    let tenths = (milliDegrees.magnitude + 50) / 100
    return text { writer in
      if milliDegrees < 0 && tenths > 0 { writer.append("-") }
      writer.append(decimal: tenths / 10)
      writer.append(".")
      writer.append(decimal: tenths % 10)
      writer.append(" °C")
    }
  }

  /// Hundredths: `2`, `1.5`, `0.25`.
  static func hundredths(_ value: UInt64) -> Text<24> {
    text { writer in
      writer.append(decimal: value / 100)
      guard value % 100 > 0 else { return }
      writer.append(".")
      writer.append(decimal: value % 100 / 10)
      if value % 10 > 0 { writer.append(decimal: value % 10) }
    }
  }

  /// How many hundredths of `total` are `part`, rounded; 0 when there is nothing at all.
  static func percent(_ part: UInt64, of total: UInt64) -> Int {
    guard total > 0 else { return 0 }
    // Of very large numbers the last digits do not matter, and must not overflow.
    let shift: UInt64 = total > .max / 256 ? 8 : 0
    let (part, total) = (min(part, total) >> shift, total >> shift)
    return Int((part * 100 + total / 2) / total)
  }

  /// How many hundredths of `part` and `rest` together are `part`, rounded up, as `df` does; 0 when there
  /// is nothing at all.
  static func percent(_ part: UInt64, ofThatAnd rest: UInt64) -> Int {
    // Of very large numbers the last digits do not matter, and must not overflow.
    let shift: UInt64 = max(part, rest) > .max / 256 ? 8 : 0
    let (part, rest) = (part >> shift, rest >> shift)
    let total = part + rest
    return total > 0 ? Int((part * 100 + total - 1) / total) : 0
  }

  /// The text that `body` writes, of at most 48 octets; empty where the text has no room.
  static func text<let capacity: Int>(_ body: (inout Writer) -> Void) -> Text<capacity> {
    var digits = InlineArray<48, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    body(&writer)
    let count = writer.count
    return Text(digits.span.extracting(first: count)) ?? Text()
  }
}
