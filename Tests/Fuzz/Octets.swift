// What the targets share: octets as arrays and back, numbers drawn from the input itself, and a way
// to reach the limits with short inputs.

import MartletBytes
import MartletHTTP

typealias Octets = [UInt8]

extension Array where Element == UInt8 {
  init(_ span: Span<UInt8>) {
    self = span.withUnsafeBufferPointer { Array($0) }
  }

  init(_ literal: StaticString) { self = Array(literal.octets) }
}

/// The octets of a span that may be missing.
func copied(_ span: Span<UInt8>?) -> Octets? {
  guard let span else { return nil }
  return Octets(span)
}

/// Runs `body` with a copy whose memory ends where the octets end.
func withExactCopy<R>(_ octets: Octets, _ body: (Span<UInt8>) -> R) -> R {
  let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: octets.count)
  _ = copy.initialize(from: octets)
  defer { copy.deallocate() }
  return body(UnsafeBufferPointer(copy).span)
}

/// What `body` writes into `capacity` octets of room, or `nil` when it does not fit.
func written(capacity: Int = 8_192, _ body: (inout Writer) -> Void) -> Octets? {
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { room in
    room.initialize(repeating: 0xA5)
    var writer = Writer(room.mutableSpan)
    body(&writer)
    return writer.overflowed ? nil : Array(writer.span)
  }
}

/// The octets that an input stands for: FE n is the octet before it again, 64 n times more, and FE 0
/// is FE. So a mutation of one octet reaches a limit of 16 KiB.
func expanded(_ input: Span<UInt8>, from start: Int = 0) -> Octets {
  var octets = Octets()
  octets.reserveCapacity(input.count)
  var i = start
  while i < input.count {
    if input[i] == 0xFE, i + 1 < input.count {
      let turns = Int(input[i + 1])
      if turns == 0 { octets.append(0xFE) }
      if let last = octets.last, octets.count < 65_536 {
        octets.append(contentsOf: repeatElement(last, count: 64 * turns))
      }
      i += 2
    } else {
      octets.append(input[i])
      i += 1
    }
  }
  return octets
}

/// Numbers that depend on nothing but an input (SplitMix64), so that a find is found again.
struct Draw {
  private var state: UInt64

  init(_ octets: Octets) {
    // FNV-1a.
    state = 0xCBF2_9CE4_8422_2325
    for octet in octets { state = (state ^ UInt64(octet)) &* 0x100_0000_01B3 }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number below `bound`, which is at least 1.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// What a parser says.
enum Outcome<Value: Equatable>: Equatable {
  case value(Value)
  case incomplete
  case refused(Refusal)
}

typealias Parser<Value> = (Span<UInt8>) throws(Refusal) -> Value?

func outcome<Value>(_ octets: Span<UInt8>, _ parse: Parser<Value>) -> Outcome<Value> {
  do throws(Refusal) {
    guard let value = try parse(octets) else { return .incomplete }
    return .value(value)
  } catch {
    return .refused(error)
  }
}

/// What holds for every parser of something that arrives piece by piece:
///
/// - Every shorter beginning of a message is incomplete; what follows a message changes nothing.
/// - Once a beginning is refused, what continues it is refused for the same reason.
/// - A message is not longer than what was received.
///
/// - Returns: What the whole is.
func driven<Value>(
  _ octets: Octets, size: (Value) -> Int, _ parse: Parser<Value>
) -> Outcome<Value> {
  let whole = withExactCopy(octets) { outcome($0, parse) }
  var draw = Draw(octets)
  var counts = (0..<6).map { _ in draw.below(octets.count + 1) }
  if case .value(let value) = whole {
    check(size(value) > 0 && size(value) <= octets.count, "a message has been received whole")
    counts += [size(value) - 1, size(value)]
  } else if !octets.isEmpty {
    counts.append(octets.count - 1)
  }
  for count in counts {
    let part = outcome(octets.span.extracting(0..<count), parse)
    switch whole {
    case .value(let value):
      check(
        part == (count < size(value) ? .incomplete : whole),
        "a beginning is incomplete, and what follows changes nothing")
    case .incomplete:
      check(part == .incomplete, "a beginning of what is incomplete is incomplete")
    case .refused:
      check(part == .incomplete || part == whole, "a refusal is final")
    }
  }
  return whole
}
