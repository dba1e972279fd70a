import MartletBytes
import Testing

@Suite("Octet classes")
struct ASCIITests {
  /// The octets of a class, as text.
  func members(_ isMember: (UInt8) -> Bool) -> String {
    String(
      String.UnicodeScalarView((0...255).filter { isMember(UInt8($0)) }.map { Unicode.Scalar($0)! })
    )
  }

  static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  static let digits = "0123456789"

  @Test("A token is made of 77 characters")
  func token() {
    #expect(
      members(ASCII.isTokenCharacter)
        == "!#$%&'*+-." + Self.digits + Self.letters + "^_`" + Self.letters.lowercased() + "|~")
  }

  @Test("A cookie-octet is visible and none of five delimiters")
  func cookieOctet() {
    let visible = String(String.UnicodeScalarView((0x21...0x7E).map { Unicode.Scalar($0)! }))
    #expect(members(ASCII.isCookieOctet) == visible.filter { !"\",;\\".contains($0) })
  }

  @Test("What a URI may not hold is not a URI octet")
  func uriOctet() {
    let visible = String(String.UnicodeScalarView((0x21...0x7E).map { Unicode.Scalar($0)! }))
    #expect(members(ASCII.isURIOctet) == visible.filter { !"\"<>\\^`{|}".contains($0) })
  }

  @Test("Blanks are space and tab; controls are 33")
  func blanksAndControls() {
    #expect(members(ASCII.isBlank) == "\t ")
    #expect(members(ASCII.isControl).unicodeScalars.count == 33)
    #expect(!ASCII.isFieldValueOctet(0) && !ASCII.isFieldValueOctet(0x7F))
    #expect(ASCII.isFieldValueOctet(0x09) && ASCII.isFieldValueOctet(0xFF))
  }

  @Test("Only ASCII letters have a case")
  func lowercased() {
    for octet in UInt8.min...UInt8.max {
      let expected = (0x41...0x5A).contains(octet) ? octet + 32 : octet
      #expect(ASCII.lowercased(octet) == expected)
    }
  }

  @Test("Digits have values, other octets none")
  func digits() {
    #expect((UInt8.min...UInt8.max).compactMap(ASCII.digit) == Array(0...9))
    #expect(
      (UInt8.min...UInt8.max).compactMap(ASCII.hexadecimalDigit)
        == Array(0...9) + Array(10...15) + Array(10...15))
    for value in UInt8(0)..<16 {
      #expect(ASCII.hexadecimalDigit(ASCII.hexadecimal(value)) == value)
      #expect(ASCII.hexadecimalDigit(ASCII.hexadecimal(value, uppercase: true)) == value)
    }
    #expect(ASCII.hexadecimal(15) == "f" && ASCII.hexadecimal(15, uppercase: true) == "F")
  }

  @Test("Octets are compared with characters")
  func comparison() {
    let octet: UInt8 = 0x61
    #expect(octet == "a")
    #expect(octet != "b")
    #expect(octet != "š")
  }
}
