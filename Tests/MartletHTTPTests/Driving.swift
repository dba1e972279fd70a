// One vector, driven through a parser in every way in which a peer can send it: whole, one octet at
// a time, cut off anywhere, and with any octet damaged. Always against an inaccessible page.

import MartletBytes
import MartletHTTP
import TestSupport
import Testing

/// What a parser says.
enum Outcome<Value: Equatable>: Equatable {
  case value(Value)
  case incomplete
  case refused(Refusal)
}

typealias Parser<Value> = (Span<UInt8>) throws(Refusal) -> Value?

func outcome<Value>(_ octets: [UInt8], _ parse: Parser<Value>) -> Outcome<Value> {
  withGuardedOctets(octets) { span in
    do throws(Refusal) {
      guard let value = try parse(span) else { return .incomplete }
      return .value(value)
    } catch {
      return .refused(error)
    }
  }
}

/// Drives `octets` through `parse`.
///
/// - Every shorter beginning of a message is incomplete, never refused and never a message;
///   whatever follows a message changes nothing about it.
/// - Once a beginning is refused, everything that continues it is refused for the same reason.
/// - No damaged octet makes a message reach beyond what was received.
///
/// - Returns: What the whole is.
@discardableResult
func drive<Value: Equatable>(
  _ octets: [UInt8], size: (Value) -> Int, sourceLocation: SourceLocation = #_sourceLocation,
  _ parse: Parser<Value>
) -> Outcome<Value> {
  let whole = outcome(octets, parse)
  // Long vectors repeat themselves, so some of their beginnings are enough.
  let step = max(1, octets.count / 200)
  for count in stride(from: 0, to: octets.count, by: step) {
    let part = outcome(Array(octets.prefix(count)), parse)
    switch whole {
    case .value(let value):
      let expected: Outcome<Value> = count < size(value) ? .incomplete : whole
      #expect(part == expected, "the first \(count) octets", sourceLocation: sourceLocation)
    case .incomplete:
      #expect(part == .incomplete, "the first \(count) octets", sourceLocation: sourceLocation)
    case .refused:
      let isFine = part == .incomplete || part == whole
      #expect(isFine, "the first \(count) octets: \(part)", sourceLocation: sourceLocation)
    }
  }
  var random = SeededRandom(UInt64(octets.count))
  for position in stride(from: 0, to: octets.count, by: step) {
    var damaged = octets
    damaged[position] ^= UInt8.random(in: 1...255, using: &random)
    if case .value(let value) = outcome(damaged, parse) {
      #expect(size(value) <= damaged.count, sourceLocation: sourceLocation)
    }
  }
  return whole
}

func drive(
  _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) -> Outcome<RequestHead> {
  drive(Array(text.utf8), size: \.size, sourceLocation: sourceLocation, RequestHead.parse)
}
