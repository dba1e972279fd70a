// What is sampled: nine series. Each value is a whole number of the series' unit, and 16 bits in a ring:
//
//     percent      hundredths of a hundredth: 0 to 10,000
//     load         hundredths: 0 to 65,534
//     temperature  tenths of a degree above -40
//     rate         octets a second: exponent of 5 bits, mantissa of 11 bits, so within 1 in 2,000
//
// In the ring 0 is a gap, and every value is stored as one more. So static memory begins as gaps.

import Martlet

/// A series of samples.
enum Series: UInt8 {
  /// Use of all processors together, and of the busiest one.
  case processors, busiest
  /// The load of the last minute.
  case load
  /// Memory in use.
  case memory
  case temperature
  /// Octets a second from and to the disks.
  case diskRead, diskWritten
  /// Octets a second from and to the network.
  case received, sent

  static var count: Int { 9 }

  enum Unit { case percent, load, temperature, rate }

  var unit: Unit {
    switch self {
    case .processors, .busiest, .memory: .percent
    case .load: .load
    case .temperature: .temperature
    case .diskRead, .diskWritten, .received, .sent: .rate
    }
  }

  /// A value as people read it.
  func text(_ value: Int64) -> Text<24> { unit.text(value) }

  /// Names for programs, and meanings: two lines for each, in the order of the cases. Rates are no counters. A sum over
  /// disks goes back when a disk is taken out, and Prometheus takes a counter that goes back for one that began anew.
  static var programTexts: StaticString {
    """
    cpu_usage_ratio
    Use of all processors.
    cpu_busiest_usage_ratio
    Use of the busiest processor.
    load1
    Load of the last minute.
    memory_usage_ratio
    Memory in use. The limit of a container counts.
    temperature_celsius
    Temperature of the processor.
    disk_read_bytes_per_second
    Bytes read from all disks.
    disk_written_bytes_per_second
    Bytes written to all disks.
    network_receive_bytes_per_second
    Bytes received from the network.
    network_transmit_bytes_per_second
    Bytes sent to the network.
    """
  }

  /// Decimals of a value for programs. A share of 10,000 becomes a ratio.
  var decimals: Int {
    switch unit {
    case .percent: 4
    case .load: 2
    case .temperature: 1
    case .rate: 0
    }
  }
}

/// One value of each series; `nil` where it is not known.
struct Values {
  private var list = InlineArray<9, Int64?>(repeating: nil)

  subscript(_ series: Series) -> Int64? {
    get { list[Int(series.rawValue)] }
    set { list[Int(series.rawValue)] = newValue }
  }

  /// A value as people read it.
  func text(_ series: Series) -> Text<24>? { self[series].map { series.text($0) } }
}

extension Series.Unit {
  /// The least tenths of a degree that can be stored.
  private static var coldest: Int64 { -400 }

  /// A value as it is stored: 1 to 65,535. A value beyond what can be stored becomes the nearest that can be.
  func stored(_ value: Int64) -> UInt16 {
    let number: UInt64 =
      switch self {
      case .percent: UInt64(min(max(value, 0), 10_000))
      case .load: UInt64(max(value, 0))
      case .temperature: UInt64(min(max(value, Self.coldest), 10_000) - Self.coldest)
      case .rate: UInt64(Self.compact(UInt64(max(value, 0))))
      }
    return UInt16(min(number, 65_534)) + 1
  }

  /// The value that is stored; `nil` for a gap.
  func value(_ stored: UInt16) -> Int64? {
    guard stored > 0 else { return nil }
    let number = Int64(stored) - 1
    return switch self {
    case .percent, .load: number
    case .temperature: number + Self.coldest
    case .rate: (number & 0x7FF) << (number >> 11)
    }
  }

  /// A number as `exponent << 11 | mantissa`, rounded.
  private static func compact(_ number: UInt64) -> UInt16 {
    var exponent: UInt64 = 0
    while number >> exponent > 0x7FF { exponent += 1 }
    // No number is above 2^63, so the half that is added does not overflow.
    var mantissa = exponent > 0 ? (number + (1 << (exponent - 1))) >> exponent : number
    if mantissa > 0x7FF {
      mantissa >>= 1
      exponent += 1
    }
    return exponent > 31 ? .max : UInt16(exponent << 11 | mantissa)
  }

  /// A value as people read it: `12 %`, `0.42`, `48.3 °C`, `1.5 MiB/s`.
  @inline(never)
  func text(_ value: Int64) -> Text<24> {
    let number = UInt64(max(0, value))
    return Readable.text { writer in
      switch self {
      case .percent:
        writer.append(decimal: (number + 50) / 100)
        writer.append(" %")
      case .load:
        writer.append(decimal: number / 100)
        writer.append(".")
        writer.append(decimal: number / 10 % 10)
        writer.append(decimal: number % 10)
      case .temperature: writer.append(Readable.temperature(milliDegrees: Int(value) * 100).span)
      case .rate:
        writer.append(Readable.size(number).span)
        writer.append("/s")
      }
    }
  }
}
