import Foundation
import MartletBytes
import TestSupport
import Testing

@Suite("Doubles as decimal digits")
struct DoubleTextTests {
  func fixed(_ number: Double, _ digits: Int) -> String { written { $0.append(number, digits: digits) } }
  func shortest(_ number: Double) -> String { written { $0.append(shortest: number) } }

  func parsed(_ text: String) -> Result<Double, NumberRefusal> {
    withGuardedOctets(text) { octets in
      do throws(NumberRefusal) { return .success(try Double(parsing: octets)) } catch {
        return .failure(error)
      }
    }
  }

  /// Doubles of all sizes: any bits, short decimals, halves, whole numbers and what lies beside them.
  func samples(_ count: Int, _ seed: UInt64) -> [Double] {
    var random = SeededRandom(seed)
    var result: [Double] = [
      0, -0.0, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 0.1, 0.3, 1, 10, 1e21,
      1e22, 1e23, 9.5, 99.5, 0.5, 1.5, 2.5, 0.05, 0.125, 0.375, 2.675, 1e-6, 1e-7,
      0x1p53, 0.1 + 0.2, .pi, 999.9999, 0.9999999, 4.35, 1.005, 1e100, Double.leastNormalMagnitude.nextDown,
    ]
    while result.count < count {
      let bits = Double(bitPattern: random.next())
      if bits.isFinite { result.append(bits) }
      let short = Double(Int64.random(in: -1_000_000...1_000_000, using: &random)) / 1_000
      result += [short, short.nextUp, short.nextDown, short / 8, (short * 1_000).rounded() / 16]
      result.append(Double(random.next()))
      result.append(scalbn(1, Int.random(in: -1_074...1_023, using: &random)))
    }
    return result
  }

  @Test("A fixed count of decimals is what printf writes, but without the sign of zero")
  func fixedPrintf() {
    for number in samples(1_200, 1) {
      for digits in [0, 1, 2, 3, 6, 17, 18] {
        var expected = String(format: "%.\(digits)f", number)
        if expected.hasPrefix("-"), !expected.contains(where: { "1"..."9" ~= $0 }) { expected.removeFirst() }
        #expect(fixed(number, digits) == expected)
      }
    }
  }

