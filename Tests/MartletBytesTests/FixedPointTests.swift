import MartletBytes
import TestSupport
import Testing

@Suite("Numbers with decimals")
struct FixedPointTests {
  func parsed(
    _ text: String, digits: Int, in bounds: ClosedRange<Int64> = .min ... .max
  ) -> Result<Int64, NumberRefusal> {
    withGuardedOctets(text) { octets in
      do throws(NumberRefusal) {
        let number = try FixedPoint(parsing: octets, digits: digits, in: bounds)
        #expect(number.digits == digits)
        return .success(number.value)
      } catch {
        return .failure(error)
      }
    }
  }

  @Test(
    "All decimals are written, and zero has no sign",
    arguments: [
      (2150, 2, "21.50"), (-5, 2, "-0.05"), (0, 2, "0.00"), (0, 0, "0"), (-7, 0, "-7"), (5, 1, "0.5"),
      (-100, 2, "-1.00"), (99, 2, "0.99"), (Int64.min, 0, "-9223372036854775808"),
      (Int64.min, 2, "-92233720368547758.08"), (Int64.min, 18, "-9.223372036854775808"),
      (Int64.max, 18, "9.223372036854775807"), (1, 18, "0.000000000000000001"),
      (100_000_000_000_000_000, 18, "0.100000000000000000"),
    ] as [(Int64, Int, String)])
  func writing(value: Int64, digits: Int, expected: String) {
    #expect(written { $0.append(FixedPoint(value, digits: digits)) } == expected)
    // What is written is read as the same number.
    #expect(parsed(expected, digits: digits) == .success(value))
  }

  @Test("A value of any integer type is held within Int64")
  func clamped() {
    #expect(FixedPoint(UInt64.max, digits: 0).value == .max)
    #expect(FixedPoint(Int8(-3), digits: 1).value == -3)
  }

  @Test(
    "A number is read exactly, however it is spelt",
    arguments: [
      ("21.5", 2, 2150), ("21", 2, 2100), ("-0.05", 2, -5), (".5", 1, 5), ("-.5", 1, -5),
      ("007", 0, 7), ("1.500", 1, 15), ("15e-1", 1, 15), ("1E+2", 0, 100), ("0.015e3", 0, 15),
      ("-0", 2, 0), ("0e999999999999", 2, 0), ("0.000e-99999999", 0, 0), ("12000e-3", 0, 12),
      ("9223372036854775807", 0, .max), ("-9223372036854775808", 0, .min),
      ("92233720368547758.07", 2, .max), ("1e18", 0, 1_000_000_000_000_000_000),
      ("100000000000000000000000e-23", 0, 1),
    ] as [(String, Int, Int64)])
  func reading(text: String, digits: Int, expected: Int64) {
    #expect(parsed(text, digits: digits) == .success(expected))
  }

  @Test(
    "What is no number is refused",
    arguments: [
      "", " ", "-", ".", "-.", "1.", "+1", " 1", "1 ", "1,5", "1e", "1e+", "e5", "1e5x", "--1", "1.2.3",
      "NaN", "Infinity", "0x10", "1_000", "１", "1e1.5", "1\u{0}", "-e1", ".e1", "1-",
    ])
  func malformed(text: String) {
    for digits in [0, 2, 18] { #expect(parsed(text, digits: digits) == .failure(.malformed)) }
  }

  @Test("What has more decimals is not exact; what lies beyond is out of range")
  func refused() {
    #expect(parsed("21.501", digits: 2) == .failure(.notExact))
    #expect(parsed("1e-9", digits: 2) == .failure(.notExact))
    #expect(parsed("1e-999999999999", digits: 18) == .failure(.notExact))
    #expect(parsed("0.\(String(repeating: "0", count: 300))1", digits: 18) == .failure(.notExact))
    for text in [
      "9223372036854775808", "-9223372036854775809", "1e19", "1e999999999", "18446744073709551616",
      "92233720368547758070000000000000.5",
    ] {
      #expect(parsed(text, digits: 0) == .failure(.outOfRange), "\(text)")
    }
    #expect(parsed("92233720368547758.08", digits: 2) == .failure(.outOfRange))
    #expect(parsed("-40.01", digits: 2, in: -4_000...8_500) == .failure(.outOfRange))
    #expect(parsed("85.01", digits: 2, in: -4_000...8_500) == .failure(.outOfRange))
    #expect(parsed("-40", digits: 2, in: -4_000...8_500) == .success(-4_000))
    #expect(parsed("85", digits: 2, in: -4_000...8_500) == .success(8_500))
  }

  @Test("Every beginning and every damage of a number is read or refused")
  func damaged() {
    let text = Array("-123456789.0125e+3".utf8)
    for count in text.indices {
      let prefix = String(decoding: text.prefix(count), as: UTF8.self)
      let isNumber = Double(prefix) != nil && !prefix.hasSuffix(".")
      #expect((parsed(prefix, digits: 4) != .failure(.malformed)) == isNumber, "\(prefix)")
    }
    for i in text.indices {
      for octet in UInt8.min...UInt8.max {
        var damaged = text
        damaged[i] = octet
        let result = withGuardedOctets(damaged) { octets in
          try? FixedPoint(parsing: octets, digits: 6).value
        }
        guard let result, octet < 0x80 else { continue }
        let text = String(decoding: damaged, as: UTF8.self)
        #expect(abs(Double(text)! * 1e6 - Double(result)) <= abs(Double(result)) * 1e-15, "\(text)")
      }
    }
  }
}
