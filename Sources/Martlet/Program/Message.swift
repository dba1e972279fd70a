// Lines for people on the terminal: messages of the start and errors, put together without a heap.

import CMartletPlatform
import MartletBytes

/// A text for the terminal of at most 1,024 octets; further octets are cut. A program makes one message at a
/// time, because all messages share one buffer.
public struct Message: ~Copyable {
  /// The stream that the message is written to.
  public enum Stream: Int32 {
    case output = 1
    case error = 2
  }

  /// An empty message.
  public init() {}

  /// A message that begins with a literal.
  public init(_ literal: StaticString) { add(literal) }

  /// Adds a literal.
  public mutating func add(_ literal: StaticString) { Self.append(literal.octets) }

  /// Adds octets. Control octets become `?`, so that no octet from outside steers the terminal.
  public mutating func add(_ octets: Span<UInt8>) {
    for i in octets.indices {
      if ASCII.isControl(octets[i]) { add("?") } else { Self.append(octets.extracting(i..<i + 1)) }
    }
  }

  /// Adds a text.
  public mutating func add<let capacity: Int>(_ text: Text<capacity>) { add(text.span) }

  /// Adds a number in decimal digits.
  public mutating func add(_ number: Int) {
    var digits = InlineArray<24, UInt8>(repeating: 0)
    var writer = Writer(digits.mutableSpan)
    writer.append(decimal: number)
    let count = writer.count
    Self.append(digits.span.extracting(first: count))
  }

  private static func append(_ octets: Span<UInt8>) {
    // Safe: the call reads the octets and keeps no pointer.
    unsafe octets.withUnsafeBufferPointer { octets in
      unsafe martlet_message_add(octets.baseAddress, octets.count)
    }
  }

  /// Writes the message and the end of the line.
  public mutating func print(_ stream: Stream = .output) { martlet_message_print(stream.rawValue) }

  /// Writes the message to standard error and ends the program.
  ///
  /// - Parameter status: 2 for wrong options, 1 for everything else.
  public consuming func fail(status: Int32 = 1) -> Never {
    print(.error)
    martlet_exit(status)
  }
}
