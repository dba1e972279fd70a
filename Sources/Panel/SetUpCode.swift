// The code on the terminal that allows whoever reads it to make the first account: 40 bits.
//
// Set-up is never closed, and the right code is let in at any time, also from an address that is being
// told to wait. So nothing but the cost of looking at a code bounds the guesses. Each code is hashed, as a
// password is, with a 256th of a password's iterations. A password needs some 300 ms on this machine, and a
// code 1.2 ms. A board that is slower than the fewest iterations want needs 4 ms for a code. That makes 850
// guesses a second, from however many addresses, for as long as the machine does nothing else. So 2^40 codes
// need 41 years, and each start makes a new code. The hash has a salt of its own, so no guess can be prepared.
//
// Addresses that send wrong codes are told to wait (429). So programs which guess are seen to be guessing, and
// people are told what to do. The wait decides nothing.

import Martlet

/// The set-up code, and its hash.
struct SetUpCode: ~Copyable {
  private let isReadInPlace = ByAddress()

  /// 32 characters that are not mistaken for one another.
  private static var alphabet: StaticString { "23456789ABCDEFGHJKLMNPQRSTUVWXYZ" }

  private var characters = Text<8>()
  private let hash: PasswordHash

  /// A new random code.
  ///
  /// - Parameter iterations: Those of a password on this machine.
  init(iterations: UInt32) {
    let alphabet = Self.alphabet.octets
    while characters.count < 8 {
      var octet = InlineArray<1, UInt8>(repeating: 0)
      var target = octet.mutableSpan
      Random.fill(&target)
      // Octets beyond the last whole multiple would make some characters likelier than others.
      let limit = 256 - 256 % alphabet.count
      if Int(octet[0]) < limit { characters.append(alphabet[Int(octet[0]) % alphabet.count]) }
    }
    do throws(PasswordRefusal) {
      hash = try PasswordHash.make(characters.span, iterations: max(iterations / 256, 1))
    } catch {
      stop("a code can be hashed")
    }
  }

  /// As it is shown: `XXXX-XXXX`.
  var text: Text<9> {
    var text = Text<9>()
    text.append(characters.span.extracting(0..<4))
    text.append(0x2D)
    text.append(characters.span.extracting(4..<8))
    return text
  }

  /// Whether it was typed, in either case, with or without hyphen and blanks.
  func matches(_ typed: borrowing FormValue) -> Bool {
    var decoder = typed.decoder
    var code = Text<8>()
    while let octet = decoder.next() {
      if octet == "-" || octet == " " { continue }
      let isLowercase = octet >= 0x61 && octet <= 0x7A
      guard code.append(isLowercase ? octet & 0xDF : octet) else { return false }
    }
    // What has another length is no code, and costs nothing.
    return code.count == 8 && hash.verify(code.span)
  }
}