  @Test(
    "A tie goes to the even digit, and the exact value decides what is a tie",
    arguments: [
      (0.125, 2, "0.12"), (0.375, 2, "0.38"), (0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"), (2.675, 2, "2.67"),
      (1.005, 2, "1.00"), (0.05, 1, "0.1"), (9.995, 2, "9.99"), (9.5, 0, "10"), (99.96, 1, "100.0"),
      (0.96, 1, "1.0"), (-0.04, 1, "0.0"), (-0.06, 1, "-0.1"), (-0.5, 0, "0"), (21.5, 2, "21.50"),
      (.nan, 2, "NaN"), (.infinity, 2, "Infinity"), (-.infinity, 0, "-Infinity"), (0.6, 0, "1"),
      (1e-300, 18, "0.000000000000000000"),
    ] as [(Double, Int, String)])
  func ties(number: Double, digits: Int, expected: String) { #expect(fixed(number, digits) == expected) }

  @Test("The longest number fits what writes it")
  func longest() {
    let text = fixed(-.greatestFiniteMagnitude, 18)
    #expect(text.hasPrefix("-179769313486231570814527423731704356798070") && text.count == 1 + 309 + 1 + 18)
    #expect(writtenOctets(capacity: 20) { $0.append(-.greatestFiniteMagnitude, digits: 18) }.overflowed)
  }

  @Test("What is written shortest is read again as the same double, and has no digit too many")
  func roundTrip() throws {
    for number in samples(4_000, 2) {
      let text = shortest(number)
      #expect(parsed(text) == .success(number))
      #expect(Double(text) == number)
      // Beside a power of two the nearest digits may lie where fewer digits would not do.
      let digits = { (text: String) in
        text.lowercased().prefix { $0 != "e" }.filter(\.isNumber).drop { $0 == "0" }.reversed().drop {
          $0 == "0"
        }.count
      }
      if number.significandBitPattern != 0 { #expect(digits(text) == digits("\(number)"), "\(number)") }
    }
  }

  @Test(
    "The form is ECMAScript's",
    arguments: [
      (0, "0"), (-0.0, "0"), (21.5, "21.5"), (-21.5, "-21.5"), (100, "100"), (1e20, "100000000000000000000"),
      (1e21, "1e+21"), (1.5e21, "1.5e+21"), (Double("123456789012345680000")!, "123456789012345680000"),
      (1e-6, "0.000001"),
      (1.5e-6, "0.0000015"), (1e-7, "1e-7"), (1.5e-7, "1.5e-7"), (0.1, "0.1"),
      (0.1 + 0.2, "0.30000000000000004"),
      (.leastNonzeroMagnitude, "5e-324"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
      (1.0 / 3, "0.3333333333333333"),
      (.nan, "NaN"), (.infinity, "Infinity"), (-.infinity, "-Infinity"),
      (1e21.nextDown, "999999999999999900000"),
    ] as [(Double, String)])
  func form(number: Double, expected: String) { #expect(shortest(number) == expected) }

  @Test("A decimal number becomes the nearest double")
  func reading() {
    var random = SeededRandom(3)
    var texts = [
      "0", "-0", "1e400", "-1e400", "1e-400", "1e999999999", "1e-999999999", "9007199254740993",
      "9007199254740992.99999999999999999999", "9007199254740993.00000000000000000000000000000001",
      "2.4703282292062327208e-324", "2.4703282292062328e-324",
      "2.47032822920623272088284396434110686182e-324",
      "2.2250738585072011e-308", "2.2250738585072012e-308", "1.7976931348623158e308",
      "1.7976931348623159e308",
      "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
      "0.000000000000000000000000000000000000000000000001e48", "8.41e21", "9.5e-320", "1e23",
      "6929495644600919.5", "3.7455744005952583e15", "1448997445238699.0000000000000000000000000000000000001",
    ]
    for _ in 0..<2_000 {
      let digits = (0..<Int.random(in: 1...40, using: &random)).map { _ in
        "\(Int.random(in: 0...9, using: &random))"
      }
      var text = digits.joined()
      if Bool.random(using: &random) { text += "." + "\(random.next())" }
      if Bool.random(using: &random) { text += "e\(Int.random(in: -340...320, using: &random))" }
      texts.append(text)
    }
    // The middle between two doubles, and a little beside the middle.
    for number in samples(300, 4) where number.isNormal && number.magnitude < 1e300 {
      let middle = String(format: "%.1100f", number.magnitude).prefix { $0 != "." }.count
      let text = String(format: "%.\(min(1_000, 1_090 - middle))f", number.magnitude)
      texts += [text, text + "1", String(text.dropLast()) + "1"]
    }
    for text in texts {
      let expected = Double(text)!
      #expect(parsed(text) == (expected.isFinite ? .success(expected) : .failure(.outOfRange)), "\(text)")
      if case .success(let value) = parsed(text) { #expect(value.sign == expected.sign) }
    }
  }

  @Test("Exact middles between two doubles go to the even one")
  func middles() {
    // 2^53 + 1, 2^53 + 3, 2^54 + 2: exact in decimal, halfway in binary.
    #expect(parsed("9007199254740993") == .success(0x1p53))
    #expect(parsed("9007199254740995") == .success(0x1p53 + 4))
    #expect(parsed("18014398509481986") == .success(0x1p54))
    let zeros = String(repeating: "0", count: 700)
    #expect(parsed("9007199254740993.\(zeros)1") == .success(0x1p53 + 2))
    #expect(parsed("9007199254740993\(zeros)e-700") == .success(0x1p53))
  }

  @Test(
    "What is no number is no double either",
    arguments: ["", "-", "1.", "+1", "nan", "inf", "0x1p3", "1e", "1 "])
  func malformed(text: String) { #expect(parsed(text) == .failure(.malformed)) }
}
