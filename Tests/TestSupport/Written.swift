// What a writer has written, as a value that tests can compare.

import MartletBytes

/// The octets that `body` writes into `capacity` octets of room, and whether they fitted.
public func writtenOctets(
  capacity: Int = 8_192, _ body: (inout Writer) throws -> Void
) rethrows -> (octets: [UInt8], overflowed: Bool) {
  var storage = [UInt8](repeating: 0xAA, count: capacity)
  var writer = Writer(storage.mutableSpan)
  try body(&writer)
  return ([UInt8](writer.span), writer.overflowed)
}

/// The same as text, for what fits.
public func written(_ body: (inout Writer) throws -> Void) rethrows -> String {
  let result = try writtenOctets(body)
  return result.overflowed ? "overflowed" : String(decoding: result.octets, as: UTF8.self)
}
