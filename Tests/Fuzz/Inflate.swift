// gzip: whatever the octets are, the content fits its room, and the same octets have the same content in any room
// that is large enough.

import MartletBytes

@Sendable func fuzzInflate(_ input: Span<UInt8>) {
  var large = Octets(repeating: 0, count: 4_096)
  var writer = Writer(large.mutableSpan)
  guard Inflate.unpack(input, to: &writer) else { return }
  let count = writer.count
  check(count <= 4_096 && !writer.overflowed, "content that is taken has fitted")
  let content = Octets(writer.span)
  var exact = Octets(repeating: 0, count: count)
  var second = Writer(exact.mutableSpan)
  check(Inflate.unpack(input, to: &second), "content fits a room of its size")
  check(Octets(second.span) == content, "the content does not depend on the room")
  guard count > 0 else { return }
  var small = Octets(repeating: 0, count: count - 1)
  var third = Writer(small.mutableSpan)
  check(!Inflate.unpack(input, to: &third), "content does not fit a room that is smaller")
}
